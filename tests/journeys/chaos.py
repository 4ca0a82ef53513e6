"""`make chaos`: kills members, workers, NATS and PostgreSQL under load, and reconciles what callers were told with what is left.

`python -m tests.journeys.chaos` makes the long journey, then a short one with each sabotage, which must turn the reconciler red;
it ends with 0 if all went as it must. `--sabotage=NAME` makes one sabotaged journey and ends with 1, because that is red;
`--short` the journey that the suite makes. `--seed=N` and `--kills=N`, of each victim, change what is killed, when and how often.
"""

import argparse
import asyncio
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

import msgspec

from revops_mesh.local.process import Process, last_lines
from tests.journeys import reconciler
from tests.journeys.evidence import Evidence, gathered
from tests.journeys.journal import Follower
from tests.journeys.kills import Killer, Kills, Toll
from tests.journeys.load import Orders
from tests.journeys.servers import (
    MEMBER,
    NATS,
    POSTGRES,
    ROOT,
    SELLER,
    SERVED,
    VICTIMS,
    WORKERS,
    Market,
    Stage,
    environ,
    market,
    stage,
)
from tests.journeys.settling import settled
from tests.journeys.workers import DELETE_BEFORE_ACK, NO_INBOX

Tell = Callable[[str], None]
QUICK_WORKERS = [sys.executable, "-m", "tests.journeys.workers"]
DRAIN_SECONDS = 90.0
SABOTAGES = {
    DELETE_BEFORE_ACK: reconciler.events_are_in_the_stream_once,
    NO_INBOX: reconciler.reactions_were_applied_once,
}
"""The check that must notice each."""


@dataclass(frozen=True)
class Plan:
    """A journey."""

    kills: Kills
    workers: list[str]
    settle: float
    """Seconds that everything may take to come to rest; the product's own waits add up to three minutes."""
    seed: int = 1
    sellers: int = 8
    pace: float = 0.04
    price_pauses: tuple[float, ...] = (0.3, 0.6, 2.0, 20.0)


LONG = Plan(Kills(dict.fromkeys(VICTIMS, 30), 10, (0.1, 2.5), while_firing=6), SERVED, settle=400)
SHORT = Plan(
    Kills({MEMBER: 1, WORKERS: 1, NATS: 3, POSTGRES: 3}, 1, (0.2, 0.8), while_firing=1),
    QUICK_WORKERS,
    settle=90,
    seed=14,
    sellers=5,
)
SABOTAGED = Plan(Kills({NATS: 16, WORKERS: 4}, 0, (0.2, 0.7)), QUICK_WORKERS, settle=90, pace=0.01, price_pauses=(0.1,) * 4)
"""What reaches the stream is dense here, so that few kills miss the moment that a sabotage spoils."""


