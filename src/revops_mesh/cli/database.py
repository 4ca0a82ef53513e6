"""`revops migrate` and `revops migration`: the schema of the member's database."""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from revops_mesh.local.installation import given
from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations import logins, tree
from revops_mesh.migrations.standing import current, newest
from revops_mesh.runtime.spans import traced

from .options import DATA, Data, Json, database_url
from .output import say
from .problems import CommandError

Bootstrap = Annotated[
    bool, typer.Option("--bootstrap", help="First create logins and database, as the administrator of REVOPS_ADMIN_URL.")
]
Sql = Annotated[bool, typer.Option("--sql", help="Only print what --bootstrap would run, for an administrator.")]
Check = Annotated[bool, typer.Option("--check", help="Only tell, by exit code 1, that a migration is missing.")]
Message = Annotated[str, typer.Argument(help="What the migration does, as in 'quotes get a partner'.", show_default=False)]
Empty = Annotated[bool, typer.Option("--empty", help="Without steps, for a change of rows.")]


def migrate(bootstrap: Bootstrap = False, sql: Sql = False, check: Check = False, json: Json = False, data: Data = DATA) -> None:
    """Bring the database of REVOPS_DATABASE_URL, or of a running revops up, to the newest revision.

    Logs in as revops_owner with the password of the URL. Any number of these may run at once; one of them works.
    """
    if sql:
        print(logins.script(_database(database_url(data) if given(os.environ, "REVOPS_DATABASE_URL") else "")))
        return
    url = database_url(data)
    if check:
        if not asyncio.run(current(url)):
            raise CommandError(f"the database is not at revision {newest()}: run revops migrate")
        _at(newest(), as_json=json)
        return
    if bootstrap:
        admin = given(os.environ, "REVOPS_ADMIN_URL")
        if not admin:
            raise CommandError("--bootstrap needs REVOPS_ADMIN_URL: a login that may create roles and databases")
        logins.bootstrap(admin, _database(url), urlsplit(url).password or "")
    with traced("revops migrate", given(os.environ, "REVOPS_OTLP_ENDPOINT")):
        tree.migrate(url)
    _at(newest(), as_json=json)


def migration(message: Message, empty: Empty = False, json: Json = False) -> None:
    """Write the migration that takes the newest revision to the contracts of this checkout, tried on a scratch database."""
    with tempfile.TemporaryDirectory(prefix="revops-migration-") as scratch:
        with Postgres(Path(scratch) / "data", durable=False) as postgres:
            logins.bootstrap(postgres.dsn(), "scratch")
            path = tree.revision(message, postgres.dsn("scratch"), empty=empty)
    where = os.path.relpath(path) if path is not None else ""
    nothing, read = (
        "nothing to migrate: the newest revision has what the contracts say",
        "read it, and correct what autogenerate cannot know: ",
    )
    say(read + where if where else nothing, {"file": where or None}, as_json=json)


def _at(revision: str, *, as_json: bool) -> None:
    say(f"at revision {revision}", {"revision": revision}, as_json=as_json)


def _database(url: str) -> str:
    return urlsplit(url).path.lstrip("/") or "revops"
