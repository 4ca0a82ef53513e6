"""From an event to a receiver: signed, recorded once, delivered at least once, and seen by nobody whom it does not concern."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from revops.platform.v1 import webhooks_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes
from standardwebhooks.webhooks import Webhook

from revops_mesh.kernel import clock
from revops_mesh.messaging.envelope import EVERY
from revops_mesh.messaging.errands import Errands
from revops_mesh.messaging.reactions import consumer
from revops_mesh.messaging.stream import NAME
from tests.contract import making
from tests.messaging.running import eventually, letters, running, waiting
from tests.platform.webhooks.desk import ATTEMPT, QUOTES, SOON, Desk
from tests.platform.webhooks.receiver import Received, Receiver, always, meets_challenges

DELIVERED = pb.WebhookDelivery.STATE_DELIVERED


def expired(partner: str = "") -> quotes.QuoteExpired:
    return quotes.QuoteExpired(quote="quotes/q1", version=2, partner=partner)


async def test_an_event_arrives_signed_with_its_facts(desk: Desk, receiver: Receiver) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        event = await desk.happens(anna.tenant, expired(), "quotes/q1", revision=7)
        (received,) = await eventually(receiver.events)
        delivery = await desk.state_of(anna, f"{endpoint.name}/deliveries/{event}", DELIVERED)
    found = Webhook(endpoint.secret).verify(received.body, received.headers)
    assert found["data"] == {"quote": "quotes/q1", "version": 2}
    assert (found["id"], found["type"]) == (event, "revops.quoting.v1.QuoteExpired") == (received.id, delivery.event_type)
    assert (found["subject"], found["sequence"]) == ("quotes/q1", "7.0") == (delivery.subject, delivery.sequence)
    assert received.headers["content-type"] == "application/json"
    (attempt,) = delivery.attempts
    assert (attempt.status_code, attempt.error, attempt.answer) == (204, "", "")


async def test_for_a_day_after_a_rotation_both_secrets_sign(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        rotated = await anna(pb.RotateWebhookSecretRequest(name=endpoint.name))
        again = await anna(pb.RotateWebhookSecretRequest(name=endpoint.name))
        secrets = [each.secret for each in (endpoint, rotated, again)]
        await desk.happens(anna.tenant, expired())
        await eventually(receiver.events)
        monkeypatch.setattr(clock, "_OFFSET", timedelta(hours=24, seconds=1))
        await desk.happens(anna.tenant, expired())
        first, second = await eventually(lambda: receiver.events() if len(receiver.events()) == 2 else None)
    assert [first.is_signed_with(secret) for secret in secrets] == [False, True, True]
    assert [second.is_signed_with(secret) for secret in secrets] == [False, False, True]
    assert len(second.headers["webhook-signature"].split(" ")) == 1


async def test_who_may_not_read_margins_gets_none_and_who_may_does(desk: Desk, receiver: Receiver) -> None:
    anna = await desk.caller()
    async with desk.working(), Receiver.open() as other:
        await desk.registered(anna, receiver, roles=("seller",))
        await desk.registered(anna, other, roles=("seller", "sales-manager"))
        quote = await making.submitted_quote(desk.world, anna)
        less = (await eventually(lambda: _submitted(receiver)))[0]
        more = (await eventually(lambda: _submitted(other)))[0]
    assert quote.totals.margin
    assert more["data"].pop("margin") == {"amount": quote.totals.margin, "currencyCode": "EUR"}
    assert less == more
    assert less["data"]["number"] == quote.number


def _submitted(receiver: Receiver) -> list[dict[str, Any]]:
    return [each.event for each in receiver.events() if each.event["type"].endswith(".QuoteSubmitted")]


async def test_what_the_roles_may_not_get_is_not_sent(desk: Desk, receiver: Receiver) -> None:
    anna = await desk.caller()
    async with desk.working():
        await desk.registered(anna, receiver, roles=("catalog-manager", "viewer"), types=(*QUOTES, "revops.catalog.v1.*"))
        endpoint = await desk.registered(anna, receiver, roles=("catalog-manager",), types=("revops.catalog.v1.*",))
        change = pb.WebhookEndpoint(name=endpoint.name, event_types=["revops.catalog.v1.*"])
        await anna(pb.UpdateWebhookEndpointRequest(webhook_endpoint=change))
        await desk.happens(anna.tenant, expired())
        await making.active_book(desk.world, anna)
        await eventually(lambda: len(receiver.events()) == 3)
    assert sorted(each.event["type"].rpartition(".")[2] for each in receiver.events()) == [
        "PriceBookActivated",
        "PriceBookActivated",
        "QuoteExpired",
    ]


async def test_tenants_get_their_own_events_and_see_their_own_deliveries(desk: Desk, receiver: Receiver) -> None:
    anna, berta = await desk.caller(), await desk.caller()
    async with desk.working(), Receiver.open() as other:
        hers, theirs = await desk.registered(anna, receiver), await desk.registered(berta, other)
        event = await desk.happens(anna.tenant, expired())
        foreign = await desk.happens(berta.tenant, expired())
        await desk.state_of(anna, f"{hers.name}/deliveries/{event}", DELIVERED)
        await desk.state_of(berta, f"{theirs.name}/deliveries/{foreign}", DELIVERED)
    assert [each.id for each in receiver.events()] == [event]
    assert [each.id for each in other.events()] == [foreign]
    refused = await anna.refusal(pb.GetWebhookDeliveryRequest(name=f"{theirs.name}/deliveries/{foreign}"))
    assert refused.reason == "RESOURCE_NOT_FOUND"
    assert {each.event_id for each in await desk.deliveries(anna, 'event_type:"revops.quoting*"')} == {event}


async def test_a_partner_gets_the_events_of_its_own_rows_only(desk: Desk, receiver: Receiver) -> None:
    anna = await desk.caller()
    north = await desk.caller("partner", "partner-admin", tenant=anna.tenant, partner="partners/north", sub="users/nora")
    async with desk.working(), Receiver.open() as other:
        own = await desk.registered(north, receiver, roles=("partner",))
        await desk.registered(anna, other, partner="partners/south")
        assert own.partner == "partners/north"
        north_s = await desk.happens(anna.tenant, expired("partners/north"))
        south_s = await desk.happens(anna.tenant, expired("partners/south"))
        await desk.happens(anna.tenant, expired())
        await desk.happens(anna.tenant, expired("partners/northern"))
        await eventually(lambda: receiver.events() and other.events())
        await eventually(lambda: desk.counts.reacted == 4 * desk.hearing(quotes.QuoteExpired))
        await eventually(lambda: len(receiver.events()) + len(other.events()) == 2)
    assert ([each.id for each in receiver.events()], [each.id for each in other.events()]) == ([north_s], [south_s])
    assert {each.event_id for each in await desk.deliveries(north, 'event_type:"revops.quoting*"')} == {north_s}


async def test_a_crash_between_sending_and_noting_sends_the_same_again(desk: Desk, receiver: Receiver) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
    came, held = asyncio.Event(), asyncio.Event()

    async def answered_too_late(received: Received) -> web.Response:
        came.set()
        await held.wait()
        return web.Response(status=204)

    receiver.answer = answered_too_late
    test = await anna(pb.SendTestEventRequest(name=endpoint.name))
    async with running(Errands(desk.world.kernel, desk.pool, desk.counts, ATTEMPT, lease=0.05, delays=SOON)):
        await eventually(came.is_set)
    held.set()
    receiver.answer = meets_challenges
    assert (await anna(pb.GetWebhookDeliveryRequest(name=test.name))).state == pb.WebhookDelivery.STATE_PENDING
    async with running(desk.errands):
        delivered = await desk.state_of(anna, test.name, DELIVERED)
    first, second = receiver.events()
    assert (first.id, first.body) == (second.id, second.body) == (test.event_id, first.body)
    assert delivered.attempt_count == 1


async def test_an_event_that_cannot_be_read_becomes_a_dead_letter_and_others_proceed(desk: Desk, receiver: Receiver) -> None:
    anna = await desk.caller()
    async with desk.working():
        await desk.registered(anna, receiver)
        for poison in (("revops.quoting.v1.QuoteImagined", b""), ("revops.quoting.v1.QuoteExpired", b"\xff\xff")):
            await desk.published(anna.tenant, *poison)
        good = await desk.happens(anna.tenant, expired())
        await eventually(receiver.events)

        async def both() -> bool:
            methods = [each["method"] for each in await letters(desk.world, anna.tenant)]
            return methods.count("revops.platform.v1.WebhookService.OnEvent") == 2

        await eventually(both)
    assert [each.id for each in receiver.events()] == [good]


async def test_events_that_nobody_wants_leave_nothing(desk: Desk, receiver: Receiver) -> None:
    anna, berta = await desk.caller(), await desk.caller()
    async with desk.working():
        await desk.registered(berta, receiver, types=("revops.quoting.v1.QuoteAccepted",))
        before = desk.counts.reacted
        for caller in (anna, berta):
            for _ in range(20):
                await desk.happens(caller.tenant, expired())
        await eventually(lambda: desk.counts.reacted == before + 40 * desk.hearing(quotes.QuoteExpired))
    others = 20 * (desk.hearing(quotes.QuoteExpired) - 1)  # who hears of its own quotes keeps that it did
    assert await waiting(desk.world, anna.tenant, "replay") == others
    assert await waiting(desk.world, berta.tenant, "replay") == others + 1, "only the verification was an rpc"
    assert receiver.events() == []


async def test_a_stream_that_is_read_anew_brings_nothing_twice_and_nothing_of_before(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The consumer is lost, and with it what was already seen."""
    anna = await desk.caller()
    (method,) = desk.world.kernel.reactions[EVERY]
    before = await desk.happens(anna.tenant, expired())
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        monkeypatch.setattr(clock, "_OFFSET", timedelta(seconds=5))  # until then it may be unknown: the contract says so
        event = await desk.happens(anna.tenant, expired())
        await desk.state_of(anna, f"{endpoint.name}/deliveries/{event}", DELIVERED)
        await (await desk.stream.context()).delete_consumer(NAME, consumer(method))
        seen = desk.counts.reacted
        await eventually(lambda: desk.counts.reacted >= seen + 2)
        last = await desk.happens(anna.tenant, expired())
        await desk.state_of(anna, f"{endpoint.name}/deliveries/{last}", DELIVERED)
    assert before not in [each.id for each in receiver.events()]
    assert [each.id for each in receiver.events()] == [event, last]


