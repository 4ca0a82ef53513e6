"""The work in the background with a fault on purpose or with shorter waits: a way in for tests only.

`python -m tests.journeys.workers [delete-before-ack|no-inbox]`, set up by `REVOPS_…` as `revops serve` is.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from revops_mesh import member
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging.reactions import Reactions
from revops_mesh.messaging.relay import Relay
from revops_mesh.messaging.stream import Stream
from revops_mesh.messaging.timers import Timers
from revops_mesh.messaging.worker import Counts
from revops_mesh.migrations.standing import current
from revops_mesh.runtime.serve import Background, Parts, run
from revops_mesh.runtime.settings import Settings

DELETE_BEFORE_ACK, NO_INBOX = "delete-before-ack", "no-inbox"
ACK_WAIT = 3.0
"""Seconds after which an event comes again whose worker was killed; the product waits longer than any call may take."""
DELAYS = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds before the next attempts of what failed; the product's sum is two minutes."""


def parts(sabotage: str) -> Parts:
    """The product's workers, with a fault if one is named."""

    @asynccontextmanager
    async def background(kernel: Kernel, settings: Settings) -> AsyncIterator[Background]:
        counts, pool, stream = Counts(), Pool(settings.database_url, "revops_relay", 8), Stream(settings.nats_url)
        relay = Relay(pool, stream, counts, delete_before_ack=sabotage == DELETE_BEFORE_ACK)
        reactions = Reactions(
            kernel, pool, stream, counts, ack_wait=ACK_WAIT, delays=DELAYS, no_inbox=sabotage == NO_INBOX
        )  # fmt: skip
        timers = Timers(kernel, pool, counts, delays=DELAYS)
        try:
            yield Background({"relay": relay.run, "reactions": reactions.run, "timers": timers.run}, counts)
        finally:
            await stream.close()
            await pool.close()

    return Parts(member.compose, background, current)


if __name__ == "__main__":
    run(Settings.read(os.environ), parts(sys.argv[1] if len(sys.argv) > 1 else ""))
