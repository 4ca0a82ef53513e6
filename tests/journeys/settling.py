"""After the kills: waits until everything that was begun has ended, as an operator would see it from outside."""

from contextlib import suppress
from functools import partial

import nats
from google.protobuf.message import Message
from nats.errors import Error as NatsError
from revops.platform.v1 import audit_pb2 as audit

from revops_mesh.local.calls import Refusal, member_at
from tests.journeys.servers import SELLER, VICTIMS, Market, Stage, until

STREAM = "REVOPS"
_WAITING = "SELECT (SELECT count(*) FROM kernel.outbox)+(SELECT count(*) FROM kernel.timer)"
_DONE = "SELECT count(*) FROM kernel.audit"
_LETTERS = "SELECT count(*) FROM kernel.dead_letter"


async def settled(stage: Stage, market: Market, seconds: float) -> int:
    """Waits until outbox, timers and consumers are empty; dead letters are run again. Gives how many letters there were."""
    replayed = 0
    for name in VICTIMS:
        await until(partial(stage.up, name), seconds, f"{name} works again")

    async def quiet() -> bool:
        """Twice in a row, with nothing done in between: an event may cause a timer, and a timer an event."""
        nonlocal replayed
        before = await stage.asked(_DONE)
        for _ in range(2):
            if await stage.asked(_WAITING) != 0 or not await _consumed(stage):
                return False
        if await stage.asked(_LETTERS):
            replayed += await _replayed(stage, market)
            return False
        return bool(before is not None and before == await stage.asked(_DONE))

    await until(quiet, seconds, "outbox, timers and consumers are empty")
    return replayed


async def _consumed(stage: Stage) -> bool:
    """Whether every consumer has taken and answered every event."""
    with suppress(NatsError, OSError):
        client = await nats.connect(stage.nats.url, allow_reconnect=False, connect_timeout=2)
        try:
            consumers = await client.jetstream().consumers_info(STREAM)
            return bool(consumers) and not any(each.num_pending or each.num_ack_pending for each in consumers)
        finally:
            await client.close()
    return False


async def _replayed(stage: Stage, market: Market) -> int:
    """Has every dead letter run again, as an operator does."""
    count = 0
    async with member_at(stage.address, stage.token(SELLER.replace("anna", "olga"), market.tenant)) as olga:
        request: Message = audit.ListDeadLettersRequest()
        for letter in (await olga(request)).dead_letters:
            with suppress(Refusal):
                await olga(audit.ReplayDeadLetterRequest(name=letter.name))
                count += 1
    return count
