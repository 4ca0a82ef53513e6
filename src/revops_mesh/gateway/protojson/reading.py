"""From JSON to messages: one compiled walker per message type, which gives the arguments of the message's constructor.

The constructor takes nested dictionaries and builds everything in C: a tenth of what setting field by field would cost.
"""

import json
from difflib import get_close_matches
from typing import Any

import orjson
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from .problems import Unreadable
from .scalars import Convert, exact_type, scalar, shown, text
from .times import read_duration, read_field_mask, read_timestamp
from .values import read_list, read_struct, read_value

NULL_VALUE, VALUE = "google.protobuf.NullValue", "google.protobuf.Value"
WRAPPERS = "google/protobuf/wrappers.proto"
TYPE = "@type"
MOST_OBJECTS = 100_000
"""Of a document: reading more would hold up everybody else's for too long."""
AMBIGUOUS = ("google.protobuf.Struct", "google.protobuf.ListValue")
"""A constructor takes a dictionary for one of these as its content and not as its fields."""


def parsed(text: bytes) -> Any:
    """The JSON value of a text in UTF-8. Raises `Unreadable` also for duplicate keys, 255 levels and `MOST_OBJECTS`."""
    if text.count(b"{") + text.count(b"[") > MOST_OBJECTS:
        raise Unreadable(f"has more than {MOST_OBJECTS} objects and lists")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"is no JSON: {error}") from None
    try:
        kept = orjson.dumps(value)
    except TypeError:
        raise Unreadable("is nested too deeply") from None
    # The parser keeps the last of equal keys. Every pair has a colon, and only an escape could hide one in a text.
    if text.count(b":") != kept.count(b":") or (b"\\" in text and b"\\u003" in text):
        json.loads(text, object_pairs_hook=_unique)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise Unreadable("occurs twice").under(next(name for name in names if names.count(name) > 1))
    return found


def reader(of: Descriptor) -> Convert:
    """The walker of a message type: from the JSON value of a message to the arguments of its constructor."""
    if of in _KNOWN:
        return _KNOWN[of]
    if of.full_name in _WELL_KNOWN:
        return _WELL_KNOWN[of.full_name]
    if of.full_name.startswith("google.protobuf.") and of.file.name == WRAPPERS:
        return _wrapper(of.fields_by_name["value"])
    return _regular(of)


def value_reader(field: FieldDescriptor) -> Convert:
    """The conversion of one value of a field, an element if it is repeated."""
    if field.message_type is not None:
        return _built(field.message_type) if field.message_type.full_name in AMBIGUOUS else reader(field.message_type)
    if field.enum_type is not None and field.enum_type.full_name == NULL_VALUE:
        return _null
    return scalar(field)


def _built(of: Descriptor) -> Convert:
    read, kind = reader(of), GetMessageClass(of)
    return lambda value: kind(**read(value))


def _field_reader(field: FieldDescriptor) -> Convert:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return _map(field.message_type)
    return _list(value_reader(field)) if field.is_repeated else value_reader(field)


def _null(value: Any) -> int:
    if value not in (None, "NULL_VALUE", 0) or value is False:
        raise Unreadable("must be null")
    return 0


def _regular(of: Descriptor) -> Convert:
    fields: dict[str, tuple[str, type | None, Convert]] = {}
    nullable = {f.name for f in of.fields if not f.is_repeated and _takes_null(f)}
    exclusive = [[f.name for f in each.fields] for each in of.oneofs if len(each.fields) > 1]

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Unreadable(f"must be an object, and not {shown(value)}")
        found: dict[str, Any] = {}
        key = ""
        try:
            for key, item in value.items():
                name, exact, convert = fields[key]
                if type(item) is exact:
                    found[name] = item
                elif item is not None or name in nullable:
                    found[name] = convert(item)
        except KeyError:  # of `fields`; conversions raise nothing but `Unreadable`
            raise Unreadable(_unknown(key, of)).under(key) from None
        except Unreadable as problem:
            raise problem.under(key) from None
        if len(found) < len(value):
            _refuse_twice(value, fields)
        for members in exclusive:
            given = 0
            for name in members:
                given += name in found
            if given > 1:
                raise Unreadable(f"only one of {', '.join(members)} can be set")
        return found

    _KNOWN[of] = read  # before its fields, for a message may contain itself
    for field in of.fields:
        exact = None if field.is_repeated else exact_type(field)
        fields[field.name] = fields[field.json_name] = (field.name, exact, _field_reader(field))
    return read


