"""The relay: moves events from the outbox to the stream, in order per aggregate, each at least once.

Any number of relays may run. A relay holds some of 64 buckets by row locks, so a crash frees them at once; it publishes
their rows as one pipeline and deletes those that were acknowledged, of each aggregate only up to its first failure. What is
published twice, the stream knows by its `Nats-Msg-Id` and drops for two minutes; after that the replay table does.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from nats.errors import BadSubjectError, MaxPayloadError
from nats.errors import Error as NatsError
from nats.js.errors import NoStreamResponseError

from revops_mesh.kernel.call import Event
from revops_mesh.kernel.pools import Pool

from . import dead_letters
from .envelope import facts, headers, subject
from .publisher import Publisher, Refused
from .stream import Stream
from .worker import Counts, repeat, transaction

MOST_ROWS = 500
MOST_BUCKETS = 8
"""Held at once: few enough for eight relays side by side, many enough that a trickle of events goes out together."""
MOST_BYTES = 8 * 1024 * 1024
HOLD_SECONDS = 5.0
BUSY_POLL, POLL_SECONDS = 0.01, 0.25
"""Seconds between looks at an empty outbox: few right after it was not, doubled with each look."""
PERMANENT = frozenset({10054, 10097})
"""JetStream's errors for a message or its headers that are too large: no repetition helps."""

CLAIM = (
    "WITH b AS (SELECT k.bucket FROM kernel.outbox_bucket k"
    " WHERE EXISTS (SELECT 1 FROM kernel.outbox o WHERE o.bucket=k.bucket)"
    f" ORDER BY k.last_run LIMIT {MOST_BUCKETS} FOR UPDATE SKIP LOCKED)"
    " UPDATE kernel.outbox_bucket k SET last_run=clock_timestamp() FROM b WHERE k.bucket=b.bucket RETURNING k.bucket"
)
# `before` are the bytes of the rows before one, so that one row is always read.
ROWS = (
    "SELECT * FROM (SELECT r.*,sum(length(payload)) OVER w-length(payload) AS before"
    " FROM unnest($1::smallint[]) AS b(held) CROSS JOIN LATERAL (SELECT * FROM kernel.outbox WHERE bucket=b.held"
    " ORDER BY bucket,tenant_id,aggregate,revision,n LIMIT $2) r"
    " WINDOW w AS (ORDER BY bucket,tenant_id,aggregate,revision,n)) x"
    " WHERE before<$3 ORDER BY bucket,tenant_id,aggregate,revision,n"
)
DELETE = (
    "DELETE FROM kernel.outbox o USING unnest($1::smallint[],$2::uuid[],$3::text[],$4::int[],$5::smallint[]) AS x(b,t,a,r,n)"
    " WHERE o.bucket=x.b AND o.tenant_id=x.t AND o.aggregate=x.a AND o.revision=x.r AND o.n=x.n"
)

_log = logging.getLogger("revops.messaging")


class Unpublished(NatsError):
    """Some events were not acknowledged; they are tried again."""


class Relay:
    """Workers that publish; each needs a connection of the pool, which is of the `relay` login."""

    def __init__(self, pool: Pool, stream: Stream, counts: Counts, *, workers: int = 2, delete_before_ack: bool = False) -> None:
        """`delete_before_ack` loses events on purpose: for the tests that must notice it, never for use."""
        self._pool, self._stream, self._counts, self._workers = pool, stream, counts, workers
        self._delete_before_ack = delete_before_ack
        self._awake = asyncio.Event()
        self._poll = BUSY_POLL

    def wake(self) -> None:
        """Has the workers look now: this process has committed events."""
        self._awake.set()

    async def run(self) -> None:
        """Publishes until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(repeat(self.hold, self._pause, "relay"))

    async def _pause(self) -> None:
        poll, self._poll = self._poll, min(2 * self._poll, POLL_SECONDS)
        try:
            async with asyncio.timeout(poll):
                await self._awake.wait()
        except TimeoutError:
            return
        self._awake.clear()

    async def hold(self) -> bool:
        """Publishes once from the buckets that waited longest; False if no event waits in a bucket that is free.

        Raises `Unpublished` when some were not acknowledged within 5 s; those that were are gone from the outbox.
        """
        publisher = await self._stream.publisher()
        async with transaction(self._pool) as connection:
            buckets = [row["bucket"] for row in await connection.fetch(CLAIM)]
            if not buckets:
                return False
            rows = await connection.fetch(ROWS, buckets, MOST_ROWS // len(buckets), MOST_BYTES)
            if not rows:  # another relay emptied them between our look and our lock
                return True
            if self._delete_before_ack:
                await _delete(connection, rows)
            else:
                failures = await self._settle(connection, rows, await _publish(publisher, rows))
        if self._delete_before_ack:
            failures = [error for error in await _publish(publisher, rows) if error is not None]
        self._poll = BUSY_POLL
        if failures:
            self._counts.failed += len(failures)
            raise Unpublished(f"{len(failures)} of {len(rows)} events, the first because of {failures[0]!r}")
        return True

    async def _settle(self, connection: Any, rows: Sequence[Any], errors: Sequence[Exception | None]) -> list[Exception]:
        """Deletes what was published or refused for good, of each aggregate up to its first failure; gives the failures."""
        done, failures, stopped = [], [], set()
        for row, error in zip(rows, errors, strict=True):
            aggregate = (row["tenant_id"], row["aggregate"])
            if aggregate in stopped:
                continue
            if error is None:
                self._counts.published += 1
            elif _permanent(error):
                await self._bury(connection, row, error)
            else:
                stopped.add(aggregate)
                failures.append(error)
                continue
            done.append(row)
        if any(isinstance(error, NoStreamResponseError) for error in failures):
            self._stream.missed()
        await _delete(connection, done)
        return failures

    async def _bury(self, connection: Any, row: Any, error: Exception) -> None:
        event = Event(row["id"], row["aggregate"], (row["revision"], row["n"]), row["time"])
        _log.error("the stream refuses event %s of %s for good: %s", event.id.hex, row["type"], error)
        what = (row["type"], row["payload"], facts(event, row["trace"]))
        problem = f"not published: {error}"
        await dead_letters.put(connection, row["tenant_id"], event.id, "", *what, problem=problem, attempts=1)
        self._counts.dead += 1


async def _publish(publisher: Publisher, rows: Sequence[Any]) -> list[Exception | None]:
    messages = [(subject(row["tenant_id"].hex, row["type"]), row["payload"], headers(row)) for row in rows]
    return await publisher.publish(messages, HOLD_SECONDS)


async def _delete(connection: Any, rows: Sequence[Any]) -> None:
    keys = [(row["bucket"], row["tenant_id"], row["aggregate"], row["revision"], row["n"]) for row in rows]
    if keys:
        await connection.execute(DELETE, *map(list, zip(*keys, strict=True)))


def _permanent(error: Exception) -> bool:
    """Whether the message itself is at fault. That there is no stream is not: it is made, and the outbox waits."""
    if isinstance(error, Refused):
        return error.code in PERMANENT
    return isinstance(error, MaxPayloadError | BadSubjectError | ValueError)
