"""How the bench measures: CPU of processes, paired and interleaved, medians and ratios.

Absolute numbers of a shared machine mean little; a ratio of two variants that ran in turns in one process pair means something.
"""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

REFERENCE_ECHO = 100.0
"""µs of CPU that the bare echo costs on the reference core; absolute limits are meant for that core."""

Cost = Callable[["Variant"], Sequence[float]]
"""What of a variant is compared, one number a round."""

SERVER: Cost = attrgetter("micros")
STORE: Cost = attrgetter("store_micros")
WALL: Cost = attrgetter("wall_micros")


def cpu_seconds(pid: int) -> float:
    """CPU seconds a process has used, in nanosecond resolution (the process clock of clock_gettime)."""
    return time.clock_gettime((~pid << 3) | 2)


def backend_seconds(postmaster: int, of: str) -> float:
    """CPU seconds of PostgreSQL's backends for one login and database, as in "revops_app revops", that still live."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    total = 0.0
    for child in map(int, children):
        try:
            if Path(f"/proc/{child}/cmdline").read_text().startswith(f"postgres: {of} "):
                total += cpu_seconds(child)
        except OSError:  # it has just ended
            continue
    return total


async def nothing(calls: int) -> None:
    """The preparation of a variant that needs none."""


@dataclass
class Variant:
    """One thing to measure: a round does `calls` of it; its CPU is that of `pid` and, for `store_micros`, of its backends."""

    name: str
    pid: int
    round: Callable[[int], Awaitable[None]]
    backends: Callable[[], float] = float
    """CPU seconds of the PostgreSQL backends that work for it; 0 if none do."""
    prepare: Callable[[int], Awaitable[None]] = nothing
    """What a round needs, made before the clock starts."""
    micros: list[float] = field(default_factory=list)
    store_micros: list[float] = field(default_factory=list)
    wall_micros: list[float] = field(default_factory=list)

    async def measure(self, calls: int) -> tuple[float, float, float]:
        """CPU of the process, CPU of its backends and time of one round, µs per call."""
        await self.prepare(calls)
        begun = (cpu_seconds(self.pid), self.backends(), time.perf_counter())
        await self.round(calls)
        ended = (cpu_seconds(self.pid), self.backends(), time.perf_counter())
        cpu, store, wall = ((after - before) / calls * 1e6 for before, after in zip(begun, ended, strict=True))
        return cpu, store, wall


def total(variant: Variant) -> Sequence[float]:
    """CPU of the process and of its backends together."""
    return [mine + store for mine, store in zip(variant.micros, variant.store_micros, strict=True)]


def median(variant: Variant, cost: Cost = SERVER) -> float:
    """Median over rounds, µs per call."""
    return statistics.median(cost(variant))


async def interleave(variants: Sequence[tuple[Variant, int]], rounds: int) -> None:
    """Measures variants, each with its calls a round, in turns, there and back, so that drift of the machine hits all alike.

    The first turn warms up and does not count.
    """
    for turn in range(rounds + 1):
        for variant, calls in variants if turn % 2 else reversed(variants):
            cpu, store, wall = await variant.measure(calls)
            if turn:
                variant.micros.append(cpu)
                variant.store_micros.append(store)
                variant.wall_micros.append(wall)


def ratio(baseline: Variant, candidate: Variant, cost: Cost = SERVER) -> float:
    """Median over rounds of baseline ÷ candidate: 1.0 costs as much, 0.5 twice as much."""
    return statistics.median(b / c for b, c in zip(cost(baseline), cost(candidate), strict=True))


@dataclass
class Line:
    """One line of the report; `holds` is None where nothing is promised."""

    path: str
    measured: str
    goal: str = ""
    holds: bool | None = None

    def __str__(self) -> str:
        mark = {True: "ok  ", False: "MISS", None: "    "}[self.holds]
        return f"{mark} {self.path:<52} {self.measured:<50} {self.goal}".rstrip()


def at_least(path: str, baseline: Variant, candidate: Variant, goal: float, cost: Cost = SERVER) -> Line:
    """The line of a ratio that has a least value."""
    value = ratio(baseline, candidate, cost)
    detail = f"{value:.2f}  ({median(baseline, cost):.0f} µs against {median(candidate, cost):.0f} µs)"
    return Line(path, detail, f"≥ {goal:.2f}", value >= goal)


def grows_at_most(path: str, few: Variant, many: Variant, times: float, goal: float) -> Line:
    """The line of a cost, PostgreSQL's share included, that may grow at most `goal` beyond `times` what it was."""
    value = 1 / ratio(few, many, total) / times
    detail = f"{value:.2f}×  ({median(few, total):.0f} µs, then {median(many, total):.0f} µs)"
    return Line(path, detail, f"≤ {goal:.2f}×", value <= goal)


def calibrated(path: str, echo: Variant, candidate: Variant, goal: float) -> Line:
    """The line of a cost, PostgreSQL's share included, on the core where a bare echo costs `REFERENCE_ECHO`; µs."""
    value = statistics.median(c / e for e, c in zip(echo.micros, total(candidate), strict=True)) * REFERENCE_ECHO
    here = f"here {median(candidate):.0f} + {median(candidate, STORE):.0f} µs, the echo {median(echo):.0f} µs"
    return Line(path, f"{value / 1000:.2f} ms  ({here})", f"≤ {goal / 1000:.2f} ms", value <= goal)
