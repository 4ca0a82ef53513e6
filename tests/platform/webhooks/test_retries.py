"""What becomes of a delivery that fails: attempts by the schedule, the end of an endpoint that fails for long, replays."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from revops.platform.v1 import webhooks_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel import clock
from revops_mesh.kernel.kinds import kind_of
from revops_mesh.messaging.housekeeping import Housekeeping
from revops_mesh.messaging.worker import Counts
from revops_mesh.platform.webhooks.deliveries import JITTER, SCHEDULE
from tests.messaging.running import eventually
from tests.platform.webhooks.desk import Desk
from tests.platform.webhooks.receiver import Receiver, always, meets_challenges
from tests.world import Caller

PENDING, DELIVERED, FAILED = range(1, 4)
EXPIRED = quotes.QuoteExpired(quote="quotes/q1", version=2)


class Shift:
    """A clock that only goes forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def to(self, instant: datetime) -> None:
        self._patch.setattr(clock, "_OFFSET", clock._OFFSET + max(instant - clock.now(), timedelta()))


@pytest.fixture
def shift(monkeypatch: pytest.MonkeyPatch) -> Shift:
    return Shift(monkeypatch)


async def attempted(desk: Desk, anna: Caller, name: str, count: int) -> Any:
    """The delivery, once so many attempts of it are noted."""

    async def noted() -> Any:
        found = await anna(pb.GetWebhookDeliveryRequest(name=name))
        return found if found.attempt_count == count else None

    return await eventually(noted)


async def failing(desk: Desk, anna: Caller, receiver: Receiver, endpoint: Any) -> Any:
    """An event whose first attempt has failed."""
    event = await desk.happens(anna.tenant, EXPIRED)
    await desk.state_of(anna, f"{endpoint.name}/deliveries/{event}", PENDING)
    return await attempted(desk, anna, f"{endpoint.name}/deliveries/{event}", 1)


def due(delivery: Any) -> datetime:
    found: datetime = delivery.next_attempt_time.ToDatetime(tzinfo=UTC)
    return found


async def test_ten_attempts_by_the_schedule_then_it_failed_and_after_five_days_the_endpoint_is_disabled(
    desk: Desk, receiver: Receiver, shift: Shift
) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        receiver.answer = always(500)
        delivery = await failing(desk, anna, receiver, endpoint)
        for number, delay in enumerate(SCHEDULE, 2):
            attempt = delivery.attempts[-1]
            assert (attempt.status_code, attempt.error, len(attempt.answer)) == (500, "the receiver answered 500", 1024)
            pause = due(delivery) - attempt.time.ToDatetime(tzinfo=UTC)
            assert delay <= pause <= delay * (1 + JITTER) + timedelta(seconds=1)
            shift.to(due(delivery))
            delivery = await attempted(desk, anna, delivery.name, number)
        assert (delivery.state, delivery.HasField("next_attempt_time")) == (FAILED, False)
        state = await anna(pb.GetWebhookEndpointRequest(name=endpoint.name))
        assert (state.state, state.consecutive_failures) == (pb.WebhookEndpoint.STATE_ENABLED, 10)
        shift.to(state.failing_since.ToDatetime(tzinfo=UTC) + timedelta(days=5))
        await failing(desk, anna, receiver, endpoint)
        state = await desk.state_of(anna, endpoint.name, pb.WebhookEndpoint.STATE_DISABLED)
        assert state.disable_cause == pb.WebhookEndpoint.DISABLE_CAUSE_FAILING
        shift.to(clock.now() + timedelta(seconds=5))
        before, heard = len(receiver.events()), desk.counts.reacted
        await desk.happens(anna.tenant, EXPIRED)
        await eventually(lambda: desk.counts.reacted > heard)
        assert len(await desk.deliveries(anna, 'event_type:"revops.quoting*"')) == 2
    assert len({each.id for each in receiver.events()}) == 2
    assert len(receiver.events()) == before


