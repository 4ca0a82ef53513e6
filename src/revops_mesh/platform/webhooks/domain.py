"""Webhook endpoints: who receives what, verified by a challenge, disabled when they fail for long. Instants are in UTC."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Self, TypeVar

from google.protobuf.message import Message
from revops.platform.v1 import webhooks_pb2 as pb

from revops_mesh.kernel import clock, walk
from revops_mesh.kernel.aggregate import Aggregate, transition
from revops_mesh.kernel.errors import Broken

from .addresses import Network, must_be_sendable
from .subscriptions import matches

M = TypeVar("M", bound=Message)
_State, _Cause = pb.WebhookEndpoint.State, pb.WebhookEndpoint.DisableCause
PENDING, ENABLED, DISABLED = _State.STATE_PENDING_VERIFICATION, _State.STATE_ENABLED, _State.STATE_DISABLED

ALLOWED: dict[str, frozenset[int]] = {
    "verify": frozenset({PENDING}),
    "enable": frozenset({DISABLED}),
    "disable": frozenset({ENABLED}),
    "send a test": frozenset({ENABLED}),
    "replay": frozenset({ENABLED}),
}
"""States in which each verb is possible."""

OVERLAP = timedelta(hours=24)
"""How long the previous secret signs beside a new one."""
PATIENCE = timedelta(days=5)
"""How long every attempt may fail before an endpoint is disabled."""
SUCCESS_BEHIND = timedelta(minutes=10)
"""How far `last_success_time` may be behind: written with every success it would make every etag stale, and deliveries wait."""
GONE = 410


class WebhookEndpoint(Aggregate[pb.WebhookEndpoint]):
    """A receiver of events."""

    state_type = pb.WebhookEndpoint

    @classmethod
    def register(cls, name: str, offer: pb.WebhookEndpoint, sealed: bytes, now: datetime, allowed: Collection[Network]) -> Self:
        """A new endpoint that waits to be verified. Raises BadField for a URL to which nothing is ever sent."""
        must_be_sendable(offer.url, allowed, "webhook_endpoint.url")
        endpoint = cls(pb.WebhookEndpoint())
        endpoint.state.CopyFrom(offer)
        endpoint.state.name, endpoint.state.state = name, PENDING
        endpoint.rotate(sealed, now)
        return endpoint

    def update(self, changed: pb.WebhookEndpoint, allowed: Collection[Network]) -> None:
        """Takes over changed fields; at another URL it has to be verified again. Raises BadField as `register`."""
        moved = changed.url != self.state.url
        if moved:
            must_be_sendable(changed.url, allowed, "webhook_endpoint.url")
        self.state.CopyFrom(changed)
        if moved:
            self.state.state, self.state.disable_cause = PENDING, _Cause.DISABLE_CAUSE_UNSPECIFIED
            self.state.ClearField("verify_time")
            self.state.ClearField("enable_time")
            self._forget_failures()

    def rotate(self, sealed: bytes, now: datetime) -> None:
        """Signs with a new secret, and for a while with the last one, too."""
        fresh = pb.SigningSecret(sealed=sealed, create_time=clock.timestamp(now))
        kept = list(self.state.signing_secrets[:1])
        for secret in kept:
            secret.expire_time.CopyFrom(clock.timestamp(now + OVERLAP))
        del self.state.signing_secrets[:]
        self.state.signing_secrets.extend([fresh, *kept])

    def verified(self, url: str, now: datetime) -> bool:
        """The receiver at a URL met the challenge; False, and nothing changes, if it no longer waits for that, or has moved."""
        if self.state.state != PENDING or url != self.state.url:
            return False
        self.state.state, stamp = ENABLED, clock.timestamp(now)
        for known in (self.state.verify_time, self.state.enable_time, self.state.last_success_time):
            known.CopyFrom(stamp)
        return True

    def enable(self, now: datetime) -> None:
        """Gets events again. Raises WEBHOOK_STATE."""
        self.must_allow("enable")
        self.state.state, self.state.disable_cause = ENABLED, _Cause.DISABLE_CAUSE_UNSPECIFIED
        self.state.enable_time.CopyFrom(clock.timestamp(now))
        self._forget_failures()

    def disable(self, cause: "pb.WebhookEndpoint.DisableCause.ValueType" = _Cause.DISABLE_CAUSE_CALLER) -> None:
        """Gets no more events. Raises WEBHOOK_STATE."""
        self.must_allow("disable")
        self.state.state, self.state.disable_cause = DISABLED, cause
        self.state.ClearField("enable_time")
        self.record(pb.WebhookEndpointDisabled(webhook_endpoint=self.name, cause=cause, partner=self.state.partner))

    def is_changed_by(self, attempt: pb.WebhookAttempt, url: str) -> bool:
        """Whether `note` has something to note: of an endpoint that works it is little, so that deliveries do not wait for it."""
        state = self.state
        if state.state != ENABLED or url != state.url:
            return False
        return bool(attempt.error or state.consecutive_failures) or _instant(attempt) - self._last_success > SUCCESS_BEHIND

    def note(self, attempt: pb.WebhookAttempt, url: str) -> None:
        """Counts an attempt; one that failed may disable it, at once after 410 Gone."""
        if not self.is_changed_by(attempt, url):
            return
        state = self.state
        if not attempt.error:
            state.last_success_time.CopyFrom(attempt.time)
            self._forget_failures()
            return
        if not state.HasField("failing_since"):
            state.failing_since.CopyFrom(attempt.time)
        state.consecutive_failures += 1
        state.last_failure_time.CopyFrom(attempt.time)
        if attempt.status_code == GONE:
            self.disable(_Cause.DISABLE_CAUSE_GONE)
        elif _instant(attempt) - state.failing_since.ToDatetime(tzinfo=UTC) >= PATIENCE:
            self.disable(_Cause.DISABLE_CAUSE_FAILING)

    @property
    def _last_success(self) -> datetime:
        return self.state.last_success_time.ToDatetime(tzinfo=UTC)  # 1970 if there is none

    def _forget_failures(self) -> None:
        self.state.consecutive_failures = 0
        self.state.ClearField("failing_since")

    def wants(self, event_type: str, happened: datetime) -> bool:
        """Whether it subscribed to a type of event and was enabled by the time it happened."""
        since = self.state.enable_time.ToDatetime(tzinfo=UTC)
        return self.state.state == ENABLED and since <= happened and matches(self.state.event_types, event_type)

    def signing(self, now: datetime) -> list[bytes]:
        """The sealed secrets that sign now."""
        live = (
            s for s in self.state.signing_secrets if not s.HasField("expire_time") or s.expire_time.ToDatetime(tzinfo=UTC) > now
        )
        return [secret.sealed for secret in live]

    def must_allow(self, verb: str) -> None:
        """Raises WEBHOOK_STATE unless the state allows the verb."""
        transition(
            self.state.state, ALLOWED[verb], _State, pb.WebhookReason, pb.WEBHOOK_STATE, verb=verb, webhook_endpoint=self.name
        )  # fmt: skip

    @property
    def shown(self) -> pb.WebhookEndpoint:
        """A copy without what signs."""
        copy = pb.WebhookEndpoint()
        copy.CopyFrom(self.state)
        return without_secrets(copy)

    def check(self) -> None:
        """It wants something as somebody, can sign, is verified unless it waits for that, and is disabled for a cause."""
        state, secrets = self.state, self.state.signing_secrets
        if not (state.event_types and state.roles and state.url) or state.secret:
            raise Broken(f"{self.name} wants nothing, is nobody or nowhere, or keeps its secret")
        newest = [secret.HasField("expire_time") for secret in secrets] in ([False], [False, True])
        if not newest or not all(secret.sealed for secret in secrets):
            raise Broken(f"{self.name} has {len(secrets)} secrets, or one without a seal or an end")
        if not state.state or state.HasField("verify_time") == (state.state == PENDING):
            raise Broken(f"{self.name} is {_State.Name(state.state)}, verified: {state.HasField('verify_time')}")
        if state.HasField("enable_time") != (state.state == ENABLED):
            raise Broken(f"{self.name} is {_State.Name(state.state)}, since some time or not")
        if bool(state.disable_cause) != (state.state == DISABLED):
            raise Broken(f"{self.name} is {_State.Name(state.state)} because of {_Cause.Name(state.disable_cause)}")
        if state.HasField("failing_since") != bool(state.consecutive_failures):
            raise Broken(f"{self.name} has failed {state.consecutive_failures} times since never, or never since some time")


def _instant(attempt: pb.WebhookAttempt) -> datetime:
    return attempt.time.ToDatetime(tzinfo=UTC)


def without_secrets(answer: M) -> M:
    """Clears what an answer must not show, seals and bodies, and gives it."""
    if (strip := walk.without_secrets(type(answer))) is not None:
        strip(answer)
    return answer
