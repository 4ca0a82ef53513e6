"""Makes webhook endpoints and deliveries in the states that stories need, without a receiver: what it answered is noted."""

from typing import Any

from google.protobuf.any_pb2 import Any as AnyEvent
from google.protobuf.timestamp_pb2 import Timestamp
from revops.platform.v1 import webhooks_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.names import new_id, new_uuid
from tests.world import Caller, World

OFFER = pb.WebhookEndpoint(
    display_name="ERP", url="https://erp.example/hooks", event_types=["revops.quoting.v1.*"], roles=["viewer"]
)


async def endpoint(world: World, caller: Caller) -> Any:
    """An endpoint of the caller that waits for its verification."""
    return await caller(pb.CreateWebhookEndpointRequest(webhook_endpoint=OFFER))


def answered(delivery: Any, status: int, error: str = "") -> pb.AttemptWebhookDeliveryRequest:
    """What is noted when the receiver answered the next attempt."""
    attempt = pb.WebhookAttempt(time=clock.timestamp(clock.now()), status_code=status, error=error, duration_ms=20)
    number = delivery.attempt_count + 1
    return pb.AttemptWebhookDeliveryRequest(name=delivery.name, number=number, attempt=attempt, url=OFFER.url)


async def note(world: World, caller: Caller, request: pb.AttemptWebhookDeliveryRequest) -> None:
    """Has an attempt noted as its errand would."""
    method = world.kernel.by_request(request)
    await world.kernel.react(method, request, caller.tenant, Arrival({}, request_id=new_uuid()))


async def enabled_endpoint(world: World, caller: Caller) -> Any:
    """An endpoint of the caller whose receiver met the challenge."""
    name = (await endpoint(world, caller)).name
    challenge = await caller(pb.VerifyWebhookEndpointRequest(name=name))
    await note(world, caller, answered(challenge, 200))
    return await caller(pb.GetWebhookEndpointRequest(name=name))


async def disabled_endpoint(world: World, caller: Caller) -> Any:
    name = (await enabled_endpoint(world, caller)).name
    return await caller(pb.DisableWebhookEndpointRequest(name=name))


async def pending_delivery(world: World, caller: Caller) -> Any:
    """A test event on its way to an enabled endpoint."""
    return await caller(pb.SendTestEventRequest(name=(await enabled_endpoint(world, caller)).name))


async def delivery(world: World, caller: Caller) -> Any:
    """A test event that arrived."""
    pending = await pending_delivery(world, caller)
    await note(world, caller, answered(pending, 200))
    return await caller(pb.GetWebhookDeliveryRequest(name=pending.name))


async def event_that_is_wanted(world: World, caller: Caller) -> AnyEvent:
    wanting = await enabled_endpoint(world, caller)
    event = AnyEvent()
    event.Pack(quotes.QuoteExpired(quote=f"quotes/{new_id()}", version=1, partner=wanting.partner))
    return event


async def gone(world: World, caller: Caller) -> pb.AttemptWebhookDeliveryRequest:
    """The receiver says that it is gone for good."""
    return answered(await pending_delivery(world, caller), 410, "the receiver answered 410")


async def failed_delivery(world: World, caller: Caller) -> pb.ReplayFailedWebhookDeliveriesRequest:
    """An event that no attempt brought to its endpoint, which is enabled again; written past the contract, for it takes days."""
    name = (await pending_delivery(world, caller)).name
    where = "WHERE tenant_id=$1 AND name=$2"
    body = await world.owner.fetchval(f"SELECT body FROM platform.webhook_deliveries {where}", caller.tenant, name)
    state = pb.WebhookDelivery.FromString(body)
    state.state, state.event_type = pb.WebhookDelivery.STATE_FAILED, "revops.quoting.v1.QuoteExpired"
    state.ClearField("next_attempt_time")
    await world.owner.execute(
        f"UPDATE platform.webhook_deliveries SET body=$3, state=$4, event_type=$5 {where}",
        caller.tenant, name, state.SerializeToString(), state.state, state.event_type,
    )  # fmt: skip
    return pb.ReplayFailedWebhookDeliveriesRequest(parent=name.rsplit("/", 2)[0], start_time=Timestamp(seconds=1))
