"""Deliveries: one event on its way to one endpoint, attempted until it is taken or the schedule ends. Instants are in UTC.

Source of the schedule: Standard Webhooks 1.0, "Deliverability and reliability".
"""

from datetime import UTC, datetime, timedelta
from typing import Self

import orjson
from google.protobuf.message import Message
from revops.platform.v1 import webhooks_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.aggregate import Aggregate, transition
from revops_mesh.kernel.call import Event
from revops_mesh.kernel.errors import Broken

from . import domain
from .domain import GONE, WebhookEndpoint
from .subscriptions import body

_State = pb.WebhookDelivery.State
PENDING, DELIVERED, FAILED = _State.STATE_PENDING, _State.STATE_DELIVERED, _State.STATE_FAILED

ALLOWED: dict[str, frozenset[int]] = {"replay": frozenset({DELIVERED, FAILED})}
"""States in which each verb is possible."""

SCHEDULE = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Between an attempt that failed and the next."""
JITTER = 0.1
"""Share of a delay that is added at most, so that what failed together does not come back together."""
KEPT_ATTEMPTS = 20
VERIFICATION, TEST = (kind.DESCRIPTOR.full_name for kind in (pb.WebhookVerification, pb.WebhookTest))
ONCE = frozenset({VERIFICATION, TEST})
"""Types that are sent once, because somebody waits for the outcome."""


class WebhookDelivery(Aggregate[pb.WebhookDelivery]):
    """One event on its way to one endpoint."""

    state_type = pb.WebhookDelivery

    @classmethod
    def of(cls, endpoint: WebhookEndpoint, happened: Event, event: Message, now: datetime) -> Self:
        """A new delivery whose first attempt is due now; `event` is as the subscriber may see it."""
        revision, n = happened.sequence
        return cls(
            pb.WebhookDelivery(
                name=f"{endpoint.name}/deliveries/{happened.id.hex}",
                event_id=happened.id.hex,
                event_type=event.DESCRIPTOR.full_name,
                subject=happened.subject,
                sequence=f"{revision}.{n}" if revision else "",
                event_time=clock.timestamp(happened.time),
                state=PENDING,
                next_attempt_time=clock.timestamp(now),
                partner=endpoint.state.partner,
                body=body(happened, event),
            )
        )

    @property
    def next_number(self) -> int:
        """The number of its next attempt."""
        return self.state.attempt_count + 1

    def awaits(self, number: int) -> bool:
        """Whether an attempt is its next."""
        return self.state.state == PENDING and number == self.next_number

    def hindrance(self, endpoint: WebhookEndpoint | None) -> str:
        """Why nothing can be sent now, "" if it can: events need an enabled endpoint, the challenge one that waits for it."""
        if endpoint is None:
            return "not sent: the endpoint was deleted"
        wanted = domain.PENDING if self.state.event_type == VERIFICATION else domain.ENABLED
        if endpoint.state.state == wanted:
            return ""
        return f"not sent: the endpoint is {pb.WebhookEndpoint.State.Name(endpoint.state.state).removeprefix('STATE_')}"

    def problem_of(self, answer: bytes) -> str:
        """Why an answer of 2xx is no success after all: the challenge was not met; "" otherwise."""
        if self.state.event_type != VERIFICATION:
            return ""
        challenge: str = orjson.loads(self.state.body)["data"]["challenge"]
        return "" if _meets(answer, challenge) else "the answer is not the challenge"

    def attempted(self, attempt: pb.WebhookAttempt, put_off: timedelta, jitter: float, *, last: bool) -> datetime | None:
        """Notes an attempt and gives when the next is due, None if none is.

        `put_off` is what the receiver asked for, `jitter` a number from 0 to 1; after the `last` there is no other.
        """
        state, begun = self.state, attempt.time.ToDatetime(tzinfo=UTC)
        state.attempt_count += 1
        state.run_attempt_count += 1
        state.attempts.append(attempt)
        del state.attempts[:-KEPT_ATTEMPTS]
        state.ClearField("next_attempt_time")
        over = last or attempt.status_code == GONE or state.event_type in ONCE or state.run_attempt_count > len(SCHEDULE)
        if not attempt.error or over:
            state.state = FAILED if attempt.error else DELIVERED
            return None
        ended = begun + timedelta(milliseconds=attempt.duration_ms)
        due = ended + max(SCHEDULE[state.run_attempt_count - 1] * (1 + JITTER * jitter), put_off)
        state.next_attempt_time.CopyFrom(clock.timestamp(due))
        return due

    def replay(self, now: datetime) -> None:
        """Begins the schedule anew. Raises WEBHOOK_DELIVERY_STATE."""
        transition(
            self.state.state, ALLOWED["replay"], _State, pb.WebhookReason, pb.WEBHOOK_DELIVERY_STATE,
            verb="replay", webhook_delivery=self.name,
        )  # fmt: skip
        self.state.state, self.state.run_attempt_count = PENDING, 0
        self.state.next_attempt_time.CopyFrom(clock.timestamp(now))

    def check(self) -> None:
        """It has a body and an id, and an attempt is to come exactly while it is pending."""
        state = self.state
        if not state.state or not state.body or not state.name.endswith(f"/{state.event_id}"):
            raise Broken(f"{self.name} has no state, no body, or another event's id")
        if state.HasField("next_attempt_time") != (state.state == PENDING):
            raise Broken(f"{self.name} is {_State.Name(state.state)}, and an attempt is to come or not")
        if not state.run_attempt_count <= state.attempt_count or len(state.attempts) > KEPT_ATTEMPTS:
            raise Broken(f"{self.name} has {len(state.attempts)} attempts of {state.attempt_count}")


def _meets(answer: bytes, challenge: str) -> bool:
    text = answer.strip()
    if text == challenge.encode():
        return True
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return found == challenge or (isinstance(found, dict) and found.get("challenge") == challenge)
