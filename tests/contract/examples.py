"""Values as people send them, taken from the contract: what a rule gives as an example, else the simplest value that it admits.

Of a message only what matters is set: what is required, and what has a read permission or a data class, so that every promise
about such fields has something to hold. Everything else stays empty.
"""

import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from buf.validate import validate_pb2
from google.api import field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st

from revops_mesh.kernel.contract import described, facts
from tests.contract.methods import is_output_only

Named = Callable[[str], Awaitable[str]]
"""Gives the name of a resource of a type, as in "revops/Quote"."""

WELL_KNOWN: dict[str, Message] = {
    "google.protobuf.Timestamp": Timestamp(seconds=1_772_438_400),
    "google.type.Date": Date(year=2026, month=3, day=2),
}
WELL_FORMED = {
    "uuid": "c9b1f3a4-6f0e-4d7b-9a34-1f2e3d4c5b6a",
    "email": "anna@acme.example",
    "uri": "https://acme.example/",
    "hostname": "acme.example",
}
USUAL = ("1", "EUR", "DE")
"""Amounts, currencies and regions: what a pattern of such a form means more often than the simplest text of that form."""


def reference_of(field: FieldDescriptor) -> str:
    """The type of the resource that a field names, "" if it names none."""
    return str(field.GetOptions().Extensions[resource_pb2.resource_reference].type)


def required(field: FieldDescriptor) -> bool:
    """Whether a request must set a field: the contract says so, or its rules refuse what is empty."""
    rules: Any = field.GetOptions().Extensions[validate_pb2.field]
    behaviors = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    if field_behavior_pb2.REQUIRED in behaviors or rules.required or rules.repeated.min_items:
        return True
    if field.is_repeated or rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
        return False
    text = rules.string.min_len or rules.string.WhichOneof("well_known") or not re.search(rules.string.pattern, "")
    return bool(text or 0 in rules.enum.not_in or any(not _fits(0, each) for each in (rules.int32, rules.int64)))


def matters(field: FieldDescriptor) -> bool:
    """Whether an example sets a field."""
    stated = facts(field)
    return not is_output_only(field) and bool(required(field) or stated.read_permission or stated.data_class)


async def fill(message: Any, named: Named) -> None:
    """Sets what matters in a message and is still empty; lists get one element."""
    for field in described(message).fields:
        if not matters(field) or (message.HasField(field.name) if field.has_presence else getattr(message, field.name)):
            continue
        if field.message_type is not None and field.message_type.full_name not in WELL_KNOWN:
            inner = getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)
            inner.SetInParent()
            await fill(inner, named)
            continue
        value = await named(reference_of(field)) if reference_of(field) else value_of(field)
        if field.is_repeated:
            getattr(message, field.name).append(value)
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(value)
        else:
            setattr(message, field.name, value)


def value_of(field: FieldDescriptor) -> Any:
    """A value of a field, or of an element of a list, whose type is no message of ours."""
    rules: Any = field.GetOptions().Extensions[validate_pb2.field]
    rules = rules.repeated.items if field.is_repeated else rules
    own: Any = getattr(rules, rules.WhichOneof("type") or "string")
    if own.DESCRIPTOR.fields_by_name.get("example") is not None and own.example:
        return own.example[0]
    if field.message_type is not None:
        return WELL_KNOWN[field.message_type.full_name]
    if field.enum_type is not None:
        return next(value.number for value in field.enum_type.values if value.number and value.number not in rules.enum.not_in)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text(field.name, rules.string)
    if field.type in (FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_BYTES):
        return True if field.type == FieldDescriptor.TYPE_BOOL else b"x"
    return next(n for n in (1, own.gte, own.gt + 1, own.lte) if _fits(n, own))


def _fits(number: int, rules: Any) -> bool:
    """Whether a number keeps the rules of its type."""
    fits = {"gte": int.__ge__, "gt": int.__gt__, "lte": int.__le__, "lt": int.__lt__}
    return all(holds(number, getattr(rules, name)) for name, holds in fits.items() if rules.HasField(name))


def _text(name: str, rules: Any) -> str:
    """A text: the name of its field in words, where nothing else is said."""
    if rules.pattern:
        return _matching(rules.pattern)
    if form := rules.WhichOneof("well_known"):
        return WELL_FORMED[form]
    return name.replace("_", " ").capitalize().ljust(rules.min_len, "x")[: rules.max_len or None]


@cache
def _matching(pattern: str) -> str:
    """A text that a pattern admits."""
    if usual := next((text for text in USUAL if re.search(pattern, text)), None):
        return usual
    once = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    return find(st.from_regex(pattern, fullmatch=True), bool, settings=once)
