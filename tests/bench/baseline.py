"""The frozen baselines: what a careful engineer would write by hand for one path, without contract, policy or pricing.

Frozen means: never edited to flatter or to shame; a change of the schema changes the column lists and nothing else. Same
pool size, durability, process count and headers as the member. The bodies are protobuf messages prepared beforehand.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from google.protobuf.message import Message
from nats.js import JetStreamContext

BEGIN = "BEGIN;SET LOCAL app.tenant_id='{tenant}'"
CLAIM = (
    ";INSERT INTO kernel.replay(tenant_id,principal,request_id,digest,expire_time)"
    " VALUES('{tenant}','{principal}','{request_id}','{digest}',now()+interval '7 days') ON CONFLICT DO NOTHING"
)
GET = "SELECT body FROM quoting.quotes WHERE tenant_id=$1 AND name=$2 AND delete_time IS NULL"
LIST = "SELECT body FROM quoting.quotes WHERE tenant_id=$1 AND delete_time IS NULL AND name>$2 ORDER BY name LIMIT 51"
CREATE = (
    "WITH q AS (INSERT INTO quoting.quotes(tenant_id,name,revision,body,create_time,update_time,account,partner,display_name,"
    "currency_code,valid_until,state,number,totals__net_amount__amount,totals__net_amount__currency,price_entries)"
    " VALUES($1,$2,1,$3,now(),now(),$4,'','','EUR',NULL,1,'',$5,'EUR',$6)),"
    "o AS (INSERT INTO kernel.outbox(tenant_id,bucket,aggregate,revision,n,id,type,payload,trace,time)"
    " VALUES($1,$7,$2,1,0,$8,'revops.quoting.v1.QuoteCreated',$9,'',now())),"
    "a AS (INSERT INTO kernel.audit(tenant_id,id,time,principal,method,resources,outcome,digest,request,trace)"
    " VALUES($1,$8,now(),'users/anna','revops.quoting.v1.QuoteService.CreateQuote',ARRAY[$2],'OK',$10,$11,''))"
    " UPDATE kernel.replay SET response=$3 WHERE tenant_id=$1 AND principal=$12 AND request_id=$13"
)


async def open_pool(dsn: str, size: int) -> Any:
    """asyncpg's own pool, without the round trip of its reset."""

    async def nothing(connection: Any) -> None:
        return None

    return await asyncpg.create_pool(dsn, user="revops_app", min_size=size, max_size=size, reset=nothing)


async def get(pool: Any, tenant: UUID, name: str, kind: type[Message]) -> Message:
    """BEGIN + SET LOCAL, select, COMMIT, parse."""
    async with pool.acquire() as connection:
        await connection.execute(BEGIN.format(tenant=tenant))
        row = await connection.fetchrow(GET, tenant, name)
        await connection.execute("COMMIT")
    return kind.FromString(row["body"])


async def page(pool: Any, tenant: UUID, after: str, kind: type[Message]) -> list[Message]:
    """Fifty rows and one more, parsed."""
    async with pool.acquire() as connection:
        await connection.execute(BEGIN.format(tenant=tenant))
        rows = await connection.fetch(LIST, tenant, after)
        await connection.execute("COMMIT")
    return [kind.FromString(row["body"]) for row in rows[:50]]


async def create(pool: Any, tenant: UUID, ids: dict[str, Any], row: tuple[Any, ...]) -> None:
    """BEGIN + SET LOCAL + replay claim, one statement with every row, COMMIT."""
    async with pool.acquire() as connection:
        await connection.execute(BEGIN.format(tenant=tenant) + CLAIM.format(tenant=tenant, **ids))
        await connection.execute(CREATE, tenant, *row)
        await connection.execute("COMMIT")


async def publish(stream: JetStreamContext, messages: Sequence[tuple[str, bytes, dict[str, str]]]) -> None:
    """Pipelined by nats-py: subject, payload and headers, prepared beforehand; returns when all are acknowledged."""
    await asyncio.gather(*[await stream.publish_async(subject, body, headers=headers) for subject, body, headers in messages])
