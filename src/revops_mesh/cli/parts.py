"""What a member is made of: the kernel's composition, the question of its migrations, and the workers of each role."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

from revops_mesh import member
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging.housekeeping import Housekeeping
from revops_mesh.messaging.reactions import Reactions
from revops_mesh.messaging.relay import Relay
from revops_mesh.messaging.stream import Stream
from revops_mesh.messaging.timers import Timers
from revops_mesh.messaging.worker import Counts
from revops_mesh.migrations import current
from revops_mesh.migrations.walls import RELAY
from revops_mesh.runtime.serve import Parts
from revops_mesh.runtime.settings import Settings

RELAY_CONNECTIONS = 8
"""Two relays, two runners of timers, housekeeping, and dead letters of reactions."""


def parts() -> Parts:
    """Of this process."""
    shared = _Shared()
    return Parts(
        member.compose,
        current,
        {"relay": shared.relay, "reactions": shared.reactions, "timers": shared.timers},
    )


class _Job(Protocol):
    async def run(self) -> None: ...


@dataclass
class _Work:
    """Jobs of one role, and what they count."""

    jobs: Sequence[_Job]
    counts: Counts

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for job in self.jobs:
                group.create_task(job.run())

    @property
    def counters(self) -> Mapping[str, float]:
        return {name: count for name, count in asdict(self.counts).items() if count}


@dataclass
class _Shared:
    """One pool and one connection to NATS for all roles of the process."""

    pools: dict[str, Pool] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)

    def relay(self, _: Kernel, settings: Settings) -> _Work:
        counts, pool = Counts(), self._pool(settings)
        return _Work([Relay(pool, self._stream(settings), counts), Housekeeping(pool, counts)], counts)

    def reactions(self, kernel: Kernel, settings: Settings) -> _Work:
        counts = Counts()
        return _Work([Reactions(kernel, self._pool(settings), self._stream(settings), counts)], counts)

    def timers(self, kernel: Kernel, settings: Settings) -> _Work:
        counts = Counts()
        return _Work([Timers(kernel, self._pool(settings), counts)], counts)

    def _pool(self, settings: Settings) -> Pool:
        return self.pools.setdefault(settings.database_url, Pool(settings.database_url, RELAY, RELAY_CONNECTIONS))

    def _stream(self, settings: Settings) -> Stream:
        return self.streams.setdefault(settings.nats_url, Stream(settings.nats_url))
