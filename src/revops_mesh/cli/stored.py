"""`revops show` and `revops reproject`: an operator's tools on the database, as its owner."""

import asyncio
import json as jsons
import sys
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.text_format import MessageToString
from rich.progress import Progress

from revops_mesh import member
from revops_mesh.kernel.contract import described
from revops_mesh.kernel.kinds import Kind, kind_of
from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.kernel.pools import OWNER

from . import queries
from .nearness import meant
from .options import DATA, Data, Json, Tenant, database_url
from .output import say
from .problems import CommandError

BATCH = 500
LOOKED_AT = 10_000
"""Names among which a near one is sought."""
Name = Annotated[str, typer.Argument(help="Resource name, as in quotes/helix-archive.", show_default=False)]
What = Annotated[str, typer.Argument(help="Capability and message, as in quoting.Quote.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Those at the present projection, too.")]


def show(name: Name, tenant: Tenant, json: Json = False, data: Data = DATA) -> None:
    """Print the stored state of a resource, as text or JSON, nothing masked, deleted ones included."""
    row, kind = asyncio.run(_stored(database_url(data), name, tenant))
    state = kind.message.FromString(row["body"])
    facts = {"revision": row["revision"], "projection": row["projection"], "update_time": row["update_time"].isoformat()}
    if row["delete_time"] is not None:
        facts["delete_time"] = row["delete_time"].isoformat()
    if json:
        stored = {**facts, "state": MessageToDict(state, preserving_proto_field_name=True)}
        print(jsons.dumps(stored, ensure_ascii=False, indent=2))
        return
    print(f"# {kind.full_name} {name}: " + ", ".join(f"{key} {fact}" for key, fact in facts.items()))
    print(MessageToString(state, as_utf8=True), end="")


def reproject(what: What, every: All = False, json: Json = False, data: Data = DATA) -> None:
    """Fill the columns of stored resources anew from their states, after a field was indexed. Safe while members serve."""
    kind = _kind(what)
    if kind.ledger:
        raise CommandError(f"{what} is a ledger: its rows have no state to fill columns from")
    done, overtaken = asyncio.run(_reprojected(database_url(data), kind, every))
    sentence = f"{done} rows of {kind.sql} reprojected" + (
        f", {overtaken} were changed meanwhile and are right" if overtaken else ""
    )
    say(sentence, {"kind": what, "reprojected": done, "changed_meanwhile": overtaken}, as_json=json)


def kinds() -> list[Kind]:
    """All that the member stores."""
    return [kind_of(aggregate.state_type) for module in member.MODULES for aggregate in module.aggregates]


def _kind(what: str) -> Kind:
    known = {f"{kind.schema}.{described(kind.message).name}": kind for kind in kinds()}
    if what not in known:
        all_of_them = f"; there are {', '.join(sorted(known))}"
        raise CommandError(f"no kind is called {what}{meant(what, known, all_of_them)}")
    return known[what]


async def _stored(url: str, name: str, slug: str) -> tuple[Any, Kind]:
    possible = [kind for kind in kinds() if not kind.ledger and kind.pattern.matches(name)]
    if not possible:
        known = {kind.pattern.text for kind in kinds() if not kind.ledger}
        collections = {text.partition("/")[0] for text in known}
        near = meant(name.partition("/")[0], collections, f"; there are {', '.join(sorted(known))}")
        raise CommandError(f"{name} is no resource name{near}")
    connection = await asyncpg.connect(url, user=OWNER)
    try:
        owner = await _tenant(connection, slug)
        for kind in possible:
            row = await connection.fetchrow(queries.one(kind), owner, name)
            if row is not None:
                return row, kind
        names = [row["name"] for kind in possible for row in await connection.fetch(queries.some(kind), owner, LOOKED_AT)]
    finally:
        await connection.close()
    raise CommandError(f"the tenant {slug} has no {name}{meant(name, names)}")


async def _tenant(connection: Any, slug: str) -> UUID:
    if slug == "platform":
        return PLATFORM_TENANT
    uid = await connection.fetchval(queries.TENANT, PLATFORM_TENANT, f"tenants/{slug}")
    if uid is None:
        slugs = [row["name"].removeprefix("tenants/") for row in await connection.fetch(queries.TENANTS, PLATFORM_TENANT)]
        raise CommandError(f"there is no tenant {slug}{meant(slug, slugs, ': revops tenant list')}")
    return UUID(hex=uid)


async def _reprojected(url: str, kind: Kind, every: bool) -> tuple[int, int]:
    """Rows that were rewritten, and rows that somebody changed between the reading and the writing."""
    connection = await asyncpg.connect(url, user=OWNER)
    done = overtaken = 0
    try:
        tenants = await connection.fetch(queries.tenants(kind))
        with Progress(transient=True, disable=not sys.stdout.isatty()) as progress:
            for row in progress.track(tenants, description=kind.sql):
                name = ""
                while rows := await connection.fetch(queries.batch(kind), row["tenant_id"], name, every, BATCH):
                    states = [kind.message.FromString(each["body"]) for each in rows]
                    values = [[column.value(state) for state in states] for column in kind.columns]
                    names, seen = [each["name"] for each in rows], [each["revision"] for each in rows]
                    written = await connection.execute(queries.project(kind), row["tenant_id"], names, seen, *values)
                    done += (count := int(written.removeprefix("UPDATE ")))
                    overtaken += len(rows) - count
                    name = names[-1]
    finally:
        await connection.close()
    return done, overtaken
