"""The fields of a resource as columns of a table: their paths, the text of their values, and values from text.

A column is a leaf of singular messages of ours, as in `scope.account`; everything else below is JSON (the JSON mapping of
protobuf). Instants are RFC 3339 in UTC, dates ISO 8601, enums their names, bytes base64. Empty text is an unset field.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message

from revops_mesh.kernel.contract import described, facts, is_stored, memo
from revops_mesh.kernel.errors import BadField

Value = str | int | float | bool


class Form(Enum):
    """What the values of a column are."""

    TEXT = "a text"
    INTEGER = "a whole number"
    NUMBER = "a number"
    BOOL = "true or false"
    ENUM = "one of the names of its contract"
    INSTANT = "an instant as in 2026-01-31T12:00:00Z"
    DATE = "a date as in 2026-01-31"
    BYTES = "base64"
    JSON = "JSON"


_FORMS = {
    FieldDescriptor.TYPE_STRING: Form.TEXT,
    FieldDescriptor.TYPE_BOOL: Form.BOOL,
    FieldDescriptor.TYPE_BYTES: Form.BYTES,
    FieldDescriptor.TYPE_DOUBLE: Form.NUMBER,
    FieldDescriptor.TYPE_FLOAT: Form.NUMBER,
}
_MESSAGES = {"google.protobuf.Timestamp": Form.INSTANT, "google.type.Date": Form.DATE}
_BOOLS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Column:
    """One leaf of a message."""

    path: str
    form: Form
    field: FieldDescriptor
    above: tuple[str, ...]
    """Names of the messages on the way to it."""
    permissions: frozenset[str]
    """What reading it needs."""

    def value(self, message: Any) -> Value | None:
        """The value in a message, None if it is unset, an empty text, or a date without its month or day."""
        for name in self.above:
            if not message.HasField(name):
                return None
            message = getattr(message, name)
        if self.field.has_presence and not message.HasField(self.field.name):
            return None
        value: Value | None = _SHOWN[self.form](message, self.field)
        return value

    def text(self, message: Message) -> str:
        """The same as text."""
        value = self.value(message)
        if value is None:
            return ""
        return ("false", "true")[value] if isinstance(value, bool) else str(value)

    def put(self, message: Any, text: str) -> None:
        """Sets the field; an empty text leaves it unset. Raises `BadField` for what the field cannot hold."""
        if not text:
            return
        for name in self.above:
            message = getattr(message, name)
        one_of = self.field.containing_oneof
        if one_of is not None and (other := message.WhichOneof(one_of.name)):
            raise BadField(self.path, f"cannot be set beside {other}")
        try:
            _TAKEN[self.form](message, self.field, text)
        except (ParseError, ValueError, TypeError, KeyError, binascii.Error):
            raise BadField(self.path, f"must be {self.form.value}") from None


def _json(message: Any, field: FieldDescriptor) -> str | None:
    alone = type(message)()
    if field.is_repeated:
        getattr(alone, field.name).MergeFrom(getattr(message, field.name))
    else:
        getattr(alone, field.name).CopyFrom(getattr(message, field.name))
    found = MessageToDict(alone, preserving_proto_field_name=True).get(field.name)
    return orjson.dumps(found).decode() if found is not None else None


def _day(message: Any, field: FieldDescriptor) -> str | None:
    day = getattr(message, field.name)
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}" if day.year and day.month and day.day else None


def _enum_name(message: Any, field: FieldDescriptor) -> str | None:
    number, enum = getattr(message, field.name), field.enum_type
    assert enum is not None
    known = enum.values_by_number.get(number)
    return None if number == 0 else known.name if known is not None else str(number)


def _plain(message: Any, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    return None if value == "" else value


_SHOWN: Mapping[Form, Callable[[Any, FieldDescriptor], Any]] = {
    **dict.fromkeys((Form.TEXT, Form.INTEGER, Form.NUMBER, Form.BOOL), _plain),
    Form.ENUM: _enum_name,
    Form.INSTANT: lambda message, field: getattr(message, field.name).ToJsonString(),
    Form.DATE: _day,
    Form.BYTES: lambda message, field: base64.b64encode(getattr(message, field.name)).decode() or None,
    Form.JSON: _json,
}


def _take_enum(message: Any, field: FieldDescriptor, text: str) -> None:
    enum = field.enum_type
    assert enum is not None
    prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
    known = enum.values_by_name
    setattr(message, field.name, (known.get(text) or known[prefix + text]).number)


def _take_day(message: Any, field: FieldDescriptor, text: str) -> None:
    day, into = date.fromisoformat(text), getattr(message, field.name)
    into.year, into.month, into.day = day.year, day.month, day.day


def _setting(convert: Callable[[str], Any]) -> Callable[[Any, FieldDescriptor, str], None]:
    return lambda message, field, text: setattr(message, field.name, convert(text))


_TAKEN: Mapping[Form, Callable[[Any, FieldDescriptor, str], Any]] = {
    Form.TEXT: _setting(str),
    Form.INTEGER: _setting(int),
    Form.NUMBER: _setting(float),
    Form.BOOL: _setting(lambda text: _BOOLS[text.lower()]),
    Form.ENUM: _take_enum,
    Form.INSTANT: lambda message, field, text: getattr(message, field.name).FromJsonString(text),
    Form.DATE: _take_day,
    Form.BYTES: _setting(lambda text: base64.b64decode(text, validate=True)),
    Form.JSON: lambda message, field, text: ParseDict({field.name: orjson.loads(text)}, message),
}


@memo
def columns(message: type[Message]) -> Mapping[str, Column]:
    """The columns of a resource by path, in the order of the contract."""
    return {column.path: column for column in _columns(described(message), (), frozenset(), ())}


def _columns(of: Descriptor, above: tuple[str, ...], needed: frozenset[str], parents: tuple[str, ...]) -> Iterator[Column]:
    for field in of.fields:
        permission, inner = facts(field).read_permission, field.message_type
        permissions = needed | {permission} if permission else needed
        ours = inner is not None and inner.full_name.startswith("revops.") and inner.full_name not in parents
        if ours and inner is not None and not field.is_repeated and not is_stored(inner):
            yield from _columns(inner, (*above, field.name), permissions, (*parents, of.full_name))
        else:
            yield Column(".".join((*above, field.name)), _form(field), field, above, permissions)


def _form(field: FieldDescriptor) -> Form:
    if field.is_repeated:
        return Form.JSON
    if field.message_type is not None:
        return _MESSAGES.get(field.message_type.full_name, Form.JSON)
    return Form.ENUM if field.enum_type is not None else _FORMS.get(field.type, Form.INTEGER)
