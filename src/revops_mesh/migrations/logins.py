"""What an administrator does once before the first migration: the logins and the database.

Works for a superuser and, on managed PostgreSQL 16 and later, for a login with CREATEROLE and CREATEDB. Passwords are sent
as SCRAM-SHA-256 verifiers (RFC 5803), so that no server log holds them.
"""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator

import asyncpg

from revops_mesh.kernel.pools import OWNER

from . import walls

_ITERATIONS = 4096
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def bootstrap(admin_dsn: str, database: str = "revops", password: str = "") -> None:
    """Creates the logins and the database that are missing, and sets the logins' password if one is given; can be run again.

    Raises `ValueError` for a database name that would need quoting, `OSError` and `asyncpg.PostgresError` from the server.
    Blocks: call it from a thread inside an event loop.
    """
    asyncio.run(_bootstrap(admin_dsn, database, password))


def script(database: str = "revops") -> str:
    """The same as text for psql, for administrators who run such things themselves; without passwords."""
    statements = [*walls.roles(), *_membership(), _creation(database), *_admission(database)]
    return "\n".join(f"{statement};" for statement in statements)


async def _bootstrap(admin_dsn: str, database: str, password: str) -> None:
    creation = _creation(database)
    connection = await asyncpg.connect(admin_dsn)
    try:
        for statement in (*walls.roles(), *_membership()):
            await connection.execute(statement)
        if password:
            for login in walls.LOGINS:
                await connection.execute(f"ALTER ROLE {login} PASSWORD '{_verifier(password)}'")
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname=$1", database):
            await connection.execute(creation)
        for statement in _admission(database):
            await connection.execute(statement)
    finally:
        await connection.close()


def _membership() -> Iterator[str]:
    """Who is not superuser may give a database only to a role that it can become."""
    yield f"GRANT {OWNER} TO CURRENT_USER"


def _creation(database: str) -> str:
    if not _PLAIN_NAME.fullmatch(database):
        raise ValueError(f"the database must be named with a–z, 0–9 and _, at most 63 characters; got {database!r}")
    return f"CREATE DATABASE {database} OWNER {OWNER}"


def _admission(database: str) -> Iterator[str]:
    """Only the four logins may connect."""
    yield f"REVOKE ALL ON DATABASE {database} FROM PUBLIC"
    yield f"GRANT CONNECT ON DATABASE {database} TO {', '.join(walls.LOGINS)}"


def _verifier(password: str) -> str:
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(_ITERATIONS, *encoded)
