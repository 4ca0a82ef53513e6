"""Every event of the contract with a value in each field, and what of it is left without a permission."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from revops_mesh import member
from revops_mesh.kernel.contract import described, facts, message_class
from revops_mesh.platform.webhooks.subscriptions import events_of
from tests.contract.methods import inside, values

EVENTS = events_of(member.methods())
"""By full name the method that gets the resource of the event."""
_TEXTS = {FieldDescriptor.TYPE_STRING: "1", FieldDescriptor.TYPE_BYTES: b"1"}


def full(name: str, partner: str) -> Any:
    """An event with a value in every field, of a partner if it can be a partner's."""
    event: Any = message_class(name)()
    _fill(event)
    for field in partners(event):
        setattr(event, field.name, partner)
    return event


def _fill(message: Any) -> None:
    for field in described(message).fields:
        if field.message_type is not None:
            inner = getattr(message, field.name)
            _fill(inner.add() if field.is_repeated else inner)
        elif field.is_repeated:
            getattr(message, field.name).append(_TEXTS.get(field.type, 1))
        else:
            setattr(message, field.name, _TEXTS.get(field.type, 1))


def partners(event: Message) -> Iterator[FieldDescriptor]:
    """The field that says whose partner's an event is, if it has one."""
    return (field for field in described(event).fields if facts(field).scoping == options.Field.SCOPING_PARTNER)


def guards(name: str) -> dict[str, str]:
    """The fields of an event that need a permission, by path."""
    fields = ((path, facts(field).read_permission) for path, field in inside(message_class(name)))
    return {path: permission for path, permission in fields if permission}


def without(event: Message, permission: str) -> Message:
    """The event without the fields that need a permission."""
    copy = type(event)()
    copy.CopyFrom(event)
    for path, needed in guards(event.DESCRIPTOR.full_name).items():
        holder, _, field = path.rpartition(".")
        if needed == permission:
            for each in values(copy, holder) if holder else [copy]:
                each.ClearField(field)
    return copy
