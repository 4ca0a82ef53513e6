"""Scalars and enums from JSON. A number may come as a text too, because JSON numbers of other languages end at 2⁵³.

Stricter than `json_format` where that follows Python instead of ProtoJSON: `1_000`, ` 5`, `inf`, true for 1, and characters that
are not base64 are refused.
"""

import binascii
import re
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from .problems import Unreadable

Convert = Callable[[Any], Any]
"""From a JSON value to an argument of the message's constructor; raises `Unreadable`."""

INTEGER = re.compile(r"-?[0-9]+\Z")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}\Z")
URL_SAFE = str.maketrans("-_", "+/")
LARGEST_FLOAT = 3.4028234663852886e38
LONGEST_NUMBER = 400
"""Characters of a number that comes as a text."""
SHOWN = 40
"""Characters of a refused text that are repeated."""

_SPECIAL = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
}


def scalar(field: FieldDescriptor) -> Convert:
    """The conversion of one value of a scalar or enum field."""
    if field.enum_type is not None:
        return _enum(field.enum_type)
    if field.cpp_type in _RANGES:
        return _integer(*_RANGES[field.cpp_type])
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes
    if field.type == FieldDescriptor.TYPE_FLOAT:
        return _single
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return _double
    return _boolean if field.type == FieldDescriptor.TYPE_BOOL else text


def exact_type(field: FieldDescriptor) -> type | None:
    """The type of JSON values that need no conversion at all, None if all do."""
    return {FieldDescriptor.TYPE_STRING: str, FieldDescriptor.TYPE_BOOL: bool}.get(field.type)


def shown(value: object) -> str:
    """A refused value as its sender may see it again."""
    if isinstance(value, str):
        return repr(value if len(value) <= SHOWN else f"{value[:SHOWN]}…")
    kinds = {dict: "an object", list: "a list", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), str(value)[:SHOWN])


def text(value: Any) -> str:
    """A string."""
    if type(value) is not str:
        raise Unreadable(f"must be a text, and not {shown(value)}")
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise Unreadable(f"must be true or false, and not {shown(value)}")
    return value


def _integer(least: int, most: int) -> Convert:
    def convert(value: Any) -> int:
        if type(value) is not int:
            value = _whole(value)
        if not least <= value <= most:
            raise Unreadable(f"must be from {least} to {most}")
        return value  # type: ignore[no-any-return]

    return convert


def _whole(value: Any) -> int:
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is str and len(value) <= LONGEST_NUMBER:
        if INTEGER.match(value):
            return int(value)
        if NUMBER.match(value) and (number := float(value)).is_integer():
            return int(number)
    raise Unreadable(f"must be a whole number, and not {shown(value)}")


def _double(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is int:
        return float(value)
    if type(value) is str and len(value) <= LONGEST_NUMBER:
        if value in _SPECIAL:
            return _SPECIAL[value]
        if NUMBER.match(value):
            if abs(number := float(value)) == float("inf"):
                raise Unreadable(f"is beyond what a double holds: {shown(value)}")
            return number
    raise Unreadable(f"must be a number, and not {shown(value)}")


def _single(value: Any) -> float:
    number = _double(value)
    if LARGEST_FLOAT < abs(number) < float("inf"):
        raise Unreadable(f"is beyond what a float holds: {shown(value)}")
    return number


def _bytes(value: Any) -> bytes:
    """Base64 in the standard or the URL-safe alphabet, with or without padding."""
    if type(value) is str and BASE64.match(value):
        try:
            return binascii.a2b_base64(value.rstrip("=").translate(URL_SAFE) + "==")
        except binascii.Error:  # a group of one character
            pass
    raise Unreadable("must be base64")


def _enum(of: EnumDescriptor) -> Convert:
    numbers = {value.name: value.number for value in of.values}
    closed = {value.number for value in of.values} if of.is_closed else None
    number = _integer(*_RANGES[FieldDescriptor.CPPTYPE_INT32])

    def convert(value: Any) -> int:
        if type(value) is str:
            known = numbers.get(value)
            if known is not None:
                return known
            if not INTEGER.match(value):
                raise Unreadable(f"must be one of {', '.join(numbers)}, and not {shown(value)}")
        converted: int = number(value)
        if closed is not None and converted not in closed:
            raise Unreadable(f"must be one of {', '.join(numbers)}")
        return converted

    return convert
