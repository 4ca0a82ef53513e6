"""A tree takes a database to its newest revision: once, in turn, whole revisions only, and autogenerate misses nothing."""

import asyncio
import shutil
import textwrap
from pathlib import Path

import asyncpg
import pytest

from revops_mesh import migrations
from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations import tree
from revops_mesh.migrations.logins import bootstrap
from revops_mesh.migrations.standing import current
from revops_mesh.migrations.tree import MigrationError, differences, migrate, revision

OWN_TREE = Path(migrations.__file__).parent / "member"


async def blank(postgres: Postgres, name: str) -> str:
    """The DSN of a database without any migration."""
    await asyncio.to_thread(bootstrap, postgres.dsn(), name)
    return postgres.dsn(name)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the member's tree that a test may write to."""
    return Path(shutil.copytree(OWN_TREE, tmp_path / "member", ignore=shutil.ignore_patterns("__pycache__")))


def add(copied: Path, number: int, steps: str) -> str:
    """Adds a revision behind number - 1; `tree` as the functions take it."""
    text = (
        f'from alembic import op\n\nrevision = "{number:04d}"\ndown_revision = "{number - 1:04d}"\n\n\ndef upgrade() -> None:\n'
    )
    (copied / "versions" / f"{number:04d}_test.py").write_text(text + textwrap.indent(steps, "    "))
    tree.newest.cache_clear()
    return str(copied)


def next_number() -> int:
    return int(tree.newest()) + 1


async def test_nothing_is_missing_and_nothing_spurious_after_a_migration(copy: str) -> None:
    assert await asyncio.to_thread(differences, copy) == []
    assert await asyncio.to_thread(revision, "nothing at all", copy) is None


@pytest.mark.parametrize(
    ("lost", "noticed"),
    [
        ("DROP INDEX catalog.products_state", "products_state"),
        ("DROP INDEX catalog.products_sku_key", "products_sku_key"),
        ("DROP INDEX kernel.audit_resources", "audit_resources"),
        ("ALTER TABLE catalog.products DROP COLUMN family", "family"),
        ("ALTER TABLE catalog.products ALTER COLUMN family TYPE varchar(9)", "family"),
        ("ALTER TABLE catalog.products ALTER COLUMN family DROP NOT NULL", "family"),
        ("ALTER TABLE catalog.products ALTER COLUMN projection DROP DEFAULT", "projection"),
        ("DROP TABLE catalog.rate_plans", "rate_plans"),
        ("CREATE TABLE catalog.extra(id int)", "extra"),
        ("ALTER TABLE catalog.products ADD COLUMN extra int", "extra"),
    ],
)
async def test_autogenerate_notices(copy: str, owner: asyncpg.Connection, lost: str, noticed: str) -> None:
    await owner.execute(lost)
    found = await asyncio.to_thread(differences, copy)
    assert noticed in str(found)


async def test_a_generated_revision_makes_the_partial_and_the_gin_index_again(postgres: Postgres, copied: Path) -> None:
    for each in (copied / "versions").glob("*.py"):
        each.unlink()
    dsn = await blank(postgres, "regenerated")
    path = await asyncio.to_thread(revision, "All of it.", dsn, str(copied))
    assert path is not None
    assert path.name == "0001_all_of_it.py"
    assert path.read_text().startswith('"""All of it."""')
    assert "# ###" not in path.read_text()
    await asyncio.to_thread(migrate, dsn, str(copied))
    owner = await asyncpg.connect(dsn)
    rows = await owner.fetch("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname IN ('catalog', 'kernel')")
    await owner.close()
    indexes = {row["indexname"]: row["indexdef"] for row in rows}
    assert "UNIQUE" in indexes["products_sku_key"]
    assert "delete_time IS NULL" in indexes["products_sku_key"]
    assert "USING gin" in indexes["audit_resources"]
    assert await asyncio.to_thread(differences, dsn, str(copied)) == []


async def test_a_generated_column_can_be_added_to_a_table_with_rows(
    postgres: Postgres, copy: str, owner: asyncpg.Connection, copied: Path
) -> None:
    lost = ("catalog.products", "family"), ("catalog.products", "state"), ("quoting.quotes", "price_entries")
    steps = "".join(f"op.execute('ALTER TABLE {table} DROP COLUMN {column}')\n" for table, column in lost)
    tree_without = add(copied, next_number(), steps)
    await asyncio.to_thread(revision, "index them", await blank(postgres, "without_columns"), tree_without)
    await owner.execute(
        "INSERT INTO catalog.products(tenant_id,name,revision,body,create_time,update_time,display_name,sku,family,state)"
        " VALUES(gen_random_uuid(),'products/a',1,'',now(),now(),'A','','x',1)"
    )
    await asyncio.to_thread(migrate, copy, tree_without)
    row = await owner.fetchrow("SELECT family, state FROM catalog.products")
    assert (row["family"], row["state"]) == ("", 0)
    assert await asyncio.to_thread(differences, copy, tree_without) == []


