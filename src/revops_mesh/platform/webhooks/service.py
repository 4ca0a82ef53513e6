"""WebhookService. Access, edition and audit: see the contract."""

import secrets
from datetime import UTC
from uuid import UUID

from google.protobuf.any_pb2 import Any as AnyEvent
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from revops.platform.v1 import webhooks_pb2 as pb

from revops_mesh.aip.listing import merged, page
from revops_mesh.kernel.call import Call, Event
from revops_mesh.kernel.names import new_uuid, parent_of
from revops_mesh.kernel.pipeline import Kernel

from ..access.holding import must_be_grantable, permitted
from . import attempts, recording, signing
from .deliveries import FAILED, ONCE, WebhookDelivery
from .domain import WebhookEndpoint, without_secrets
from .subscriptions import Subscriber

BATCH = 500
"""Deliveries that one call replays."""


class WebhookService:
    """One method per rpc: load, verb, save."""

    def __init__(self) -> None:
        self._interests = recording.Interests()

    async def CreateWebhookEndpoint(self, request: pb.CreateWebhookEndpointRequest, call: Call) -> pb.WebhookEndpoint:
        endpoints, secret = call.repo(WebhookEndpoint), signing.mint()
        name, sealed = endpoints.name(request.webhook_endpoint_id), signing.sealed(secret, call.kernel.secrets)
        endpoint = WebhookEndpoint.register(name, request.webhook_endpoint, sealed, call.now, call.kernel.networks)
        await _must_be_servable(endpoint, call)
        await endpoints.add(endpoint)
        return _answer(endpoint, call, secret)

    async def GetWebhookEndpoint(self, request: pb.GetWebhookEndpointRequest, call: Call) -> pb.WebhookEndpoint:
        return (await call.repo(WebhookEndpoint).get(request.name)).shown

    async def ListWebhookEndpoints(self, request: pb.ListWebhookEndpointsRequest, call: Call) -> pb.ListWebhookEndpointsResponse:
        return without_secrets(await page(call, WebhookEndpoint, request, pb.ListWebhookEndpointsResponse))

    async def UpdateWebhookEndpoint(self, request: pb.UpdateWebhookEndpointRequest, call: Call) -> pb.WebhookEndpoint:
        offer = request.webhook_endpoint
        endpoint = await call.repo(WebhookEndpoint).get(offer.name, offer.etag)
        await must_be_grantable(endpoint.state.roles, call)  # what is pending may go elsewhere now
        endpoint.update(merged(call, endpoint, offer, request.update_mask), call.kernel.networks)
        await _must_be_servable(endpoint, call)
        return await _saved(endpoint, call)

    async def DeleteWebhookEndpoint(self, request: pb.DeleteWebhookEndpointRequest, call: Call) -> Empty:
        await call.repo(WebhookEndpoint).delete(await call.repo(WebhookEndpoint).get(request.name, request.etag))
        return Empty()

    async def VerifyWebhookEndpoint(self, request: pb.VerifyWebhookEndpointRequest, call: Call) -> pb.WebhookDelivery:
        endpoint = await call.repo(WebhookEndpoint).get(request.name)
        endpoint.must_allow("verify")
        challenge = pb.WebhookVerification(webhook_endpoint=endpoint.name, challenge=secrets.token_hex(16))
        return await _sent(endpoint, challenge, call)

    async def SendTestEvent(self, request: pb.SendTestEventRequest, call: Call) -> pb.WebhookDelivery:
        endpoint = await call.repo(WebhookEndpoint).get(request.name)
        endpoint.must_allow("send a test")
        return await _sent(endpoint, pb.WebhookTest(webhook_endpoint=endpoint.name), call)

    async def EnableWebhookEndpoint(self, request: pb.EnableWebhookEndpointRequest, call: Call) -> pb.WebhookEndpoint:
        endpoint = await call.repo(WebhookEndpoint).get(request.name, request.etag)
        endpoint.enable(call.now)
        return await _saved(endpoint, call)

    async def DisableWebhookEndpoint(self, request: pb.DisableWebhookEndpointRequest, call: Call) -> pb.WebhookEndpoint:
        endpoint = await call.repo(WebhookEndpoint).get(request.name, request.etag)
        endpoint.disable()
        return await _saved(endpoint, call)

    async def RotateWebhookSecret(self, request: pb.RotateWebhookSecretRequest, call: Call) -> pb.WebhookEndpoint:
        endpoint, secret = await call.repo(WebhookEndpoint).get(request.name, request.etag), signing.mint()
        await must_be_grantable(endpoint.state.roles, call)
        endpoint.rotate(signing.sealed(secret, call.kernel.secrets), call.now)
        return await _saved(endpoint, call, secret)

    async def GetWebhookDelivery(self, request: pb.GetWebhookDeliveryRequest, call: Call) -> pb.WebhookDelivery:
        return without_secrets((await call.repo(WebhookDelivery).get(request.name)).state)

    async def ListWebhookDeliveries(
        self, request: pb.ListWebhookDeliveriesRequest, call: Call
    ) -> pb.ListWebhookDeliveriesResponse:
        return without_secrets(await page(call, WebhookDelivery, request, pb.ListWebhookDeliveriesResponse))

    async def ReplayWebhookDelivery(self, request: pb.ReplayWebhookDeliveryRequest, call: Call) -> pb.WebhookDelivery:
        delivery = await call.repo(WebhookDelivery).get(request.name, request.etag)
        endpoint = await call.repo(WebhookEndpoint).get(parent_of(delivery.name))
        endpoint.must_allow("replay")
        delivery.replay(call.now)
        await call.repo(WebhookDelivery).save(delivery)
        attempts.schedule(delivery, call.now, call)
        return _shown(delivery, call)

    async def ReplayFailedWebhookDeliveries(
        self, request: pb.ReplayFailedWebhookDeliveriesRequest, call: Call
    ) -> pb.ReplayFailedWebhookDeliveriesResponse:
        endpoint, deliveries = await call.repo(WebhookEndpoint).get(request.parent), call.repo(WebhookDelivery)
        endpoint.must_allow("replay")
        since = request.start_time.ToDatetime(tzinfo=UTC)
        ours = "parent=$2 AND state=$3 AND create_time>=$4 AND event_type<>ALL($5::text[])"
        failed = await deliveries.select(ours, [endpoint.name, FAILED, since, list(ONCE)], "create_time, name", BATCH)
        for delivery in failed:
            delivery.replay(call.now)
            await deliveries.save(delivery)
            attempts.schedule(delivery, call.now, call)
        return pb.ReplayFailedWebhookDeliveriesResponse(replayed_count=len(failed))

    async def WantsOnEvent(self, kernel: Kernel, tenant: UUID, event: AnyEvent) -> bool:
        return await self._interests.include(kernel, tenant, event)

    async def OnEvent(self, event: AnyEvent, call: Call) -> Empty:
        return await recording.record(event, call)

    async def ErrandAttemptWebhookDelivery(
        self, kernel: Kernel, tenant: UUID, request: pb.AttemptWebhookDeliveryRequest, attempt: int
    ) -> pb.AttemptWebhookDeliveryRequest:
        return await attempts.make(kernel, tenant, request)

    async def AttemptWebhookDelivery(self, request: pb.AttemptWebhookDeliveryRequest, call: Call) -> Empty:
        return await attempts.note(request, call)


