"""Migrations: brings a database to the newest revision of its tree, says whether it is there, writes the next revision.

A tree is a folder beside this file, named after its database; its `env.py` names the metadata. Revisions are numbered,
linear and forward only: a wrong one is corrected by the next. Source: Alembic, "Tutorial" and "Auto Generating Migrations".
"""

import asyncio
import importlib.util
import re
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy as sa
from alembic import command, context
from alembic.config import Config
from alembic.operations.ops import AddColumnOp, AlterColumnOp, CreateTableOp, MigrateOperation, MigrationScript, ModifyTableOps
from alembic.runtime.migration import MigrationContext, MigrationInfo
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from revops_mesh.kernel.pools import APP, OWNER

from . import walls
from .standing import HERE, VERSION_SCHEMA, VERSION_TABLE, newest

TURN = "10min"
"""How long a migration waits for another process that migrates the same database."""
LOCK_TIMEOUT = "3s"
"""How long it waits for a table, and so how long calls may queue behind it."""

_ZEROS: dict[type[Any], str] = {sa.BigInteger: "0", sa.SmallInteger: "0", sa.Integer: "0", sa.Boolean: "false", sa.ARRAY: "'{}'"}
"""What a required column holds in rows that are older than it, by type; other types hold the empty text."""


class MigrationError(RuntimeError):
    """A database cannot be migrated; the message names the cause and the remedy."""


def migrate(dsn: str, tree: str = "member") -> None:
    """Brings a database to the newest revision, as its owner; does nothing if it is there, waits if another process is at it.

    Every revision is a transaction; the last one also puts up the walls. Raises `MigrationError`, `OSError` when the server
    does not answer, `asyncpg.PostgresError` when it refuses the login. Blocks: call it from a thread inside an event loop.
    """
    asyncio.run(_as_owner(dsn, tree, lambda config: command.upgrade(config, "head")))


def revision(message: str, dsn: str, tree: str = "member", *, empty: bool = False) -> Path | None:
    """Writes the revision that takes a database from the tree's newest one to the metadata; None if nothing differs.

    `dsn` is a scratch database, which is migrated first. `empty` writes one without steps, for a change of rows.
    Raises `MigrationError` when `message` gives no file name.
    """
    if not re.search(r"[a-z0-9]", message.lower()):
        raise MigrationError(f"the message must say what the migration does, got {message!r}")
    written: list[Path] = []

    def unless_same(_: object, __: object, scripts: list[MigrationScript]) -> None:
        if not _changes(scripts[0]):
            scripts.clear()
        else:
            _refined(scripts[0])

    def write(config: Config) -> None:
        config.attributes["walls"] = False  # the metadata may have tables that the newest revision does not
        command.upgrade(config, "head")
        identity, keep = f"{int(newest(tree)) + 1:04d}", None if empty else unless_same
        script: Any = command.revision(
            config,
            message[:1].upper() + message[1:].rstrip("."),
            autogenerate=not empty,
            rev_id=identity,
            process_revision_directives=keep,
        )
        if script:
            written.append(Path(script.path))

    asyncio.run(_as_owner(dsn, tree, write))
    newest.cache_clear()
    if not written:
        return None
    _format(written[0])
    return written[0]


def differences(dsn: str, tree: str = "member") -> list[object]:
    """What `revision` would write for a migrated database: nothing, unless one is missing."""
    found: list[object] = []

    def collect(_: object, __: object, scripts: list[MigrationScript]) -> None:
        found.extend(_changes(scripts[0]))
        scripts.clear()

    def compare(config: Config) -> None:
        config.attributes["walls"] = False
        command.revision(config, autogenerate=True, process_revision_directives=collect)

    asyncio.run(_as_owner(dsn, tree, compare))
    return found


def run(metadata: sa.MetaData) -> None:
    """Runs the command that Alembic was given; called by the `env.py` of a tree."""
    connection: sa.Connection = context.config.attributes["connection"]
    schemas = {table.schema for table in metadata.tables.values()}
    with connection.begin():
        for schema in sorted(filter(None, schemas)):
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    walled = context.config.attributes.get("walls", True)

    def applied(ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]) -> None:
        if walled and ctx.script is not None and set(heads) == set(ctx.script.get_heads()):
            _put_up_walls(connection, metadata)

    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        include_schemas=True,
        include_name=lambda name, kind, _: kind != "schema" or name in schemas,
        version_table=VERSION_TABLE,
        version_table_schema=VERSION_SCHEMA,
        compare_server_default=True,
        on_version_apply=applied,
    )
    with context.begin_transaction():
        context.run_migrations()
    if (reading := connection.get_transaction()) is not None:
        reading.rollback()
    if walled:
        with connection.begin():
            _put_up_walls(connection, metadata)