async def test_a_success_forgets_the_failures(desk: Desk, receiver: Receiver, shift: Shift) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        receiver.answer = always(503)
        delivery = await failing(desk, anna, receiver, endpoint)
        receiver.answer = meets_challenges
        shift.to(due(delivery))
        delivery = await desk.state_of(anna, delivery.name, DELIVERED)
    assert [attempt.status_code for attempt in delivery.attempts] == [503, 204]
    state = await anna(pb.GetWebhookEndpointRequest(name=endpoint.name))
    assert (state.consecutive_failures, state.HasField("failing_since")) == (0, False)
    assert state.last_failure_time.ToDatetime() < state.last_success_time.ToDatetime()


async def test_gone_disables_at_once_and_tells(desk: Desk, receiver: Receiver) -> None:
    anna = await desk.caller()
    async with desk.working(), Receiver.open() as watching:
        await desk.registered(anna, watching, types=("revops.platform.v1.WebhookEndpointDisabled",))
        endpoint = await desk.registered(anna, receiver)
        receiver.answer = always(410)
        event = await desk.happens(anna.tenant, EXPIRED)
        delivery = await desk.state_of(anna, f"{endpoint.name}/deliveries/{event}", FAILED)
        state = await desk.state_of(anna, endpoint.name, pb.WebhookEndpoint.STATE_DISABLED)
        (told,) = await eventually(watching.events)
    assert (delivery.attempt_count, state.disable_cause) == (1, pb.WebhookEndpoint.DISABLE_CAUSE_GONE)
    assert told.event["data"] == {"webhookEndpoint": endpoint.name, "cause": "DISABLE_CAUSE_GONE"}


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [("120", 120, 122), ("date", 115, 121), ("999999", 86_400, 86_402), ("1", 5, 7), ("soon", 5, 7), ("-5", 5, 7)],
)
async def test_a_receiver_is_left_alone_as_long_as_it_asks(
    asked: str, least: int, most: int, desk: Desk, receiver: Receiver
) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        text = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True) if asked == "date" else asked
        receiver.answer = always(429, Retry_After=text)
        delivery = await failing(desk, anna, receiver, endpoint)
    pause = due(delivery) - delivery.attempts[0].time.ToDatetime(tzinfo=UTC)
    assert least <= pause.total_seconds() <= most


async def test_a_replay_sends_the_same_again(desk: Desk, receiver: Receiver) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        event = await desk.happens(anna.tenant, EXPIRED)
        name = f"{endpoint.name}/deliveries/{event}"
        await desk.state_of(anna, name, DELIVERED)
        replayed = await anna(pb.ReplayWebhookDeliveryRequest(name=name))
        assert (replayed.state, replayed.body, replayed.run_attempt_count) == (PENDING, "", 0)
        delivery = await attempted(desk, anna, name, 2)
        first, second = receiver.events()
    assert (first.id, first.body) == (second.id, second.body)
    assert (delivery.state, delivery.run_attempt_count, len(delivery.attempts)) == (DELIVERED, 1, 2)


async def test_what_is_pending_cannot_be_replayed_nor_anything_while_disabled(desk: Desk, receiver: Receiver) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        receiver.answer = always(500)
        delivery = await failing(desk, anna, receiver, endpoint)
    refused = await anna.refusal(pb.ReplayWebhookDeliveryRequest(name=delivery.name))
    assert refused.reason == "WEBHOOK_DELIVERY_STATE"
    assert refused.metadata == {"webhook_delivery": delivery.name, "state": "PENDING", "allowed": "DELIVERED or FAILED"}
    await anna(pb.DisableWebhookEndpointRequest(name=endpoint.name))
    since = pb.ReplayFailedWebhookDeliveriesRequest(parent=endpoint.name, start_time=Timestamp(seconds=1))
    for request in (pb.ReplayWebhookDeliveryRequest(name=delivery.name), since):
        assert (await anna.refusal(request)).reason == "WEBHOOK_STATE"