@dataclass
class Outcome:
    """What a journey did and what is wrong after it."""

    toll: Toll
    evidence: Evidence
    letters: int
    """Dead letters that were run again."""
    logged: Counter[str]
    """Errors in the logs of member and workers, which are for an operator to look at."""
    seconds: float
    findings: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The outcome for people."""
        journal = Counter(line.what for line in self.evidence.journal)
        why = Counter(line.why for line in self.evidence.journal if line.what == "lost").most_common()
        types = Counter(event.type.rpartition(".")[2] for event in self.evidence.stream).most_common()
        done = Counter(entry.method for entry in self.evidence.audit if entry.principal.startswith("services/")).most_common()
        toll = self.toll
        counts = [
            f"{victim} {toll.kills[victim]} ({toll.in_flight[victim]}, {toll.waiting[victim]})"
            for victim in VICTIMS if toll.kills[victim]
        ]  # fmt: skip
        return [
            f"{self.seconds:.0f} s; kills (of them with calls in flight, with events in the outbox): {', '.join(counts)};"
            f" of postgres {toll.backends} met a backend only",
            f"{journal['sent']} attempts, {journal['told']} acknowledged, {journal['refused']} refused; lost {_told(why)}",
            f"{answered_later(self.evidence)} calls were done in one attempt and answered in a later one",
            f"{len(self.evidence.stream)} events: {_told(types)}",
            f"reactions and timers: {_told(done)}; {self.letters} dead letters run again",
            f"errors in the logs: {_told(self.logged.most_common(5))}",
        ]


def _told(counts: list[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts) or "none"


def answered_later(evidence: Evidence) -> int:
    """Acknowledged calls that had been done before they were sent for the last time: their answer was a replay."""
    done = {n: entry.time.timestamp() for entry in evidence.audit if entry.principal == SELLER for n in entry.resources}
    sent = {line.request_id: line.at for line in evidence.journal if line.what == "sent"}
    told = [line for line in evidence.journal if line.what == "told"]
    return sum(done.get(f"{line.name}@{line.etag}", float("inf")) < sent[line.request_id] for line in told)


async def journey(plan: Plan, folder: Path, tell: Tell) -> Outcome:
    """Makes a journey in a folder of its own. Raises `TimeoutError` when something does not come back or to rest."""
    started = monotonic()
    async with stage(folder, plan.workers) as running:
        place = await market(running)
        journal = folder / "journal"
        load = _load(plan, running, place, journal)
        killer = Killer(running, Follower(journal), plan.seed, tell)
        await asyncio.to_thread(load.start)
        try:
            await killer.rage(plan.kills)
            await asyncio.to_thread(load.stop)
        finally:
            await asyncio.to_thread(load.kill)
        if load.returncode != 0:
            raise RuntimeError(f"the load ended with {load.returncode}:\n{load.output()}")
        tell("the load has ended; the timers' time has come")
        await killer.fire(plan.kills.while_firing)
        tell("everything may come to rest")
        letters = await settled(running, place, plan.settle)
        evidence = await gathered(running, place, journal)
    found = [*reconciler.findings(evidence), *_ends(running)]
    return Outcome(killer.toll, evidence, letters, _logged(folder), monotonic() - started, found)


def _load(plan: Plan, running: Stage, place: Market, journal: Path) -> Process:
    orders = Orders(
        running.address, running.token(SELLER, place.tenant), place.plans, place.book, str(journal), plan.seed, plan.sellers,
        plan.pace, list(plan.price_pauses),
    )  # fmt: skip
    path = running.folder / "orders.json"
    path.write_bytes(msgspec.json.encode(orders))
    argv = [sys.executable, "-m", "tests.journeys.load", str(path)]
    return Process("the load", argv, log=running.folder / "logs" / "load.log", env=environ(), cwd=ROOT, grace=DRAIN_SECONDS)


def _ends(stopped: Stage) -> Iterator[str]:
    """Processes that did not end well when they were told to."""
    for name, server in stopped.processes.items():
        if server.returncode != 0:
            yield f"every_process_ends: {name} ended with {server.returncode}; its log ends: {last_lines(server.log, 1)}"


def _logged(folder: Path) -> Counter[str]:
    """What our processes logged as errors, without the ids in it."""
    lines = [line for log in (folder / "logs").glob("*.log") for line in log.read_text(errors="replace").splitlines()]
    errors = [msgspec.json.decode(line) for line in lines if line.startswith("{") and '"level":"error"' in line]
    return Counter(re.sub(r"[0-9a-f]{32}|[0-9.]+", "…", error["message"]) for error in errors)


def sabotaged(name: str, seed: int) -> Plan:
    """A short journey with a fault on purpose."""
    return replace(SABOTAGED, workers=[*QUICK_WORKERS, name], seed=seed or SABOTAGED.seed)


def made(title: str, plan: Plan) -> list[str]:
    """Makes a journey, prints what became of it, and gives what is wrong after it; a red one's folder stays."""
    folder = Path(tempfile.mkdtemp(prefix="revops-chaos-"))
    print(f"— {title}, seed {plan.seed}, in {folder}", flush=True)
    started = monotonic()
    outcome = asyncio.run(journey(plan, folder, lambda line: print(f"{monotonic() - started:7.1f} s {line}", flush=True)))
    print("\n".join(outcome.lines()))
    print("\n".join(["RED:", *reconciler.summary(outcome.findings)]) if outcome.findings else "nothing lost, nothing twice")
    if not outcome.findings:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome.findings


def noticed(sabotage: str, seed: int) -> bool:
    """Makes a sabotaged journey; whether the reconciler found what it must."""
    check = SABOTAGES[sabotage].__name__
    found = any(finding.startswith(f"{check}:") for finding in made(f"sabotage {sabotage}", sabotaged(sabotage, seed)))
    print(f"the sabotage {sabotage} was noticed" if found else f"the sabotage {sabotage} WENT UNNOTICED by {check}")
    return found


def main(arguments: list[str]) -> int:
    """Makes the journeys that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.journeys.chaos")
    parser.add_argument("--sabotage", choices=SABOTAGES)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int)
    asked = parser.parse_args(arguments)
    if asked.sabotage:
        return int(noticed(asked.sabotage, asked.seed))
    plan = SHORT if asked.short else LONG
    if asked.kills:
        plan = replace(plan, kills=replace(plan.kills, of=dict.fromkeys(VICTIMS, asked.kills)))
    if made("the short journey" if asked.short else "the long journey", replace(plan, seed=asked.seed or plan.seed)):
        return 1
    return 0 if asked.short or all([noticed(name, asked.seed) for name in SABOTAGES]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
