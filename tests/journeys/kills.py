"""Seeded kills: whom SIGKILL meets in which order and after which pause, and how many calls were under way. Times are seconds."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random

from tests.journeys.journal import Follower
from tests.journeys.servers import POSTGRES, VICTIMS, WORKERS, Stage, until

PATIENCE = 60.0
"""How long a victim may take until it works again."""
TOGETHER = 0.75
"""How often a victim dies while everything works, rather than while others may be down."""
MOST_MORE = 10
"""How often at most each victim is killed once more because too few of its deaths met a call."""
AHEAD = 45 * 86_400
"""A jump of the workers' clock over the end of every offer, which is thirty days and a midnight away."""
OUTBOX = "SELECT count(*) FROM kernel.outbox"
TIMERS = "SELECT count(*) FROM kernel.timer"


@dataclass
class Toll:
    """How often each victim was killed, and how often of that with calls in flight and with events in the outbox."""

    kills: Counter[str] = field(default_factory=Counter)
    in_flight: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    backends: int = 0
    """Kills of PostgreSQL that met one backend only."""


@dataclass(frozen=True)
class Kills:
    """How much is killed while the load runs, and then while timers fire."""

    of: Mapping[str, int]
    """Kills of each victim at least."""
    in_flight: int
    """Of them at least with calls in flight."""
    pause: tuple[float, float]
    """Between a victim's recovery and its death."""
    while_firing: int = 0


class Killer:
    """Kills as the seed says."""

    def __init__(self, stage: Stage, follower: Follower, seed: int, tell: Callable[[str], None]) -> None:
        self.toll = Toll()
        self._stage, self._follower, self._tell = stage, follower, tell
        self._chance = Random(f"{seed} kills")

    async def rage(self, kills: Kills) -> None:
        """Kills every victim as often as wanted, in a random order; then some more those that met too few calls."""
        await until(self._begun, PATIENCE, "the load has begun")
        order = [victim for victim, times in kills.of.items() for _ in range(times)]
        self._chance.shuffle(order)
        for victim in order:
            await self._strike(victim, self._chance.uniform(*kills.pause))
        for _ in range(MOST_MORE):
            for victim in kills.of:
                if self.toll.in_flight[victim] < kills.in_flight:
                    await self._strike(victim, self._chance.uniform(*kills.pause))

    async def _begun(self) -> bool:
        return self._follower.in_flight() > 0 and self._follower.told > 0

    async def fire(self, kills: int) -> None:
        """Lets a month and a half pass for the workers, so that every timer is due, and kills while they fire."""
        self._stage.environ[WORKERS]["REVOPS_CLOCK"] = str(AHEAD)
        await self._strike(WORKERS, 0)
        due = int(await self._stage.asked(TIMERS) or 0)
        for n in range(kills):
            left = due * (1 - (n + self._chance.random()) / kills)

            async def fired(left: float = left) -> bool:
                timers = await self._stage.asked(TIMERS)
                return timers is not None and timers <= left

            await until(fired, 2 * PATIENCE, f"{due - left:.0f} of {due} timers have fired")
            await self._strike(self._chance.choice((WORKERS, POSTGRES)), 0)

    async def _strike(self, victim: str, pause: float) -> None:
        """Waits until a victim works, and mostly until all others do, and so much longer, and kills it."""
        while True:
            for needed in VICTIMS if self._chance.random() < TOGETHER else (victim,):
                await until(partial(self._stage.up, needed), PATIENCE, f"{needed} works again")
            await asyncio.sleep(pause)
            waiting = int(await self._stage.asked(OUTBOX) or 0)
            calls = self._follower.in_flight()
            if killed := await self._stage.kill(victim, self._chance):
                break
        toll = self.toll
        toll.kills[victim] += 1
        toll.in_flight[victim] += calls > 0
        toll.waiting[victim] += waiting > 0
        toll.backends += killed.startswith("a backend")
        self._tell(f"{toll.kills.total():4} kills: {killed} with {calls} calls in flight and {waiting} events in the outbox")
