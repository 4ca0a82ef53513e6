"""An aggregate: one resource of the contract, the verbs that change it, the events they leave."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from . import clock
from .errors import Failure, Reasons

S = TypeVar("S", bound=Message)


class Aggregate(Generic[S]):
    """Wraps the state of a resource. Only methods of subclasses assign its fields; `name` is its identity."""

    state_type: type[S]

    def __init__(self, state: S, revision: int = 0) -> None:
        self.state = state
        """The resource. Stored whole."""
        self.revision = revision
        """Times it was stored; 0 is new."""
        self.events: list[Message] = []

    @property
    def name(self) -> str:
        """Its resource name."""
        name: str = self.state.name  # type: ignore[attr-defined]
        return name

    def record(self, event: Message) -> None:
        """Leaves an event, published after the commit if the method's contract declares it."""
        self.events.append(event)

    def check(self) -> None:
        """Raises `Broken` if an invariant fails; called before every write. Every aggregate has one."""
        raise NotImplementedError(f"{type(self).__name__} states no invariants")

    def stamp(self, now: datetime, *, created: bool) -> None:
        """Sets the standard times (AIP-148)."""
        state: Any = self.state
        stamp = clock.timestamp(now)
        if created:
            state.create_time.CopyFrom(stamp)
        state.update_time.CopyFrom(stamp)


def transition(
    state: int, allowed: frozenset[int], states: Any, reasons: Reasons, reason: int, *, verb: str, **subject: str
) -> None:
    """Refuses a verb outside the states it fits, with the allowed ones in the metadata.

    `states` is the generated enum; `subject` names the resource under the key the reason documents.
    """
    if state not in allowed:
        name = next(iter(subject.values()))
        raise Failure(
            reasons,
            reason,
            "{subject} is {state}; {verb} needs {allowed}.".replace("{subject}", name).replace("{verb}", verb),
            state=states.Name(state).removeprefix("STATE_"),
            allowed=" or ".join(sorted(states.Name(value).removeprefix("STATE_") for value in allowed)),
            **subject,
        )
