"""Where a database stands in its tree of migrations, asked without the libraries that migrate: every member asks.

A tree is a folder beside this file, named after its database; its revisions are files whose names begin with their numbers.
"""

from functools import cache
from pathlib import Path

import asyncpg

from revops_mesh.kernel.pools import APP

VERSION_SCHEMA, VERSION_TABLE = "kernel", "alembic_version"
HERE = Path(__file__).parent


async def current(dsn: str, tree: str = "member") -> bool:
    """Whether a database is at the newest revision this code knows, or beyond it, as during a rolling upgrade.

    Raises `OSError` or `asyncpg.PostgresError` when the server does not answer.
    """
    connection = await asyncpg.connect(dsn, user=APP, timeout=5)
    try:
        found = await connection.fetchval(f"SELECT version_num FROM {VERSION_SCHEMA}.{VERSION_TABLE}")
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError, asyncpg.InsufficientPrivilegeError):
        return False
    finally:
        await connection.close()
    return found is not None and int(found) >= int(newest(tree))


@cache
def newest(tree: str = "member") -> str:
    """The newest revision of a tree, as in "0007"; "0000" when it has none."""
    return max((path.name[:4] for path in (HERE / tree / "versions").glob("[0-9]*_*.py")), default="0000")
