"""What a call costs when everything is ten times as much: tenants, rows, and lines of a quote."""

from collections.abc import Mapping
from itertools import cycle
from typing import Any
from uuid import UUID

import asyncpg
from revops.quoting.v1 import quotes_pb2 as pb

from tests.bench.measure import Line, Variant, grows_at_most, interleave
from tests.bench.quotes import LINES, serialized
from tests.bench.server import SERVICE
from tests.bench.traffic import TABLES
from tests.bench.world import IN_FLIGHT, Bench, Server, database, offers, owner, stock
from tests.world import World

TENANTS, QUOTES, TIMES = 20, 50, 10
"""Tenants, quotes of each, and how many times as many there are where they grow."""
MOST = 1.1
CREATES, GETS = 80, 320
"""Calls a round; of quotes with more lines fewer."""
SMALL, MORE_TENANTS, MORE_ROWS = "growth", "growth_tenants", "growth_rows"

Tenants = list[UUID]


async def growth(bench: Bench, rounds: int) -> list[Line]:
    """A small database beside one with ten times the tenants and one in which each tenant has ten times the rows."""
    async with World.open(await database(bench, SMALL)) as world:
        many = [await world.tenant() for _ in range(TENANTS * TIMES)]
        plans = await stock(await world.caller(tenant=many[0]), LINES)
        names = await _quoted(world, many[0], plans)
        wide = await world.tenant()
        wide_plans = await stock(await world.caller(tenant=wide), LINES * TIMES)
    few = many[:TENANTS]
    for copy in (MORE_TENANTS, MORE_ROWS):
        await _copied(bench, copy)
    await _spread(bench, SMALL, few)
    await _spread(bench, MORE_TENANTS, many)
    await _multiplied(bench, MORE_ROWS, few[0])
    await _spread(bench, MORE_ROWS, few)
    small, tenants, rows = [await bench.serve("member", name) for name in (SMALL, MORE_TENANTS, MORE_ROWS)]

    def pair(server: Server, of: Tenants) -> tuple[Variant, Variant]:
        callers = [bench.headers(tenant) for tenant in of]
        gets = cycle(serialized(pb.GetQuoteRequest(name=name) for name in names))
        creates = server.variant("creates", f"{SERVICE}/CreateQuote", serialized(offers(plans, LINES)), *callers)
        return creates, server.variant("gets", f"{SERVICE}/GetQuote", gets, *callers)

    (create, get), (create_t, get_t), (create_r, get_r) = pair(small, few), pair(tenants, many), pair(rows, few)
    await interleave([(create, CREATES), (create_t, CREATES), (create_r, CREATES)], rounds)
    await interleave([(get, GETS), (get_t, GETS), (get_r, GETS)], rounds)
    return [
        grows_at_most("CreateQuote, 10 × tenants", create, create_t, 1, MOST),
        grows_at_most("GetQuote, 10 × tenants", get, get_t, 1, MOST),
        grows_at_most("CreateQuote, 10 × rows", create, create_r, 1, MOST),
        grows_at_most("GetQuote, 10 × rows", get, get_r, 1, MOST),
        *await _lines(bench, small, wide, wide_plans, rounds),
    ]


async def _lines(bench: Bench, server: Server, tenant: UUID, plans: list[str], rounds: int) -> list[Line]:
    """The cost of a line when there are 10, 100 of as many plans, and 1,000 of those."""

    def variant(lines: int) -> Variant:
        return server.variant(f"{lines} lines", f"{SERVICE}/CreateQuote", serialized(offers(plans, lines)), bench.headers(tenant))

    ten, hundred, thousand = variant(LINES), variant(LINES * TIMES), variant(LINES * TIMES * TIMES)
    await interleave([(ten, CREATES), (hundred, IN_FLIGHT), (thousand, IN_FLIGHT)], rounds // 3)
    return [
        grows_at_most("CreateQuote, a line of 100 against one of 10", ten, hundred, TIMES, MOST),
        grows_at_most("CreateQuote, a line of 1,000 against one of 100", hundred, thousand, TIMES, MOST),
    ]


async def _quoted(world: World, tenant: UUID, plans: list[str]) -> list[str]:
    """The names of `QUOTES` new quotes."""
    anna, requests = await world.caller(tenant=tenant), offers(plans, LINES)
    return [(await anna(next(requests))).name for _ in range(QUOTES)]


async def _copied(bench: Bench, name: str) -> None:
    """A database like the small one."""
    administrator = await asyncpg.connect(bench.postgres.dsn())
    try:
        await administrator.execute(f"CREATE DATABASE {name} TEMPLATE {SMALL} OWNER revops_owner")
    finally:
        await administrator.close()
    await database(bench, name)


async def _spread(bench: Bench, name: str, tenants: Tenants) -> None:
    """Gives the other tenants all rows of the first."""
    connection = await owner(bench, name)
    for (table,) in await connection.fetch(TABLES):
        await _copy(connection, table, {"tenant_id": "x.id"}, "unnest($2::uuid[]) x(id)", tenants[0], tenants[1:])
    await connection.execute("VACUUM ANALYZE")


async def _multiplied(bench: Bench, name: str, tenant: UUID) -> None:
    """Makes a tenant's quotes, audit entries and replays ten times as many; every quote's stored state has its own name."""
    own = "overlay(t.name placing lpad(g::text,5,'0') from length(t.name)-4)"
    # The name is the first field: one byte of tag and one of length go before it.
    body = f"overlay(t.body placing convert_to({own},'UTF8') from 3)"
    changes = {
        "quoting.quotes": {"name": own, "body": body},
        "kernel.audit": {"id": "gen_random_uuid()"},
        "kernel.replay": {"request_id": "gen_random_uuid()"},
    }
    connection = await owner(bench, name)
    for table, changed in changes.items():
        await _copy(connection, table, changed, "generate_series(1,$2::int) g", tenant, TIMES - 1)


async def _copy(connection: Any, table: str, changed: Mapping[str, str], source: str, tenant: UUID, argument: object) -> None:
    """Copies a tenant's rows of a table once for each row of the source, with changed columns."""
    columns = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid=$1::text::regclass AND attnum>0 AND NOT attisdropped", table
    )
    names = [row["attname"] for row in columns]
    values = ",".join(changed.get(name, f't."{name}"') for name in names)
    quoted = ",".join(f'"{name}"' for name in names)
    sql = f"INSERT INTO {table}({quoted}) SELECT {values} FROM {table} t CROSS JOIN {source} WHERE t.tenant_id=$1"
    await connection.execute(sql, tenant, argument)
