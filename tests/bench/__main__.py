"""`make bench`: what the promises of speed say, measured side by side in one run. Ratios count, microseconds do not.

`python -m tests.bench [section …]` runs some sections; `--quick` takes fewer rounds.
"""

import logging
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter

import uvloop

from tests.bench import clients, doors, events, growth, imports, memory, quotes, rest, webhooks, workers
from tests.bench.measure import Line
from tests.bench.world import Bench, surroundings

Section = Callable[[Bench, int], Awaitable[list[Line]]]
QUICK, FULL = 6, 20
"""Rounds. Many short ones, because the machine drifts: a round of each variant takes less than a second."""
SECTIONS: dict[str, Section] = {
    "pipeline": doors.pipeline,
    "methods": doors.methods,
    "bridge": rest.bridge,
    "quotes": quotes.quotes,
    "relay": events.relay,
    "webhooks": webhooks.webhooks,
    "growth": growth.growth,
    "memory": memory.memory,
    "workers": workers.workers,
    "clients": clients.clients,
    "import": imports.imports,
}


async def main(arguments: list[str]) -> int:
    """Runs the sections and prints a line for each promise; 1 if one is missed."""
    rounds = QUICK if "--quick" in arguments else FULL
    wanted = [a for a in arguments if not a.startswith("-")] or list(SECTIONS)
    missed, started = 0, perf_counter()
    async with AsyncExitStack() as whole:
        folder = Path(whole.enter_context(tempfile.TemporaryDirectory()))
        bench = await surroundings(whole, folder)
        for name in wanted:
            print(f"— {name}", flush=True)
            begun = perf_counter()
            async with AsyncExitStack() as bench.stack:
                for line in await SECTIONS[name](bench, rounds):
                    print(line, flush=True)
                    missed += line.holds is False
            print(f"     in {perf_counter() - begun:.0f} s", flush=True)
    verdict = f"{missed} missed" if missed else "every promise of speed holds"
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{verdict}; {perf_counter() - started:.0f} s, load of the machine {load}")
    return 1 if missed else 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    sys.exit(uvloop.run(main(sys.argv[1:])))
