"""`make hostile`: 100,000 hostile requests at both doors of a member; 1 if one of them gets an answer that it must not get.

`python -m tests.hostile [count] [seed]`; half of them go to gRPC and half to REST. What schemathesis makes comes on top.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from random import randrange
from time import perf_counter

from revops_mesh.local.postgres import Postgres
from revops_mesh.migrations.logins import bootstrap
from revops_mesh.migrations.tree import migrate
from tests.hostile import by_schema
from tests.hostile.running import Hostilities, member
from tests.world import World

EXAMPLES = 30
"""Of schemathesis, for each operation and kind."""


async def main(count: int, seed: int) -> int:
    """Runs it and prints what was sent and what came back."""
    print(f"{count:,} requests, seed {seed}", flush=True)
    started = perf_counter()
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory) / "postgres", durable=False) as postgres:
        await asyncio.to_thread(bootstrap, postgres.dsn(), "revops")
        await asyncio.to_thread(migrate, postgres.dsn("revops"))
        async with World.open(postgres.dsn("revops"), 16) as world:
            with member(world, Path(directory)) as at:
                report = await Hostilities(world, at, seed).run(count, by_schema.https(EXAMPLES, seed))
    print(report)
    print(f"{perf_counter() - started:.0f} s")
    return 1 if report.problems else 0


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    sys.exit(asyncio.run(main(given[0] if given else 100_000, given[1] if len(given) > 1 else randrange(1 << 32))))