async def test_a_receiver_that_never_answers_keeps_no_other_waiting(desk: Desk, receiver: Receiver) -> None:
    """Thirty events wait for it; those of another tenant pass them, and so do those of the tenant's other endpoint."""
    anna, berta = await desk.caller(), await desk.caller()
    hung = asyncio.Event()

    async def hangs(received: Received) -> web.Response:
        if received.event["type"] == "revops.platform.v1.WebhookVerification":
            return meets_challenges(received)
        await hung.wait()
        return web.Response()

    async with desk.working(), Receiver.open() as slow:
        slow.answer = hangs
        stuck = await desk.registered(anna, slow)
        beside = await desk.registered(anna, receiver)
        quick = await desk.registered(berta, receiver)
        for _ in range(30):
            await desk.happens(anna.tenant, expired())
        await eventually(lambda: len(slow.events()) == 4)
        mine = await desk.happens(berta.tenant, expired())
        await desk.state_of(berta, f"{quick.name}/deliveries/{mine}", DELIVERED)
        await eventually(lambda: len(receiver.events()) == 31)
        assert len(slow.events()) == 4, "more than four were under way"

        async def all_noted() -> bool:
            return len(await desk.deliveries(anna, f'state=DELIVERED AND name:"{beside.name}*"')) == 31

        await eventually(all_noted)
        hung.set()
        await eventually(lambda: len(slow.events()) == 30)
    assert stuck.state == pb.WebhookEndpoint.STATE_ENABLED


async def test_retries_do_not_disturb_the_etag_of_an_endpoint_that_works(desk: Desk, receiver: Receiver) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        for _ in range(5):
            await desk.happens(anna.tenant, expired())
        await eventually(lambda: len(receiver.events()) == 5)
        change = pb.WebhookEndpoint(name=endpoint.name, etag=endpoint.etag, display_name="Still")
        await anna(pb.UpdateWebhookEndpointRequest(webhook_endpoint=change))
        receiver.answer = always(500)
        await desk.happens(anna.tenant, expired())
        await eventually(lambda: len(receiver.events()) == 6)