async def test_everything_that_failed_since_an_instant_is_replayed_but_tests(
    desk: Desk, receiver: Receiver, shift: Shift
) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        receiver.answer = always(410)
        old = await desk.happens(anna.tenant, EXPIRED)
        await desk.state_of(anna, f"{endpoint.name}/deliveries/{old}", FAILED)
        shift.to(clock.now() + timedelta(hours=1))
        since = clock.now()
        failed = []
        for _ in range(3):
            await anna(pb.EnableWebhookEndpointRequest(name=endpoint.name))
            shift.to(clock.now() + timedelta(seconds=5))
            failed.append(f"{endpoint.name}/deliveries/{await desk.happens(anna.tenant, EXPIRED)}")
            await desk.state_of(anna, failed[-1], FAILED)
        await anna(pb.EnableWebhookEndpointRequest(name=endpoint.name))
        test = await anna(pb.SendTestEventRequest(name=endpoint.name))
        await desk.state_of(anna, test.name, FAILED)
        receiver.answer = meets_challenges
        await anna(pb.EnableWebhookEndpointRequest(name=endpoint.name))
        request = pb.ReplayFailedWebhookDeliveriesRequest(parent=endpoint.name, start_time=clock.timestamp(since))
        assert (await anna(request)).replayed_count == 3
        for name in failed:
            await desk.state_of(anna, name, DELIVERED)
        assert (await anna(request)).replayed_count == 0
    assert (await anna(pb.GetWebhookDeliveryRequest(name=f"{endpoint.name}/deliveries/{old}"))).state == FAILED


async def test_while_an_endpoint_is_disabled_its_retries_go_nowhere_and_do_not_count(
    desk: Desk, receiver: Receiver, shift: Shift
) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        receiver.answer = always(500)
        delivery = await failing(desk, anna, receiver, endpoint)
        await anna(pb.DisableWebhookEndpointRequest(name=endpoint.name))
        shift.to(due(delivery))
        delivery = await attempted(desk, anna, delivery.name, 2)
        assert (delivery.attempts[1].error, delivery.state) == ("not sent: the endpoint is DISABLED", PENDING)
        assert len(receiver.events()) == 1
        receiver.answer = meets_challenges
        await anna(pb.EnableWebhookEndpointRequest(name=endpoint.name))
        shift.to(due(delivery))
        await desk.state_of(anna, delivery.name, DELIVERED)


async def test_what_waits_for_a_deleted_endpoint_failed(desk: Desk, receiver: Receiver, shift: Shift) -> None:
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        receiver.answer = always(500)
        delivery = await failing(desk, anna, receiver, endpoint)
        await anna(pb.DeleteWebhookEndpointRequest(name=endpoint.name))
        shift.to(due(delivery))
        delivery = await desk.state_of(anna, delivery.name, FAILED)
    assert delivery.attempts[-1].error == "not sent: the endpoint was deleted"
    assert len(receiver.events()) == 1


async def test_after_thirty_days_a_delivery_is_gone_and_with_it_its_attempts(
    desk: Desk, receiver: Receiver, shift: Shift
) -> None:
    anna, counts = await desk.caller(), Counts()
    house = Housekeeping(desk.pool, counts, {kind_of(pb.WebhookDelivery), kind_of(pb.WebhookEndpoint)})
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        receiver.answer = always(500)
        delivery = await failing(desk, anna, receiver, endpoint)
    while await house.tidy():
        pass
    assert len(await desk.deliveries(anna)) == 2
    shift.to(clock.now() + timedelta(days=30, seconds=1))
    while await house.tidy():
        pass
    assert await desk.deliveries(anna) == []
    async with desk.working():
        await eventually(lambda: desk.counts.fired)
    assert (len(receiver.events()), desk.counts.dead) == (1, 0)
    assert (await anna(pb.GetWebhookEndpointRequest(name=endpoint.name))).name == delivery.name.split("/deliveries/")[0]
