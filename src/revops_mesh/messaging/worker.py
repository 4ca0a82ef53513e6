"""What all workers share: a step that is repeated until cancelled, and counts of what was done."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import asyncpg
from nats.errors import Error as NatsError

from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.pools import Pool

SHORTEST, LONGEST = 0.1, 5.0
"""Seconds a worker waits after an error; doubled with each that follows soon."""

_log = logging.getLogger("revops.messaging")


@dataclass(slots=True)
class Counts:
    """What the workers of a process did since it started, for its exporter."""

    published: int = 0
    """Events that the stream acknowledged."""
    failed: int = 0
    """Publications that it did not; they are tried again."""
    reacted: int = 0
    """Reactions that ended well, replays included."""
    fired: int = 0
    """Timers that ended well, replays included."""
    retried: int = 0
    """Reactions and timers that failed and come again."""
    dead: int = 0
    """Dead letters, and messages under our subjects that are no events of ours."""
    expired: int = 0
    """Replay rows and rows of logs deleted after their time."""
    lag_seconds: float = 0.0
    """Age of the oldest event that waits for its publication."""


def expected(error: BaseException) -> bool:
    """Whether an error is a refusal or a server out of reach, rather than a fault of ours."""
    return isinstance(error, Failure | NatsError | asyncpg.PostgresError | asyncpg.InterfaceError | OSError)


def cancelled() -> bool:
    """Whether this task was told to end, although nats-py, or `asyncio.wait_for` before Python 3.12, swallowed that."""
    task = asyncio.current_task()
    return task is not None and bool(task.cancelling())


async def repeat(step: Callable[[], Awaitable[bool]], pause: Callable[[], Awaitable[object]], name: str) -> None:
    """Runs a step until cancelled, and the pause whenever the step found nothing to do.

    No error ends it: each is logged, a fault of ours with its traceback, and the next step waits a while.
    """
    delay = SHORTEST
    while not cancelled():
        started = monotonic()
        try:
            if not await step() and not cancelled():
                await pause()
            delay = SHORTEST
        except Exception as error:
            delay = SHORTEST if monotonic() - started > LONGEST else delay
            level = logging.WARNING if expected(error) else logging.ERROR
            _log.log(level, "%s failed, again in %.1f s: %r", name, delay, error, exc_info=not expected(error))
            await asyncio.sleep(delay * random.uniform(0.75, 1.25))
            delay = min(2 * delay, LONGEST)
    raise asyncio.CancelledError


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Any]:
    """A connection inside a transaction, for a block.

    Not asyncpg's own: cancelled in the middle of a BEGIN, that gives the connection back inside the transaction, and whoever
    gets it next works in a savepoint that is never committed.
    """
    connection = await pool.take()
    try:
        await connection.execute("BEGIN")
        yield connection
        await connection.execute("COMMIT")
    except BaseException:
        await asyncio.shield(_abandon(pool, connection))
        raise
    pool.give(connection)


async def _abandon(pool: Pool, connection: Any) -> None:
    try:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection.terminate()
    finally:
        pool.give(connection)
