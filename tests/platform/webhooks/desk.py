"""What the tests of webhooks do again and again: have workers run, register a receiver, make events, wait for deliveries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from revops.platform.v1 import webhooks_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_id, new_uuid
from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging.errands import Errands
from revops_mesh.messaging.reactions import Reactions
from revops_mesh.messaging.relay import Relay
from revops_mesh.messaging.stream import Stream
from revops_mesh.messaging.worker import Counts
from tests.messaging.running import eventually, running
from tests.platform.webhooks.receiver import Receiver
from tests.world import Caller, World

ATTEMPT = "revops.platform.v1.WebhookService.AttemptWebhookDelivery"
QUOTES = ("revops.quoting.v1.*",)
SOON = (0.01,)


class Desk:
    """The workers of a member, and what they counted."""

    def __init__(self, world: World, pool: Pool, nats_url: str) -> None:
        self.world, self.pool, self.counts, self.stream = world, pool, Counts(), Stream(nats_url)

    async def close(self) -> None:
        await self.stream.close()

    @property
    def errands(self) -> Errands:
        """A runner of attempts."""
        return Errands(self.world.kernel, self.pool, self.counts, ATTEMPT, delays=SOON)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Everything runs that brings events to receivers."""
        relay = Relay(self.pool, self.stream, self.counts)
        reactions = Reactions(self.world.kernel, self.pool, self.stream, self.counts, delays=SOON)
        async with running(relay, reactions, self.errands):
            yield

    def hearing(self, event: type[Message]) -> int:
        """How many reactions one such event has, those of everything that happens among them."""
        reactions = self.world.kernel.reactions
        return len(reactions.get(event.DESCRIPTOR.full_name, [])) + len(reactions["google.protobuf.Any"])

    async def registered(
        self, anna: Caller, receiver: Receiver, *, roles: tuple[str, ...] = ("admin",), types: tuple[str, ...] = QUOTES,
        partner: str = "",
    ) -> pb.WebhookEndpoint:  # fmt: skip
        """An enabled endpoint of the caller, with its secret in the answer; workers must run."""
        offer = pb.WebhookEndpoint(display_name="ERP", url=receiver.url, event_types=types, roles=roles, partner=partner)
        made: pb.WebhookEndpoint = await anna(pb.CreateWebhookEndpointRequest(webhook_endpoint=offer))
        await anna(pb.VerifyWebhookEndpointRequest(name=made.name))
        enabled = await self.state_of(anna, made.name, pb.WebhookEndpoint.STATE_ENABLED)
        enabled.secret = made.secret
        return enabled

    async def state_of(self, anna: Caller, name: str, state: int) -> Any:
        """The endpoint or delivery, once it is in a state."""
        get: Any = pb.GetWebhookDeliveryRequest if "/deliveries/" in name else pb.GetWebhookEndpointRequest

        async def reached() -> Any:
            try:
                found = await anna(get(name=name))
            except Failure as failure:
                assert failure.reason == "RESOURCE_NOT_FOUND"
                return None
            return found if found.state == state else None

        return await eventually(reached)

    async def caller(self, *roles: str, **claims: Any) -> Caller:
        """Somebody whose token outlives a shifted clock."""
        return await self.world.caller(*roles, expires_in=60 * 86_400, **claims)

    async def happens(self, tenant: UUID, event: Message, subject: str = "", revision: int = 1) -> str:
        """Has an event published as if something had recorded it; gives its id in hex."""
        return await self.published(tenant, event.DESCRIPTOR.full_name, event.SerializeToString(), subject, revision)

    async def published(self, tenant: UUID, event_type: str, payload: bytes, subject: str = "", revision: int = 1) -> str:
        """Has anything published as an event; gives its id in hex."""
        happened = new_uuid()
        await self.world.owner.execute(
            "INSERT INTO kernel.outbox(bucket,tenant_id,aggregate,revision,n,id,type,payload,trace,time)"
            " VALUES(0,$1,$2,$3,0,$4,$5,$6,'',$7)",
            tenant, subject or f"quotes/{new_id()}", revision, happened, event_type, payload, clock.now(),
        )  # fmt: skip
        return happened.hex

    async def deliveries(self, anna: Caller, filter: str = "") -> list[pb.WebhookDelivery]:
        """The deliveries of the caller."""
        request = pb.ListWebhookDeliveriesRequest(parent="webhookEndpoints/-", filter=filter, page_size=1000)
        return list((await anna(request)).webhook_deliveries)
