"""An error in one line, for the person who called the command: what is wrong, and what to do where that is known."""

import errno
import socket
from pathlib import Path

import asyncpg
from sqlalchemy.exc import DBAPIError

from revops_mesh.local.calls import Refusal
from revops_mesh.local.errors import LocalError
from revops_mesh.migrations.tree import MigrationError


class CommandError(RuntimeError):
    """A command cannot do what it was asked; the message says why."""


def require_directory(path: Path) -> None:
    """Raises `CommandError` when a file cannot be there, before anything is done for it."""
    if not path.absolute().parent.is_dir():
        raise CommandError(f"there is no directory {path.absolute().parent} for {path.name}: make it first")


def told(error: Exception) -> str:
    """The line; a fault of ours is named by its type, and --debug shows more."""
    match error:
        case CommandError() | LocalError() | MigrationError():
            return str(error)
        case Refusal():
            return _refusal(error)
        case DBAPIError(orig=orig) if orig is not None:
            return f"PostgreSQL refused: {orig}".splitlines()[0]
        case asyncpg.InvalidCatalogNameError() | asyncpg.InvalidAuthorizationSpecificationError():
            return f"PostgreSQL refused: {error}; create the database and its logins with revops migrate --bootstrap"
        case asyncpg.PostgresError():
            return f"PostgreSQL refused: {error}".splitlines()[0]
        case ValueError():
            return str(error)
        case ConnectionError() | TimeoutError() | socket.gaierror():
            return f"cannot connect: {error.strerror or error or 'no answer in time'}"
        case OSError(errno=errno.ENOSPC):
            return "the disk is full: free some space"
        case OSError():
            return f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
        case _:
            return f"{type(error).__name__}: {error}; call it with --debug for the traceback"


def _refusal(refusal: Refusal) -> str:
    if refusal.reason:
        return f"{refusal.reason}: {refusal}"
    if refusal.code == "UNAVAILABLE":
        return f"{refusal}: start one with revops up, or name another with --address"
    return f"{refusal.code}: {refusal}"
