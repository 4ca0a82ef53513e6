"""What is left of a journey: rows by SQL, the stream, and the callers' journal. Nothing here asks the product."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import nats
from nats.js import api
from revops.catalog.v1 import price_books_pb2 as books
from revops.quoting.v1 import quotes_pb2 as quotes

from tests.journeys.journal import Line, read
from tests.journeys.servers import DATABASE, Market, Stage
from tests.journeys.settling import STREAM

STORED = (
    "SELECT format('%I.%I',table_schema,table_name) FROM information_schema.columns WHERE column_name IN"
    " ('tenant_id','name','revision','body') GROUP BY table_schema,table_name HAVING count(*)=4"
)
AUDIT = "SELECT principal,method,resources,request,time FROM kernel.audit WHERE tenant_id=$1 AND outcome='OK' ORDER BY id"
REPLAYS = "SELECT principal,request_id,response FROM kernel.replay WHERE tenant_id=$1"
SERIES = "SELECT n FROM kernel.series WHERE tenant_id=$1 AND series='quotes'"


@dataclass(frozen=True)
class Audited:
    """An entry of the audit about something that was done."""

    principal: str
    method: str
    """Without its service, as in "SubmitQuote"."""
    resources: tuple[str, ...]
    """Names with revisions, as in "quotes/q@2"."""
    request: bytes
    time: datetime


@dataclass(frozen=True)
class Stored:
    """An event as the stream holds it."""

    position: int
    message_id: str
    event_id: str
    aggregate: str
    sequence: tuple[int, int]
    type: str
    body: bytes


@dataclass
class Evidence:
    """All of it, of one tenant."""

    journal: list[Line]
    audit: list[Audited]
    replays: dict[tuple[UUID, UUID], bytes | None]
    """Answers by principal and request id."""
    stream: list[Stored]
    revisions: dict[str, int]
    """Of every stored resource."""
    quotes: dict[str, quotes.Quote]
    entries: list[books.PriceEntry]
    numbers: int
    """The last number that the series of quotes gave."""
    waiting: dict[str, int] = field(default_factory=dict)
    """Rows left in outbox, timers and dead letters."""


async def gathered(stage: Stage, market: Market, journal: Path) -> Evidence:
    """Reads everything, by the owner's login and from the first message of the stream to the last."""
    connection = await asyncpg.connect(stage.postgres.dsn(DATABASE, "revops_owner"))
    try:
        states = await _states(connection, market.tenant)
        rows = await connection.fetch(AUDIT, market.tenant)
        replays = await connection.fetch(REPLAYS, market.tenant)
        return Evidence(
            journal=read(journal),
            audit=[_audited(row) for row in rows],
            replays={(row["principal"], row["request_id"]): row["response"] for row in replays},
            stream=await _stream(stage, market.tenant),
            revisions={row["name"]: row["revision"] for rows in states.values() for row in rows},
            quotes={row["name"]: quotes.Quote.FromString(row["body"]) for row in states["quoting.quotes"]},
            entries=[books.PriceEntry.FromString(row["body"]) for row in states["catalog.price_entries"]],
            numbers=await connection.fetchval(SERIES, market.tenant) or 0,
            waiting={
                table: await connection.fetchval(f"SELECT count(*) FROM kernel.{table} WHERE tenant_id=$1", market.tenant)
                for table in ("outbox", "timer", "dead_letter")
            },
        )
    finally:
        await connection.close()


def _audited(row: Any) -> Audited:
    method = row["method"].rpartition(".")[2]
    return Audited(row["principal"], method, tuple(row["resources"]), row["request"], row["time"])


async def _states(connection: Any, tenant: UUID) -> dict[str, Sequence[Any]]:
    tables = [row[0] for row in await connection.fetch(STORED)]
    return {t: await connection.fetch(f"SELECT name,revision,body FROM {t} WHERE tenant_id=$1", tenant) for t in tables}


async def _stream(stage: Stage, tenant: UUID) -> list[Stored]:
    client = await nats.connect(stage.nats.url)
    found: list[Stored] = []
    try:
        config = api.ConsumerConfig(ack_policy=api.AckPolicy.NONE, inactive_threshold=30)
        subscription = await client.jetstream().pull_subscribe(f"revops.{tenant.hex}.>", stream=STREAM, config=config)
        pending = (await subscription.consumer_info()).num_pending or 0
        while len(found) < pending:
            found += [_event(message) for message in await subscription.fetch(500, timeout=10)]
    finally:
        await client.close()
    return found


def _event(message: Any) -> Stored:
    headers, position = message.headers, message.metadata.sequence.stream
    revision, n = headers["ce-sequence"].split(".")
    return Stored(
        position, headers["Nats-Msg-Id"], headers["ce-id"], headers["ce-subject"], (int(revision), int(n)), headers["ce-type"],
        message.data,
    )  # fmt: skip