def _unknown(key: str, of: Descriptor) -> str:
    meant = get_close_matches(key, [field.json_name for field in of.fields], 1)
    return f"is no field of {of.name}" + (f"; is {meant[0]} meant?" if meant else "")


def _takes_null(field: FieldDescriptor) -> bool:
    of = field.message_type or field.enum_type
    return of is not None and of.full_name in (NULL_VALUE, VALUE)


def _refuse_twice(value: dict[str, Any], fields: dict[str, Any]) -> None:
    """A field may have one of its two names, null counts too."""
    names = [fields[key][0] for key in value]
    for key in value:
        if names.count(fields[key][0]) > 1:
            raise Unreadable("has two names here").under(key)


def _list(convert: Convert) -> Convert:
    def read(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Unreadable(f"must be a list, and not {shown(value)}")
        found: list[Any] = []
        try:
            for item in value:
                found.append(convert(item))
        except Unreadable as problem:
            raise problem.under(len(found)) from None
        return found

    return read


def _map(entry: Descriptor) -> Convert:
    key_field, value_field = entry.fields_by_name["key"], entry.fields_by_name["value"]
    of_key = _bool_key if key_field.type == FieldDescriptor.TYPE_BOOL else scalar(key_field)
    convert = value_reader(value_field)

    def read(value: Any) -> dict[Any, Any]:
        if type(value) is not dict:
            raise Unreadable(f"must be an object, and not {shown(value)}")
        found: dict[Any, Any] = {}
        for key, item in value.items():
            try:
                found[of_key(key)] = convert(item)
            except Unreadable as problem:
                raise problem.under(key) from None
        return found

    return read


def _bool_key(key: str) -> bool:
    if key not in ("true", "false"):
        raise Unreadable("must be true or false")
    return key == "true"


def _wrapper(field: FieldDescriptor) -> Convert:
    convert = scalar(field)
    return lambda value: {"value": convert(value)}


def _any(value: Any) -> dict[str, Any]:
    """The fields of an Any: any message of the contracts, named by `@type`."""
    if type(value) is not dict:
        raise Unreadable(f"must be an object, and not {shown(value)}")
    if not value:
        return {}
    url = text(value.get(TYPE))
    try:
        of = descriptor_pool.Default().FindMessageTypeByName(url.rpartition("/")[2])
    except KeyError:
        raise Unreadable(f"names no type that is known here: {shown(url)}").under(TYPE) from None
    rest = {key: item for key, item in value.items() if key != TYPE}
    held = rest.pop("value", None) if writes_itself(of) else rest
    if writes_itself(of) and rest:
        raise Unreadable(f"is no part of {of.name}").under(min(rest))
    message = GetMessageClass(of)(**reader(of)(held))
    return {"type_url": url, "value": message.SerializeToString()}


def writes_itself(of: Descriptor) -> bool:
    """Whether JSON writes the message as something that an Any has to put below `value`."""
    return of.full_name in _WELL_KNOWN or of.file.name == WRAPPERS


_KNOWN: dict[Descriptor, Convert] = {}
_WELL_KNOWN: dict[str, Convert] = {
    "google.protobuf.Any": _any,
    "google.protobuf.Duration": read_duration,
    "google.protobuf.FieldMask": read_field_mask,
    "google.protobuf.ListValue": read_list,
    "google.protobuf.Struct": read_struct,
    "google.protobuf.Timestamp": read_timestamp,
    "google.protobuf.Value": read_value,
}
