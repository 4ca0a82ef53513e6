"""From messages to JSON: one compiled walker per message type. Fields that are not set are left out, as `json_format` does."""

import struct
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from .reading import NULL_VALUE, TYPE, WRAPPERS, writes_itself
from .times import write_timestamp
from .values import write_list, write_struct, write_value

Write = Callable[[Any], Any]
"""From a message, or a value of a field, to what `orjson` writes."""

_LARGE = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)


def writer(of: Descriptor) -> Write:
    """The walker of a message type. It raises `ValueError` for what JSON cannot say, as an instant in the year 10000."""
    if of in _KNOWN:
        return _KNOWN[of]
    if of.full_name in _WELL_KNOWN:
        return _WELL_KNOWN[of.full_name]
    if of.file.name == WRAPPERS:
        return _wrapper(of.fields_by_name["value"])
    return _regular(of)


def _regular(of: Descriptor) -> Write:
    fields: dict[FieldDescriptor, tuple[str, Write | None]] = {}

    def write(message: Any) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for field, value in message.ListFields():
            name, convert = fields[field]
            written[name] = value if convert is None else convert(value)
        return written

    _KNOWN[of] = write  # before its fields, for a message may contain itself
    fields.update({field: (field.json_name, _field(field)) for field in of.fields})
    return write


def _field(field: FieldDescriptor) -> Write | None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return _map(field.message_type)
    convert = _value(field)
    if not field.is_repeated:
        return convert
    if convert is None:
        return list
    return lambda values: [convert(value) for value in values]


def _value(field: FieldDescriptor) -> Write | None:
    """How one value is written, None if as it is."""
    if field.message_type is not None:
        return writer(field.message_type)
    if field.enum_type is not None:
        return _enum(field.enum_type)
    if field.cpp_type in _LARGE:
        return str
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _base64
    if field.type == FieldDescriptor.TYPE_FLOAT:
        return _single
    return _double if field.type == FieldDescriptor.TYPE_DOUBLE else None


def _map(entry: Descriptor) -> Write:
    convert = _value(entry.fields_by_name["value"]) or _same
    key = entry.fields_by_name["key"]
    if key.type == FieldDescriptor.TYPE_BOOL:
        return lambda values: {"true" if key else "false": convert(value) for key, value in values.items()}
    return lambda values: {str(key): convert(value) for key, value in values.items()}


def _same(value: Any) -> Any:
    return value


def _enum(of: EnumDescriptor) -> Write:
    if of.full_name == NULL_VALUE:
        return lambda value: None
    names: dict[int, str] = {number: value.name for number, value in of.values_by_number.items()}
    return lambda value: names.get(value, value)


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _double(value: float) -> float | str:
    if value - value == 0:
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _single(value: float) -> float | str:
    """The shortest number that is the same in 32 bits."""
    if value - value != 0:
        return _double(value)
    held = struct.pack("f", value)
    return next(short for digits in range(6, 10) if struct.pack("f", short := float(f"{value:.{digits}g}")) == held)


def _wrapper(field: FieldDescriptor) -> Write:
    convert = _value(field) or _same
    return lambda message: convert(message.value)


def _any(message: Any) -> dict[str, Any]:
    """The message inside, with its type; one of a type that is not known here as base64."""
    if not message.type_url:
        return {}
    url = {TYPE: message.type_url}
    try:
        of = descriptor_pool.Default().FindMessageTypeByName(message.type_url.rpartition("/")[2])
    except KeyError:
        return {**url, "value": _base64(message.value)}
    written = writer(of)(GetMessageClass(of).FromString(message.value))
    return {**url, "value": written} if writes_itself(of) else {**url, **written}


def _own(message: Any) -> str:
    return message.ToJsonString()  # type: ignore[no-any-return]


_KNOWN: dict[Descriptor, Write] = {}
_WELL_KNOWN: dict[str, Write] = {
    "google.protobuf.Any": _any,
    "google.protobuf.Duration": _own,
    "google.protobuf.FieldMask": _own,
    "google.protobuf.ListValue": write_list,
    "google.protobuf.Struct": write_struct,
    "google.protobuf.Timestamp": write_timestamp,
    "google.protobuf.Value": write_value,
}
