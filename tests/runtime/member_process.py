"""A member without work in the background, as the tests start it: `python -m tests.runtime.member_process`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from revops_mesh import member
from revops_mesh.gateway.rest.in_process import rest
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.messaging.worker import Counts
from revops_mesh.migrations.standing import current
from revops_mesh.runtime.serve import Background, Parts, run
from revops_mesh.runtime.settings import Settings


@asynccontextmanager
async def background(kernel: Kernel, settings: Settings) -> AsyncIterator[Background]:
    yield Background({}, Counts())


if __name__ == "__main__":
    run(Settings.read(os.environ), Parts(member.compose, background, current, rest, member.ALIASES))
