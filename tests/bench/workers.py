"""What a second worker brings: as many more calls as two processes on cores of their own can answer, in place of one.

Callers and PostgreSQL need the cores of this machine as well, so that the calls of a second tell little. What counts is the CPU
of the workers for each call, and how evenly connections fall to them: the busier one sets the pace.
"""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import grpc

from tests.bench.measure import Line, cpu_seconds
from tests.bench.memory import whole_member
from tests.bench.quotes import GETS, reads, stored
from tests.bench.server import SERVICE
from tests.bench.world import Bench, Headers, Server

CONNECTIONS = 64
"""Each falls to a worker by chance; callers in a mesh have hundreds."""
LEAST = 1.6


@dataclass
class Measured:
    """A member with so many workers, and what each round has shown."""

    channels: list[grpc.aio.Channel]
    workers: list[int]
    micros: list[float] = field(default_factory=list)
    """CPU of all workers, µs per call."""
    busiest: list[float] = field(default_factory=list)
    """Share of that CPU that the busier worker had."""
    a_second: list[float] = field(default_factory=list)
    """Calls."""

    async def round(self, requests: list[bytes], caller: Headers) -> None:
        """Sends requests, one at a time over each connection."""
        waiting = iter(requests)

        async def work(channel: grpc.aio.Channel) -> None:
            call: Any = channel.unary_unary(f"{SERVICE}/GetQuote")
            for request in waiting:
                await call(request, metadata=caller, timeout=30)

        begun, started = [cpu_seconds(pid) for pid in self.workers], perf_counter()
        await asyncio.gather(*map(work, self.channels))
        seconds = perf_counter() - started
        used = [cpu_seconds(pid) - before for pid, before in zip(self.workers, begun, strict=True)]
        self.micros.append(sum(used) / len(requests) * 1e6)
        self.busiest.append(max(used) / sum(used))
        self.a_second.append(len(requests) / seconds)


async def workers(bench: Bench, rounds: int) -> list[Line]:
    """One worker, then two, in turns."""
    tenant = await bench.world.tenant()
    await stored(bench, tenant)
    caller = bench.headers(tenant)
    members = [await whole_member(bench, REVOPS_WORKERS=str(count)) for count in (1, 2)]
    gets, _, _ = await reads(members[0], caller)
    one, two = [await _measured(bench, member) for member in members]
    for turn in range(rounds + 1):
        for each in (one, two) if turn % 2 else (two, one):
            await each.round([next(gets) for _ in range(GETS)], caller)
    times = median(a / (b * share) for a, b, share in zip(one.micros[1:], two.micros[1:], two.busiest[1:], strict=True))
    cost = f"{median(one.micros):.0f} µs, then {median(two.micros):.0f} µs with {median(two.busiest):.0%} on the busier"
    here = f"{median(two.a_second) / median(one.a_second):.2f}×  (the callers and PostgreSQL share the two cores)"
    return [
        Line("calls that two workers can answer against one", f"{times:.2f}×  ({cost})", f"≥ {LEAST:.2f}×", times >= LEAST),
        Line("calls a second on this machine, two against one", here),
    ]


async def _measured(bench: Bench, member: Server) -> Measured:
    children = Path(f"/proc/{member.pid}/task/{member.pid}/children").read_text().split()
    pids = [int(child) for child in children] or [member.pid]
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), range(os.cpu_count() or 1))
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(member.address, options) for _ in range(CONNECTIONS)]
    for channel in channels:
        bench.stack.push_async_callback(channel.close)
        await channel.channel_ready()
    return Measured(channels, pids)
