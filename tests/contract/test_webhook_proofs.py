"""Of every event of the contract a subscriber of webhooks is shown what it may read, and a partner what is its own.

The way to the receiver is tested in tests/platform/webhooks; that no other tenant's endpoint hears of an event is proven in
`test_isolation.py`, by the method that hears every event.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from revops_mesh import member
from revops_mesh.kernel.contract import described, facts, message_class
from revops_mesh.platform.webhooks.subscriptions import Subscriber, events_of
from tests.contract.methods import inside, values

EVENTS = events_of(member.methods())
EVERYTHING = member.permissions()
OWN, OTHER = "partners/x", "partners/y"
TEXTS = {FieldDescriptor.TYPE_STRING: "1", FieldDescriptor.TYPE_BYTES: b"1"}

each = pytest.mark.parametrize("name", sorted(EVENTS))


def full(name: str) -> Any:
    """An event with a value in every field, of a partner if it can be a partner's."""
    event: Any = message_class(name)()
    _fill(event)
    for field in partners(event):
        setattr(event, field.name, OWN)
    return event


def _fill(message: Any) -> None:
    for field in described(message).fields:
        if field.message_type is not None:
            inner = getattr(message, field.name)
            _fill(inner.add() if field.is_repeated else inner)
        elif field.is_repeated:
            getattr(message, field.name).append(TEXTS.get(field.type, 1))
        else:
            setattr(message, field.name, TEXTS.get(field.type, 1))


def partners(event: Message) -> Iterator[FieldDescriptor]:
    """The field that says whose partner's an event is, if it has one."""
    return (field for field in described(event).fields if facts(field).scoping == options.Field.SCOPING_PARTNER)


def shown(event: Message, permissions: frozenset[str], partner: str = "") -> Any:
    return Subscriber(permissions, partner).shown(event, EVENTS)


@each
def test_a_subscriber_that_may_read_everything_is_shown_everything(name: str) -> None:
    event = full(name)
    assert shown(event, EVERYTHING) == event


@each
def test_without_the_right_to_get_the_resource_nothing_is_shown(name: str) -> None:
    assert shown(full(name), EVERYTHING - {EVENTS[name]}) is None


@each
def test_without_its_permission_a_field_is_shown_empty_and_the_others_as_they_are(name: str) -> None:
    event = full(name)
    guarded = [(path, facts(field).read_permission) for path, field in inside(type(event)) if facts(field).read_permission]
    for permission in {permission for _, permission in guarded}:
        seen = shown(event, EVERYTHING - {permission} | {EVENTS[name]})
        for path, _ in inside(type(event)):
            hidden = any(path == closed or path.startswith(f"{closed}.") for closed, needs in guarded if needs == permission)
            assert any(values(seen, path)) != hidden, path
    assert shown(event, EVERYTHING) == event, "the event itself stays as it is"


@each
def test_a_partner_is_shown_its_own_and_nothing_else(name: str) -> None:
    event = full(name)
    own = bool(list(partners(event)))
    assert (shown(event, EVERYTHING, OWN) is not None) == own
    assert shown(event, EVERYTHING, OTHER) is None


def test_some_events_are_guarded_and_some_are_of_partners() -> None:
    assert any(facts(field).read_permission for name in EVENTS for _, field in inside(message_class(name)))
    assert any(list(partners(full(name))) for name in EVENTS)
