"""How the bench measures: CPU of processes, paired and interleaved, medians and ratios.

Absolute numbers of a shared machine mean little; a ratio of two variants that ran in turns in one process pair means something.
"""

import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """CPU seconds a process has used, in nanosecond resolution (the process clock of clock_gettime)."""
    return time.clock_gettime((~pid << 3) | 2)


def tree_seconds(pid: int) -> float:
    """CPU seconds of a process and its children, in ticks; for PostgreSQL, whose work is in its backends."""
    total = 0.0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(entry.name) == pid or int(fields[1]) == pid:
                total += sum(map(int, fields[11:13])) / TICK
    return total


@dataclass
class Variant:
    """One thing to measure: a round does `calls` of it; its CPU is that of `pid`."""

    name: str
    pid: int
    round: Callable[[int], Awaitable[None]]
    micros: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Median CPU, µs per call."""
        return statistics.median(self.micros)


async def interleave(variants: Sequence[Variant], rounds: int, calls: int) -> None:
    """Measures variants in turns, there and back, so that drift of the machine hits all alike; the first turn warms up."""
    for turn in range(rounds + 1):
        for variant in variants if turn % 2 else reversed(variants):
            before = cpu_seconds(variant.pid)
            await variant.round(calls)
            micros = (cpu_seconds(variant.pid) - before) / calls * 1e6
            if turn:
                variant.micros.append(micros)


def ratio(baseline: Variant, candidate: Variant) -> float:
    """Median over rounds of baseline ÷ candidate: 1.0 costs as much, 0.5 twice as much."""
    return statistics.median(b / c for b, c in zip(baseline.micros, candidate.micros, strict=True))


@dataclass
class Line:
    """One line of the report."""

    path: str
    measured: str
    goal: str
    holds: bool | None

    def __str__(self) -> str:
        mark = {True: "ok  ", False: "MISS", None: "    "}[self.holds]
        return f"{mark} {self.path:<52} {self.measured:<44} {self.goal}"


def at_least(path: str, baseline: Variant, candidate: Variant, goal: float) -> Line:
    """The line of a ratio that has a least value."""
    value = ratio(baseline, candidate)
    detail = f"{value:.2f}  ({baseline.median:.0f} µs against {candidate.median:.0f} µs)"
    return Line(path, detail, f"≥ {goal:.2f}", value >= goal)
