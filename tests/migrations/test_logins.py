"""The logins and the database are created once, by an administrator who need not be a superuser."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations import walls
from revops_mesh.migrations.logins import bootstrap, script
from revops_mesh.migrations.standing import current
from revops_mesh.migrations.tree import migrate

HBA = """
host all postgres,dba 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server that asks everybody but its administrators for a password."""
    # Not below the test's own directory, which the server's account cannot enter.
    rules = Path(tmp_path_factory.mktemp("guarded"))
    server = Postgres(rules / "data", durable=False)
    server.start()
    (server.data_dir / "pg_hba.conf").write_text(HBA)
    server.stop()
    server.start()
    yield server
    server.stop()


async def test_an_administrator_without_superpowers_can_bootstrap_and_the_owner_migrate(guarded: Postgres) -> None:
    admin = await asyncpg.connect(guarded.dsn())
    await admin.execute("CREATE ROLE dba LOGIN CREATEROLE CREATEDB")
    await admin.close()
    for _ in range(2):
        await asyncio.to_thread(bootstrap, guarded.dsn(user="dba"), "revops", "correct horse")
    with_password = guarded.dsn("revops", "revops_app").replace("revops_app@", "revops_app:correct horse@")
    await asyncio.to_thread(migrate, with_password)
    assert await current(with_password)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await current(with_password.replace("correct", "wrong"))


async def test_only_the_four_logins_may_connect(postgres: Postgres) -> None:
    await asyncio.to_thread(bootstrap, postgres.dsn(), "closed_door")
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute("CREATE ROLE stranger LOGIN")
    await admin.close()
    for login in walls.LOGINS:
        await (await asyncpg.connect(postgres.dsn("closed_door", login))).close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        await asyncpg.connect(postgres.dsn("closed_door", "stranger"))


def test_a_name_that_would_need_quoting_is_refused_before_anything_is_done(postgres: Postgres) -> None:
    with pytest.raises(ValueError, match="must be named with"):
        bootstrap(postgres.dsn(), "x; DROP DATABASE postgres")


def test_the_script_for_administrators_says_all_of_it() -> None:
    text = script("revops")
    assert all(f"CREATE ROLE {login} " in text for login in walls.LOGINS)
    assert text.count("CREATE DATABASE revops OWNER revops_owner;") == 1
    assert "PASSWORD" not in text
