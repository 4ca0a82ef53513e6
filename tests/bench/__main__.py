"""`make bench`: what the promises of speed say, measured side by side in one run. Ratios count, microseconds do not.

`python -m tests.bench [section …]` runs some sections; `--quick` takes fewer rounds.
"""

import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from tests.bench import doors
from tests.bench.measure import Line
from tests.bench.world import Bench, surroundings

Section = Callable[[Bench, int], Awaitable[list[Line]]]
SECTIONS: dict[str, Section] = {
    "pipeline": doors.pipeline,
    "methods": doors.methods,
}


async def main(arguments: list[str]) -> int:
    """Runs the sections and prints a line for each promise; 1 if one is missed."""
    rounds = 3 if "--quick" in arguments else 9
    wanted = [a for a in arguments if not a.startswith("-")] or list(SECTIONS)
    missed = 0
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = await surroundings(stack, folder)
        for name in wanted:
            print(f"— {name}", flush=True)
            for line in await SECTIONS[name](bench, rounds):
                print(line, flush=True)
                missed += line.holds is False
    print(f"{missed} missed" if missed else "every promise of speed holds")
    return 1 if missed else 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    sys.exit(uvloop.run(main(sys.argv[1:])))
