"""What a member is made of: the kernel's composition, its work in the background, and the question of its migrations."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from revops_mesh import member
from revops_mesh.gateway.rest.in_process import rest
from revops_mesh.kernel.kinds import Kind
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.pools import RELAY, Pool
from revops_mesh.messaging.errands import Errands
from revops_mesh.messaging.housekeeping import Housekeeping
from revops_mesh.messaging.reactions import Reactions
from revops_mesh.messaging.relay import Relay
from revops_mesh.messaging.stream import Stream
from revops_mesh.messaging.timers import Timers
from revops_mesh.messaging.worker import Counts
from revops_mesh.migrations.standing import current
from revops_mesh.runtime.serve import Background, Job, Parts
from revops_mesh.runtime.settings import Settings

RELAY_CONNECTIONS = 8
"""Two relays, two runners of timers, housekeeping, and the dead letters of reactions."""
OUTSIDE = frozenset({"revops.platform.v1.WebhookService.AttemptWebhookDelivery"})
"""Errands that wait for somebody outside: many at once, leased, in lanes. Others work, a few at once, and lock their timers."""
RUNNERS, AT_ONCE = 2, 4
"""Of each kind of errand that works: runners, each with a connection, and how many it runs at once."""
CONNECTIONS = 4
"""Of each kind of errand that waits: needed only to take errands and to end them."""


@asynccontextmanager
async def background(kernel: Kernel, settings: Settings) -> AsyncIterator[Background]:
    """The work of every role, over one pool and one connection to NATS. PostgreSQL and NATS may come later than the member."""
    counts, stream, errands = Counts(), Stream(settings.nats_url), sorted(kernel.errands)
    pool = Pool(settings.database_url, RELAY, RELAY_CONNECTIONS + sum(CONNECTIONS if e in OUTSIDE else RUNNERS for e in errands))
    kinds = frozenset[Kind]().union(*(module.kinds for module in kernel.modules))
    jobs = {
        "relay": _together(Relay(pool, stream, counts).run, Housekeeping(pool, counts, kinds).run),
        "reactions": Reactions(kernel, pool, stream, counts).run,
        "timers": Timers(kernel, pool, counts).run,
        "operations": _together(*(_errands(kernel, pool, counts, each) for each in errands)),
    }
    try:
        yield Background(jobs, counts)
    finally:
        await stream.close()
        await pool.close()


def _errands(kernel: Kernel, pool: Pool, counts: Counts, errand: str) -> Callable[[], Coroutine[Any, Any, None]]:
    """The runners of one kind of errand."""
    if errand in OUTSIDE:
        return Errands(kernel, pool, counts, errand).run
    return Timers(kernel, pool, counts, errand=errand, runners=RUNNERS, batch=AT_ONCE).run


def _together(*jobs: Callable[[], Coroutine[Any, Any, None]]) -> Job:
    """One job of several; it fails when one of them does, and the others end with it."""

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job())

    return run


PARTS = Parts(member.compose, background, current, rest, member.ALIASES)
