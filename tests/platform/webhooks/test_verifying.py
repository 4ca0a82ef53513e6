"""Before an endpoint gets events, its receiver shows that it wants them."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web
from revops.platform.v1 import webhooks_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes
from standardwebhooks.webhooks import Webhook

from tests.messaging.running import eventually
from tests.platform.webhooks.desk import QUOTES, Desk
from tests.platform.webhooks.receiver import Received, Receiver
from tests.world import Caller

PENDING, ENABLED, DISABLED = range(1, 4)
DELIVERED, FAILED = 2, 3


async def registered(anna: Caller, receiver: Receiver) -> pb.WebhookEndpoint:
    offer = pb.WebhookEndpoint(display_name="ERP", url=receiver.url, event_types=QUOTES, roles=["viewer"])
    endpoint: pb.WebhookEndpoint = await anna(pb.CreateWebhookEndpointRequest(webhook_endpoint=offer))
    return endpoint


def challenge(received: Received) -> str:
    found: str = received.event["data"]["challenge"]
    return found


GOOD: dict[str, Callable[[Received], web.Response]] = {
    "plain": lambda r: web.Response(text=challenge(r)),
    "plain with an end of line": lambda r: web.Response(text=challenge(r) + "\n", status=201),
    "json": lambda r: web.json_response({"challenge": challenge(r), "more": 1}),
    "json text": lambda r: web.json_response(challenge(r)),
}
BAD: dict[str, tuple[Callable[[Received], web.Response], str]] = {
    "nothing": (lambda r: web.Response(status=204), "the answer is not the challenge"),
    "everything": (lambda r: web.Response(text=r.body), "the answer is not the challenge"),
    "too far behind": (lambda r: web.Response(text=" " * 2000 + challenge(r)), "the answer is not the challenge"),
    "another": (lambda r: web.json_response({"challenge": challenge(r)[::-1]}), "the answer is not the challenge"),
    "an error": (lambda r: web.Response(text=challenge(r), status=500), "the receiver answered 500"),
    "a redirect": (lambda r: web.Response(status=302, headers={"location": "/elsewhere"}), "the receiver answered 302"),
}


@pytest.mark.parametrize("answer", GOOD.values(), ids=GOOD)
async def test_who_answers_the_challenge_gets_events(
    answer: Callable[[Received], web.Response], desk: Desk, receiver: Receiver
) -> None:
    anna, receiver.answer = await desk.caller(), answer
    async with desk.working():
        endpoint = await registered(anna, receiver)
        sent = await anna(pb.VerifyWebhookEndpointRequest(name=endpoint.name))
        state = await desk.state_of(anna, endpoint.name, ENABLED)
        await desk.state_of(anna, sent.name, DELIVERED)
    (received,) = receiver.received
    assert Webhook(endpoint.secret).verify(received.body, received.headers)["data"]["webhookEndpoint"] == endpoint.name
    assert received.id == sent.event_id
    assert state.HasField("verify_time")


@pytest.mark.parametrize(("answer", "problem"), BAD.values(), ids=BAD)
async def test_who_does_not_gets_none(
    answer: Callable[[Received], web.Response], problem: str, desk: Desk, receiver: Receiver
) -> None:
    anna, receiver.answer = await desk.caller(), answer
    async with desk.working():
        endpoint = await registered(anna, receiver)
        sent = await anna(pb.VerifyWebhookEndpointRequest(name=endpoint.name))
        failed = await desk.state_of(anna, sent.name, FAILED)
        heard = desk.counts.reacted
        await desk.happens(anna.tenant, quotes.QuoteExpired(quote="quotes/q1"))
        await eventually(lambda: desk.counts.reacted > heard)
    assert [attempt.error for attempt in failed.attempts] == [problem]
    state = await anna(pb.GetWebhookEndpointRequest(name=endpoint.name))
    assert (state.state, state.consecutive_failures) == (PENDING, 0)
    assert len(receiver.received) == 1


async def test_another_url_has_to_be_verified_itself(desk: Desk, receiver: Receiver) -> None:
    """Even if the answer to the old one's challenge comes after the change."""
    anna, came, go = await desk.caller(), asyncio.Event(), asyncio.Event()

    async def late(received: Received) -> web.Response:
        came.set()
        await go.wait()
        return web.Response(text=challenge(received))

    receiver.answer = late
    async with desk.working():
        endpoint = await registered(anna, receiver)
        sent = await anna(pb.VerifyWebhookEndpointRequest(name=endpoint.name))
        await eventually(came.is_set)
        change = pb.WebhookEndpoint(name=endpoint.name, url=receiver.url + "/other")
        await anna(pb.UpdateWebhookEndpointRequest(webhook_endpoint=change))
        go.set()
        await desk.state_of(anna, sent.name, DELIVERED)
        assert (await anna(pb.GetWebhookEndpointRequest(name=endpoint.name))).state == PENDING
        await anna(pb.VerifyWebhookEndpointRequest(name=endpoint.name))
        await desk.state_of(anna, endpoint.name, ENABLED)
        await anna(pb.UpdateWebhookEndpointRequest(webhook_endpoint=pb.WebhookEndpoint(name=endpoint.name, url=receiver.url)))
        moved = await anna(pb.GetWebhookEndpointRequest(name=endpoint.name))
    assert (moved.state, moved.HasField("verify_time")) == (PENDING, False)
    assert [each.path for each in receiver.received] == ["/hooks", "/hooks/other"]


async def test_a_test_event_is_sent_once_and_only_to_who_is_enabled(desk: Desk, receiver: Receiver) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await registered(anna, receiver)
        refused = await anna.refusal(pb.SendTestEventRequest(name=endpoint.name))
        assert (refused.reason, refused.metadata["allowed"]) == ("WEBHOOK_STATE", "ENABLED")
        await anna(pb.VerifyWebhookEndpointRequest(name=endpoint.name))
        await desk.state_of(anna, endpoint.name, ENABLED)
        again = await anna.refusal(pb.VerifyWebhookEndpointRequest(name=endpoint.name))
        assert again.metadata == {"webhook_endpoint": endpoint.name, "state": "ENABLED", "allowed": "PENDING_VERIFICATION"}
        receiver.answer = lambda received: web.Response(status=500)
        test = await anna(pb.SendTestEventRequest(name=endpoint.name))
        await desk.state_of(anna, test.name, FAILED)
    (received,) = receiver.events()
    assert received.event["data"] == {"webhookEndpoint": endpoint.name}
    assert (received.event["subject"], received.event["sequence"]) == (endpoint.name, "")
