"""The full square of an endpoint's and a delivery's states and verbs, and any sequence of attempts. No store, no network."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.platform.v1 import webhooks_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Event
from revops_mesh.kernel.errors import BadField, Broken, Failure
from revops_mesh.kernel.names import new_uuid
from revops_mesh.platform.webhooks import deliveries, domain
from revops_mesh.platform.webhooks.deliveries import JITTER, KEPT_ATTEMPTS, SCHEDULE, WebhookDelivery
from revops_mesh.platform.webhooks.domain import PATIENCE, WebhookEndpoint

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://erp.example/hooks"
E, D = pb.WebhookEndpoint.State, pb.WebhookDelivery.State
OFFER = pb.WebhookEndpoint(
    display_name="ERP", url=URL, event_types=["revops.quoting.v1.*"], roles=["viewer"], partner="partners/x"
)


def endpoint(state: int = E.STATE_ENABLED) -> WebhookEndpoint:
    """An endpoint in a state, by the verbs that lead there."""
    made = WebhookEndpoint.register("webhookEndpoints/e", OFFER, b"sealed", NOW, ())
    if state != E.STATE_PENDING_VERIFICATION:
        assert made.verified(URL, NOW)
    if state == E.STATE_DISABLED:
        made.disable()
    made.events.clear()
    made.check()
    return made


def attempt(at: datetime = NOW, status: int = 200, error: str = "", duration_ms: int = 0) -> pb.WebhookAttempt:
    return pb.WebhookAttempt(time=clock.timestamp(at), status_code=status, error=error, duration_ms=duration_ms)


def delivery(state: int = D.STATE_PENDING, event: object = None) -> WebhookDelivery:
    """A delivery in a state, by what leads there."""
    happened = Event(new_uuid(), "quotes/q", (3, 0), NOW)
    made = WebhookDelivery.of(endpoint(), happened, event or pb.WebhookEndpointDisabled(webhook_endpoint="x"), NOW)  # type: ignore[arg-type]
    if state == D.STATE_DELIVERED:
        assert made.attempted(attempt(), timedelta(), 0, last=False) is None
    elif state == D.STATE_FAILED:
        assert made.attempted(attempt(status=410, error="gone"), timedelta(), 0, last=False) is None
    made.check()
    return made


VERBS: dict[str, Callable[[WebhookEndpoint], object]] = {
    "verify": lambda e: e.must_allow("verify"),
    "enable": lambda e: e.enable(NOW),
    "disable": lambda e: e.disable(),
    "send a test": lambda e: e.must_allow("send a test"),
    "replay": lambda e: e.must_allow("replay"),
}
SQUARE = {
    "verify": {E.STATE_PENDING_VERIFICATION: E.STATE_PENDING_VERIFICATION},
    "enable": {E.STATE_DISABLED: E.STATE_ENABLED},
    "disable": {E.STATE_ENABLED: E.STATE_DISABLED},
    "send a test": {E.STATE_ENABLED: E.STATE_ENABLED},
    "replay": {E.STATE_ENABLED: E.STATE_ENABLED},
}
"""Where each verb leads from each state it fits."""


@pytest.mark.parametrize("state", E.values()[1:], ids=E.keys()[1:])
@pytest.mark.parametrize("verb", VERBS)
def test_the_full_square_of_an_endpoint(verb: str, state: int) -> None:
    made = endpoint(state)
    before = made.state.SerializeToString()
    if (after := SQUARE[verb].get(state)) is not None:  # type: ignore[call-overload]
        VERBS[verb](made)
        assert made.state.state == after
        made.check()
        return
    with pytest.raises(Failure) as refused:
        VERBS[verb](made)
    assert (refused.value.reason, refused.value.metadata["state"]) == ("WEBHOOK_STATE", E.Name(state).removeprefix("STATE_"))
    assert (made.state.SerializeToString(), made.events) == (before, [])


def test_the_square_is_that_of_the_table() -> None:
    assert {verb: set(states) for verb, states in SQUARE.items()} == {k: set(v) for k, v in domain.ALLOWED.items()}


@pytest.mark.parametrize("state", D.values()[1:], ids=D.keys()[1:])
def test_the_full_square_of_a_delivery(state: int) -> None:
    made = delivery(state)
    if state in deliveries.ALLOWED["replay"]:
        made.replay(NOW)
        assert made.state.state == D.STATE_PENDING
        made.check()
        return
    with pytest.raises(Failure) as refused:
        made.replay(NOW)
    assert (refused.value.reason, refused.value.metadata["allowed"]) == ("WEBHOOK_DELIVERY_STATE", "DELIVERED or FAILED")


@pytest.mark.parametrize("state", E.values()[1:], ids=E.keys()[1:])
def test_whatever_its_state_another_url_begins_anew_and_the_same_changes_nothing(state: int) -> None:
    made, changed = endpoint(state), pb.WebhookEndpoint()
    changed.CopyFrom(made.state)
    changed.display_name = "CRM"
    made.update(changed, ())
    assert (made.state.state, made.state.display_name) == (state, "CRM")
    changed.CopyFrom(made.state)
    changed.url = "https://crm.example/hooks"
    made.update(changed, ())
    made.check()
    assert (made.state.state, made.state.HasField("verify_time")) == (E.STATE_PENDING_VERIFICATION, False)
    changed.url = "https://10.0.0.1/"
    with pytest.raises(BadField):
        made.update(changed, ())


@pytest.mark.parametrize("state", E.values()[1:], ids=E.keys()[1:])
def test_a_met_challenge_counts_only_where_it_is_awaited(state: int) -> None:
    made = endpoint(state)
    assert made.verified("https://other.example/", NOW) is False
    assert made.verified(URL, NOW) is (state == E.STATE_PENDING_VERIFICATION)
    made.check()


@given(st.lists(st.tuples(st.integers(0, 48 * 60), st.sampled_from([200, 204, 500, 0]))))
def test_an_endpoint_is_disabled_by_the_first_failure_five_days_after_the_first_in_a_row(history: list[tuple[int, int]]) -> None:
    """Any sequence of attempts, minutes apart, against a plain account of them."""
    made, now, failing_since = endpoint(), NOW, None
    for minutes, status in history:
        now += timedelta(minutes=minutes)
        failed = not 200 <= status < 300
        failing_since = (failing_since or now) if failed else None
        made.note(attempt(now, status, "failed" if failed else ""), URL)
        made.check()
        if failing_since is not None and now - failing_since >= PATIENCE:
            assert made.state.disable_cause == pb.WebhookEndpoint.DISABLE_CAUSE_FAILING
            assert made.events == [
                pb.WebhookEndpointDisabled(
                    webhook_endpoint=made.name, cause=pb.WebhookEndpoint.DISABLE_CAUSE_FAILING, partner="partners/x"
                )
            ]
            return
        assert made.state.state == E.STATE_ENABLED
        assert made.state.HasField("failing_since") is (failing_since is not None)


def test_what_happened_before_it_was_enabled_is_not_wanted() -> None:
    """A stream that is read anew, or late, brings events of before."""
    made, wanted = endpoint(), "revops.quoting.v1.QuoteExpired"
    assert made.wants(wanted, NOW)
    assert not made.wants(wanted, NOW - timedelta(seconds=1))
    made.disable()
    assert not made.wants(wanted, NOW)
    made.enable(NOW + timedelta(hours=1))
    assert not made.wants(wanted, NOW)
    assert made.wants(wanted, NOW + timedelta(hours=2))


@pytest.mark.parametrize("state", E.values()[1:], ids=E.keys()[1:])
def test_what_comes_of_attempts_elsewhere_or_without_being_enabled_does_not_count(state: int) -> None:
    made = endpoint(state)
    before = made.state.SerializeToString()
    made.note(attempt(status=410, error="gone"), "https://other.example/")
    made.note(attempt(status=410, error="not sent"), "")
    if state != E.STATE_ENABLED:
        made.note(attempt(status=410, error="gone"), URL)
    assert made.state.SerializeToString() == before


@given(st.lists(st.tuples(st.sampled_from([500, 0, 200]), st.integers(0, 3000), st.floats(0, 1)), min_size=1, max_size=40))
def test_any_attempts_keep_to_the_schedule_and_leave_few_traces(history: list[tuple[int, int, float]]) -> None:
    made, now, run = delivery(), NOW, 0
    for count, (status, asked, jitter) in enumerate(history, 1):
        error = "" if status == 200 else "failed"
        number = made.next_number
        assert (made.awaits(number), made.awaits(number + 1), made.awaits(number - 1)) == (True, False, False)
        due = made.attempted(attempt(now, status, error, duration_ms=500), timedelta(seconds=asked), jitter, last=False)
        made.check()
        assert made.state.attempt_count == count
        assert len(made.state.attempts) == min(count, KEPT_ATTEMPTS)
        if due is None:
            assert made.state.state == (D.STATE_FAILED if error else D.STATE_DELIVERED)
            assert not error or run == len(SCHEDULE)
            made.replay(now)
            run = 0
            continue
        ended = now + timedelta(milliseconds=500)
        least, most = SCHEDULE[run], SCHEDULE[run] * (1 + JITTER)
        put_off = timedelta(seconds=asked)
        assert max(least, put_off) <= due - ended <= max(most, put_off) + timedelta(milliseconds=1)
        now, run = due, run + 1


@pytest.mark.parametrize(
    "event", [pb.WebhookTest(webhook_endpoint="x"), pb.WebhookVerification(webhook_endpoint="x", challenge="c")]
)
def test_what_somebody_waits_for_is_sent_once(event: object) -> None:
    made = delivery(event=event)
    assert made.attempted(attempt(status=500, error="failed"), timedelta(), 0, last=False) is None
    assert made.state.state == D.STATE_FAILED


def test_two_secrets_sign_the_newest_for_ever_and_the_last_for_a_day() -> None:
    made = endpoint()
    for n in range(1, 4):
        made.rotate(f"sealed {n}".encode(), NOW + timedelta(minutes=n))
        made.check()
    later = NOW + timedelta(minutes=3, hours=24)
    assert made.signing(later - timedelta(seconds=1)) == [b"sealed 3", b"sealed 2"]
    assert made.signing(later) == [b"sealed 3"]
    assert [secret.sealed for secret in made.shown.signing_secrets] == [b"", b""]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s.ClearField("roles"),
        lambda s: s.ClearField("event_types"),
        lambda s: s.ClearField("signing_secrets"),
        lambda s: s.ClearField("verify_time"),
        lambda s: s.ClearField("enable_time"),
        lambda s: setattr(s, "secret", "kept"),
        lambda s: setattr(s, "state", E.STATE_DISABLED),
        lambda s: setattr(s, "disable_cause", 1),
        lambda s: setattr(s, "consecutive_failures", 1),
        lambda s: s.signing_secrets[0].expire_time.FromSeconds(1),
        lambda s: s.signing_secrets.add(sealed=b"x"),
    ],
)
def test_an_endpoint_that_breaks_its_invariants_is_broken(spoil: Callable[[pb.WebhookEndpoint], object]) -> None:
    made = endpoint()
    spoil(made.state)
    with pytest.raises(Broken):
        made.check()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s.ClearField("body"),
        lambda s: s.ClearField("state"),
        lambda s: s.ClearField("next_attempt_time"),
        lambda s: setattr(s, "state", D.STATE_DELIVERED),
        lambda s: setattr(s, "event_id", "other"),
        lambda s: setattr(s, "run_attempt_count", 1),
        lambda s: s.attempts.extend([pb.WebhookAttempt()] * 21),
    ],
)
def test_a_delivery_that_breaks_its_invariants_is_broken(spoil: Callable[[pb.WebhookDelivery], object]) -> None:
    made = delivery()
    spoil(made.state)
    with pytest.raises(Broken):
        made.check()
