"""Attempts: what is read before, sent outside, and noted after; an attempt is an errand of `AttemptWebhookDelivery`.

Between sending and noting everything may break: then it is sent again, under the same `webhook-id`.
"""

import random
from datetime import datetime, timedelta
from uuid import UUID

from google.protobuf.empty_pb2 import Empty
from revops.platform.v1 import webhooks_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.names import parent_of
from revops_mesh.kernel.pipeline import Kernel

from . import signing
from .deliveries import VERIFICATION, WebhookDelivery
from .domain import WebhookEndpoint

_PATH = "/revops.platform.v1.WebhookService/AttemptWebhookDelivery"


def schedule(delivery: WebhookDelivery, due: datetime, call: Call) -> None:
    """Has the next attempt made; of one endpoint few are under way at once."""
    request = pb.AttemptWebhookDeliveryRequest(name=delivery.name, number=delivery.next_number)
    call.schedule(due, request, lane=parent_of(delivery.name))


async def make(kernel: Kernel, tenant: UUID, request: pb.AttemptWebhookDeliveryRequest) -> pb.AttemptWebhookDeliveryRequest:
    """Makes an attempt; gives the request with what came of it, or as it is if the attempt is no longer the next."""
    async with kernel.reading(_PATH, tenant) as call:
        delivery = await call.repo(WebhookDelivery).find(request.name)
        endpoint = await call.repo(WebhookEndpoint).find(parent_of(request.name))
    if delivery is None or not delivery.awaits(request.number):
        return request
    found, now = pb.AttemptWebhookDeliveryRequest(name=request.name, number=request.number), clock.now()
    found.attempt.time.CopyFrom(clock.timestamp(now))
    found.attempt.error = delivery.hindrance(endpoint)
    if endpoint is not None and not found.attempt.error:
        await _send(delivery, endpoint, found, now, kernel)
    return found


async def _send(
    delivery: WebhookDelivery, endpoint: WebhookEndpoint, found: pb.AttemptWebhookDeliveryRequest, now: datetime, kernel: Kernel
) -> None:
    from .sending import post  # only now, for its HTTP client weighs more than the whole module

    state = delivery.state
    try:
        secrets = [signing.opened(each, kernel.secrets) for each in endpoint.signing(now)]
    except signing.Unopened as error:
        found.attempt.error = f"not sent: {error}"
        return
    headers = signing.headers(state.event_id, now, state.body, secrets)
    outcome = await post(endpoint.state.url, headers, state.body, kernel.networks)
    problem = outcome.problem or delivery.problem_of(outcome.beginning)
    found.attempt.status_code, found.attempt.duration_ms = outcome.status, outcome.duration_ms
    found.attempt.error, found.attempt.answer = problem, outcome.text if problem else ""
    found.retry_after_seconds, found.url = outcome.retry_after, endpoint.state.url


async def note(request: pb.AttemptWebhookDeliveryRequest, call: Call) -> Empty:
    """Notes an attempt on its delivery and, if it says something new, on the endpoint."""
    deliveries, endpoints = call.repo(WebhookDelivery), call.repo(WebhookEndpoint)
    delivery = await deliveries.find(request.name, lock=True)
    if delivery is None or not delivery.awaits(request.number) or not request.HasField("attempt"):
        return Empty()
    endpoint, attempt = await endpoints.find(parent_of(delivery.name)), request.attempt
    put_off = timedelta(seconds=request.retry_after_seconds)
    due = delivery.attempted(attempt, put_off, random.random(), last=endpoint is None)
    if endpoint is not None and endpoint.is_changed_by(attempt, request.url):
        endpoint = await endpoints.find(endpoint.name, lock=True)  # all its attempts write here, so they take turns
    if endpoint is not None and endpoint.is_changed_by(attempt, request.url):
        endpoint.note(attempt, request.url)
        await endpoints.save(endpoint)
    met = delivery.state.event_type == VERIFICATION and not attempt.error
    if endpoint is not None and met and endpoint.verified(request.url, call.now):
        await endpoints.save(endpoint)
    await deliveries.save(delivery)
    if due is not None:
        schedule(delivery, due, call)
    return Empty()