async def _must_be_servable(endpoint: WebhookEndpoint, call: Call) -> None:
    """Refuses an endpoint that would get what the caller may not, or nothing at all."""
    roles, partner = endpoint.state.roles, call.principal.partner or endpoint.state.partner
    await must_be_grantable(roles, call)
    subscriber = Subscriber(await permitted(roles, call), partner, call.principal.edition)
    subscriber.must_get(endpoint.state.event_types, call.kernel.events)


async def _saved(endpoint: WebhookEndpoint, call: Call, secret: str = "") -> pb.WebhookEndpoint:
    return _answer(await call.repo(WebhookEndpoint).save(endpoint), call, secret)


def _answer(endpoint: WebhookEndpoint, call: Call, secret: str) -> pb.WebhookEndpoint:
    """What a change of an endpoint is answered; a new secret is in no other answer."""
    call.unit.seal()
    shown = endpoint.shown
    shown.secret = secret
    return shown


async def _sent(endpoint: WebhookEndpoint, event: Message, call: Call) -> pb.WebhookDelivery:
    """Has something sent that is no event of any resource."""
    happened = Event(new_uuid(), endpoint.name, (0, 0), call.now)
    delivery = await call.repo(WebhookDelivery).add(WebhookDelivery.of(endpoint, happened, event, call.now))
    attempts.schedule(delivery, call.now, call)
    return _shown(delivery, call)


def _shown(delivery: WebhookDelivery, call: Call) -> pb.WebhookDelivery:
    call.unit.seal()
    copy = pb.WebhookDelivery()
    copy.CopyFrom(delivery.state)
    return without_secrets(copy)