async def test_a_revision_of_rows_is_written_on_request(postgres: Postgres, copied: Path) -> None:
    dsn = await blank(postgres, "rows_only")
    path = await asyncio.to_thread(lambda: revision("fill the families", dsn, str(copied), empty=True))
    assert path is not None
    assert path.name == f"{next_number():04d}_fill_the_families.py"
    assert "pass" in path.read_text()


async def test_a_message_without_letters_is_refused(postgres: Postgres) -> None:
    with pytest.raises(MigrationError, match="must say what"):
        await asyncio.to_thread(revision, " … ", postgres.dsn())


async def test_a_database_is_current_once_migrated_and_when_it_is_ahead(postgres: Postgres, copy: str, copied: Path) -> None:
    assert not await current(await blank(postgres, "not_migrated"))
    assert await current(copy)
    later = add(copied, next_number(), "op.execute('SELECT 1')\n")
    assert not await current(copy, later)
    await asyncio.to_thread(migrate, copy, later)
    assert await current(copy, later)
    assert await current(copy)


async def test_two_processes_migrate_one_database_in_turn(postgres: Postgres) -> None:
    dsn = await blank(postgres, "raced")
    await asyncio.gather(asyncio.to_thread(migrate, dsn), asyncio.to_thread(migrate, dsn))
    assert await current(dsn)


async def test_a_failed_revision_leaves_those_before_it(copy: str, owner: asyncpg.Connection, copied: Path) -> None:
    first = next_number()
    add(copied, first, "op.execute('CREATE TABLE catalog.kept(id int)')\n")
    broken = add(copied, first + 1, "op.execute('CREATE TABLE catalog.gone(id int)')\nop.execute('SELECT 1/0')\n")
    with pytest.raises(Exception, match="division by zero"):
        await asyncio.to_thread(migrate, copy, broken)
    assert await owner.fetchval("SELECT to_regclass('catalog.kept') IS NOT NULL AND to_regclass('catalog.gone') IS NULL")
    assert await owner.fetchval("SELECT version_num FROM kernel.alembic_version") == f"{first:04d}"


async def test_a_table_between_two_revisions_is_the_owners_alone(copy: str, owner: asyncpg.Connection, copied: Path) -> None:
    first = next_number()
    add(copied, first, "op.execute('CREATE TABLE catalog.between(tenant_id uuid PRIMARY KEY)')\n")
    broken = add(copied, first + 1, "op.execute('SELECT 1/0')\n")
    with pytest.raises(Exception, match="division by zero"):
        await asyncio.to_thread(migrate, copy, broken)
    assert await owner.fetchval("SELECT relacl FROM pg_class WHERE oid='catalog.between'::regclass") is None


async def test_a_migration_gives_up_on_a_table_in_use(
    copy: str, owner: asyncpg.Connection, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "LOCK_TIMEOUT", "200ms")
    waiting = add(copied, next_number(), "op.execute('ALTER TABLE catalog.products ADD COLUMN waited int')\n")
    async with owner.transaction():
        await owner.execute("SELECT name FROM catalog.products")
        with pytest.raises(MigrationError, match="run it again"):
            await asyncio.to_thread(migrate, copy, waiting)
    await asyncio.to_thread(migrate, copy, waiting)
    assert await current(copy, waiting)


async def test_a_migration_that_changes_nothing_waits_for_no_table(copy: str, owner: asyncpg.Connection) -> None:
    async with owner.transaction():
        await owner.execute("LOCK TABLE catalog.products, kernel.audit IN EXCLUSIVE MODE")
        await asyncio.to_thread(migrate, copy)


async def test_tables_of_the_contracts_that_no_revision_makes_are_named(postgres: Postgres, copied: Path) -> None:
    for each in (copied / "versions").glob("*.py"):
        each.unlink()
    add(copied, 1, "op.execute('CREATE TABLE catalog.products(tenant_id uuid, name text, PRIMARY KEY (tenant_id, name))')\n")
    (copied / "versions" / "0001_test.py").write_text(
        (copied / "versions" / "0001_test.py").read_text().replace('down_revision = "0000"', "down_revision = None")
    )
    dsn = await blank(postgres, "incomplete")
    with pytest.raises(MigrationError, match=r"no migration makes .*catalog\.rate_plans"):
        await asyncio.to_thread(migrate, dsn, str(copied))
    assert not await current(dsn, str(copied))


def test_an_unknown_tree_is_named(postgres: Postgres) -> None:
    with pytest.raises(MigrationError, match="no migration tree 'nowhere'"):
        migrate(postgres.dsn(), "nowhere")
