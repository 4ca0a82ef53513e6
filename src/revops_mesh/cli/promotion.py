"""`revops promotion-report`: which modules would gain by a process of their own; promotion is configuration (docs/mesh.md).

Load and latency are read from access logs of members, whatever number of processes and days they cover; rows and changes from
the database, as its owner; who asks whom from the contracts. Seconds are those that a member was busy with or waited in a call.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Annotated, Any

import asyncpg
import msgspec
import typer

from revops_mesh import member
from revops_mesh.kernel import clock
from revops_mesh.kernel.contract import methods_of
from revops_mesh.kernel.modules import Module
from revops_mesh.kernel.pools import OWNER
from revops_mesh.local.installation import Installation

from . import queries
from .options import DATA, Data, Json, database_url
from .output import show
from .problems import CommandError

Logs = Annotated[list[Path], typer.Argument(help="Access logs of members. Default: those of revops up.", show_default=False)]
Days = Annotated[int, typer.Option("--days", min=1, max=3650, help="Days over which changes are counted.")]
Share = Annotated[float, typer.Option("--share", min=0.01, max=1, help="Part of all time from which a module is a candidate.")]
Asked = Annotated[int, typer.Option("--asked-by", min=0, help="Modules that may ask a candidate in the midst of their calls.")]
MOST_TIMES = 100_000
"""Durations kept of a module; after that every second one is dropped, so that memory is bounded."""


class Line(msgspec.Struct):
    """What is read of a line of an access log."""

    message: str
    method: str = ""
    outcome: str = ""
    seconds: float = 0.0
    principal: str = ""


@dataclass
class Load:
    """What logs say of a module."""

    calls: int = 0
    refused: int = 0
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    callers: set[str] = field(default_factory=set)

    def count(self, line: Line) -> None:
        """One call."""
        self.calls += 1
        self.refused += line.outcome != "OK"
        self.seconds += line.seconds
        self.times.append(line.seconds)
        self.callers.add(line.principal)
        if len(self.times) > MOST_TIMES:
            del self.times[::2]

    def milliseconds(self, percent: int) -> float:
        """A percentile of the durations."""
        if len(self.times) < 2:
            return round(sum(self.times) * 1000, 1)
        return round(quantiles(self.times, n=100, method="inclusive")[percent - 1] * 1000, 1)


def promotion_report(
    logs: Logs = [], days: Days = 7, share: Share = 0.25, asked_by: Asked = 2, json: Json = False, data: Data = DATA,  # noqa: B006
) -> None:  # fmt: skip
    """Tell which modules deserve a process of their own: their load, latency, rows, changes and coupling.

    A module is a candidate if it takes a good part of the time and few others ask it in the midst of their calls; for each such
    question would then cross a wire.
    """
    loads = _loads(logs or sorted(Installation(data).logs.glob("*.log")))
    stored = asyncio.run(_stored(database_url(data), days))
    whole = sum(load.seconds for load in loads.values())
    if not whole:
        raise CommandError("no access log tells of a call: name the logs of members, or start revops up and use it")
    rows = [_row(module, loads.get(module.service, Load()), whole, stored) for module in member.MODULES]
    for row in rows:
        row["verdict"] = _verdict(row, share, asked_by)
    rows.sort(key=lambda row: -row["share"])
    show(rows, as_json=json)


def _verdict(row: dict[str, Any], share: float, asked_by: int) -> str:
    part = f"{row['share']:.0%} of the time"
    if row["share"] < share:
        return f"keep: {part}"
    asking = f"asked by {len(row['asked_by'])}"
    return f"{'candidate' if len(row['asked_by']) <= asked_by else 'keep'}: {part}, {asking}"


def _row(module: Module, load: Load, whole: float, stored: "dict[str, _Stored]") -> dict[str, Any]:
    kinds = [stored[kind.sql] for kind in module.kinds if kind.sql in stored]
    return {
        "module": module.service.removeprefix("revops."),
        "share": round(load.seconds / whole, 4),
        "calls": load.calls,
        "p50_ms": load.milliseconds(50),
        "p95_ms": load.milliseconds(95),
        "refused": load.refused,
        "callers": len(load.callers - {""}),
        "rows": sum(each.rows for each in kinds),
        "mb": round(sum(each.bytes for each in kinds) / 1e6, 1),
        "changes_a_day": stored[module.service].a_day if module.service in stored else 0.0,
        "asks": sorted(_asks(module)),
        "asked_by": sorted(_short(other) for other in member.MODULES if _short(module) in _asks(other)),
        "hears": sum(
            method.internal and method.request.__name__ != f"{method.name}Request" for method in methods_of(module.service)
        ),
    }


def _short(module: Module) -> str:
    return module.service.rpartition(".")[2].removesuffix("Service")


def _asks(module: Module) -> set[str]:
    """The modules that a module asks or reserves with, beside itself."""
    named = (name for method in methods_of(module.service) for name in (*method.asks, *method.policy.reserves))
    return {name.split(".")[-2].removesuffix("Service") for name in named} - {_short(module)}


def _loads(logs: Sequence[Path]) -> dict[str, Load]:
    """By full name of the service."""
    found: dict[str, Load] = {}
    for line in _lines(logs):
        if line.message == "rpc" and line.method:
            found.setdefault(line.method.rpartition(".")[0], Load()).count(line)
    return found


def _lines(logs: Iterable[Path]) -> Iterator[Line]:
    decoder = msgspec.json.Decoder(Line)
    for log in logs:
        with log.open("rb") as file:
            for text in file:
                if b'"rpc"' in text:
                    try:
                        yield decoder.decode(text)
                    except msgspec.DecodeError:  # half a line, at the end of a life
                        continue


@dataclass
class _Stored:
    rows: int = 0
    bytes: int = 0
    a_day: float = 0.0


async def _stored(url: str, days: int) -> dict[str, _Stored]:
    """By table, and changes by full name of the service."""
    found: dict[str, _Stored] = {}
    connection = await asyncpg.connect(url, user=OWNER)
    try:
        for sql in sorted({kind.sql for module in member.MODULES for kind in module.kinds}):
            row = await connection.fetchrow(queries.size(sql))
            found[sql] = _Stored(row["rows"], row["bytes"])
        changes: Counter[str] = Counter()
        for row in await connection.fetch(queries.CHANGES, clock.now() - timedelta(days=days)):
            changes[row["method"].rpartition(".")[0]] += row["changes"]
    finally:
        await connection.close()
    return found | {service: _Stored(a_day=round(count / days, 1)) for service, count in changes.items()}
