"""A member as the tests start it: `python -m tests.runtime.member_process` with `REVOPS_…` in the environment.

With `TESTS_STALL=n` its loop stands still for n seconds soon after the start; while the file `TESTS_STALE` exists, its
database counts as not migrated.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from revops_mesh import member
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.runtime.serve import Background, Parts, run
from revops_mesh.runtime.settings import Settings


async def migrated(dsn: str) -> bool:
    return not Path(os.environ.get("TESTS_STALE", "/nonexistent")).exists()


@asynccontextmanager
async def background(kernel: Kernel, settings: Settings) -> AsyncIterator[Background]:
    if seconds := float(os.environ.get("TESTS_STALL", "0")):
        asyncio.get_running_loop().call_later(0.5, time.sleep, seconds)
    yield Background({})


if __name__ == "__main__":
    run(Settings.read(os.environ), Parts(member.compose, background, migrated))
