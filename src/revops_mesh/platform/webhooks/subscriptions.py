"""Which events there are to subscribe to, who may see them, and what they look like outside.

Who may get a resource, by permission and by edition, may get the events about it, and of them the fields that they may read.
A partner gets an event only if the event names its partner in the field that the contract marks with SCOPING_PARTNER.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import orjson
from google.protobuf import json_format
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import webhooks_pb2 as pb

from revops_mesh.kernel import clock, walk
from revops_mesh.kernel.call import Event
from revops_mesh.kernel.contract import Method, described, facts, memo, message_class
from revops_mesh.kernel.errors import Failure, edition_required

ALL = ".*"


def events_of(methods: Iterable[Method]) -> Mapping[str, Method]:
    """Every event that methods emit, with the method that gets the resource that it names in its first field.

    An event about something that no method gets cannot be subscribed to, and is not among them.
    """
    known = list(methods)
    getters = {(method.capability, method.name): method for method in known if method.policy.permission}
    found: dict[str, Method] = {}
    for event in sorted({event for method in known for event in method.emits}):
        first = described(message_class(event)).fields[0].name
        getter = "Get" + "".join(part.capitalize() for part in first.split("_"))
        if method := getters.get((event.split(".")[1], getter)):
            found[event] = method
    return found


def matches(wanted: Collection[str], event_type: str) -> bool:
    """Whether full names and wildcards like "revops.quoting.v1.*" include a type of event."""
    return event_type in wanted or event_type.rpartition(".")[0] + ALL in wanted


@memo
def partner_field(event: type[Message]) -> str:
    """The field that says whose partner's an event is, "" if none does."""
    scoping = (f.name for f in described(event).fields if facts(f).scoping == options.Field.SCOPING_PARTNER)
    return next(scoping, "")


@dataclass(frozen=True, slots=True)
class Subscriber:
    """As whom an endpoint receives."""

    permissions: frozenset[str]
    partner: str
    """`partners/{partner}`, "" for the tenant itself."""
    edition: int
    """Of the tenant."""

    def must_get(self, wanted: Iterable[str], events: Mapping[str, Method]) -> None:
        """Raises WEBHOOK_EVENT_TYPE_UNKNOWN, or WEBHOOK_EVENT_TYPE_HIDDEN or EDITION_REQUIRED for what would never be sent."""
        for each in wanted:
            meant = [event for event in events if matches([each], event)]
            if not meant:
                raise Failure(
                    pb.WebhookReason, pb.WEBHOOK_EVENT_TYPE_UNKNOWN, "There is no event {event_type}.", event_type=each
                )  # fmt: skip
            visible = [event for event in meant if events[event].policy.permission in self.permissions]
            if not visible:
                raise Failure(
                    pb.WebhookReason, pb.WEBHOOK_EVENT_TYPE_HIDDEN, "For {event_type} the roles lack {permission}.",
                    event_type=each, permission=events[meant[0]].policy.permission,
                )  # fmt: skip
            least = min(events[event].policy.edition for event in visible)
            if self.edition < least:
                raise edition_required(least, self.edition)  # type: ignore[arg-type]
            if self.partner and not any(partner_field(message_class(event)) for event in visible):
                raise Failure(
                    pb.WebhookReason, pb.WEBHOOK_EVENT_TYPE_HIDDEN, "{event_type} belongs to no partner.", event_type=each
                )  # fmt: skip

    def shown(self, event: Message, events: Mapping[str, Method]) -> Message | None:
        """A copy of an event as the subscriber may see it, None if it may not."""
        field, getter = partner_field(type(event)), events.get(event.DESCRIPTOR.full_name)
        if getter is None or getter.policy.permission not in self.permissions or self.edition < getter.policy.edition:
            return None
        if self.partner and not (field and getattr(event, field) == self.partner):
            return None
        copy = type(event)()
        copy.CopyFrom(event)
        walk.mask(copy, self.permissions)
        return copy


def body(happened: Event, event: Message, event_type: str = "") -> str:
    """The JSON that is sent: CloudEvents facts and, as `data`, the event in its JSON form (protobuf)."""
    revision, n = happened.sequence
    return orjson.dumps(
        {
            "id": happened.id.hex,
            "type": event_type or event.DESCRIPTOR.full_name,
            "timestamp": clock.timestamp(happened.time).ToJsonString(),
            "subject": happened.subject,
            "sequence": f"{revision}.{n}" if revision else "",
            "data": json_format.MessageToDict(event),
        }
    ).decode()