async def _as_owner(dsn: str, tree: str, work: Callable[[Config], None]) -> None:
    """Does the work on one connection of the owner, one process at a time."""
    creator = partial(asyncpg.connect, dsn, user=OWNER)
    engine, spans = (
        create_async_engine("postgresql+asyncpg://", poolclass=NullPool, async_creator=creator),
        SQLAlchemyInstrumentor(),
    )
    # It declares SQLAlchemy below 2.1, and works with 2.1: tests/migrations/test_spans.py.
    spans.instrument(engine=engine.sync_engine, skip_dep_check=True)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_in_turn, _config(tree), work)
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != asyncpg.LockNotAvailableError.sqlstate:
            raise
        raise MigrationError(
            f"waited longer than {LOCK_TIMEOUT} for a table that others use (or {TURN} for another migration): run it again"
        ) from error
    finally:
        spans.uninstrument()
        await engine.dispose()


def _in_turn(connection: sa.Connection, config: Config, work: Callable[[Config], None]) -> None:
    with connection.begin():
        connection.exec_driver_sql("SET statement_timeout=0")
        connection.exec_driver_sql(f"SET lock_timeout='{TURN}'")
        connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('revops migrations'))")
        connection.exec_driver_sql(f"SET lock_timeout='{LOCK_TIMEOUT}'")
    config.attributes["connection"] = connection
    work(config)


def _put_up_walls(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Storage parameters, grants and policies of every table, in the transaction under way; what stands is left alone.

    Between two revisions a new table has no walls yet, and no grants either: only the owner sees it.
    """
    if missing := _missing(connection, metadata):
        raise MigrationError(f"no migration makes {', '.join(missing)}: write one with make migration NAME=…")
    standing = {row[0]: row[1] for row in connection.exec_driver_sql(walls.STANDING)}
    statements = [*_storage(metadata), *walls.build(metadata, standing)]
    statements.append(f"GRANT SELECT ON {VERSION_SCHEMA}.{VERSION_TABLE} TO {APP}")
    text = ";\n".join(statements)
    connection.exec_driver_sql(f"DO $walls$ BEGIN\n{text};\nEND $walls$")


def _storage(metadata: sa.MetaData) -> list[str]:
    tables = [table for table in metadata.sorted_tables if "sql" in table.info]
    return [f"ALTER TABLE {table.fullname} SET {table.info['sql'].removeprefix('WITH ')}" for table in tables]


def _missing(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    rows = connection.exec_driver_sql("SELECT schemaname || '.' || tablename FROM pg_tables")
    return sorted(set(metadata.tables) - {row[0] for row in rows})


@cache
def _script_location(tree: str) -> str:
    location = HERE / tree
    if not (location / "env.py").exists():
        raise MigrationError(f"there is no migration tree {tree!r}")
    return str(location)


def _config(tree: str) -> Config:
    config = Config(cmd_opts=Namespace(quiet=True))
    # Alembic reads options through configparser, where % interpolates.
    config.set_main_option("script_location", _script_location(tree).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _changes(script: MigrationScript) -> list[Any]:
    return [change for upgrade in script.upgrade_ops_list for change in upgrade.as_diffs()]


def _refined(script: MigrationScript) -> None:
    """What autogenerate does not know: the `info` of a table is read from the metadata of the day, never from a migration;
    a new column of a table with rows needs a value in them, until `revops reproject` fills it.
    """
    for upgrade in script.upgrade_ops_list:
        for operation in upgrade.ops:
            if isinstance(operation, CreateTableOp):
                operation.info.clear()
            if isinstance(operation, ModifyTableOps):
                operation.ops = [each for one in operation.ops for each in _filled(one)]


def _filled(operation: MigrateOperation) -> Iterator[MigrateOperation]:
    yield operation
    if isinstance(operation, AddColumnOp) and not operation.column.nullable and operation.column.server_default is None:
        column = operation.column
        column.server_default = sa.DefaultClause(sa.text(_ZEROS.get(type(column.type), "''")))
        yield AlterColumnOp(
            operation.table_name, column.name, schema=operation.schema, existing_type=column.type, modify_server_default=None
        )


def _format(path: Path) -> None:
    """In the style of the rest; without ruff, which only developers install, as Alembic wrote it."""
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "# ###" not in line))
    if importlib.util.find_spec("ruff") is None:
        return
    for arguments in (["check", "--fix", "--quiet", "--select", "F401,I"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, str(path)], check=True)
