"""Free-form JSON (`google.protobuf.Struct`, `Value`, `ListValue`), read and written. Numbers are doubles."""

import math
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct

from .problems import Unreadable
from .scalars import shown

DEEPEST = 10
"""Levels of free-form JSON: each is three of a message, and protobuf reads a hundred of those."""


def read_value(value: Any, depth: int = 0) -> dict[str, Any]:
    """The fields of a Value."""
    if depth > DEEPEST:
        raise Unreadable(f"is nested deeper than {DEEPEST} levels")
    if type(value) is str:
        return {"string_value": value}
    if value is None:
        return {"null_value": 0}
    if type(value) is bool:
        return {"bool_value": value}
    if type(value) is dict:
        return {"struct_value": Struct(**read_struct(value, depth + 1))}
    if type(value) is list:
        return {"list_value": ListValue(**read_list(value, depth + 1))}
    return {"number_value": float(value)}


def read_struct(value: Any, depth: int = 0) -> dict[str, Any]:
    """The fields of a Struct."""
    if type(value) is not dict:
        raise Unreadable(f"must be an object, and not {shown(value)}")
    found: dict[str, Any] = {}
    for key, item in value.items():
        try:
            found[key] = read_value(item, depth)
        except Unreadable as problem:
            raise problem.under(key) from None
    return {"fields": found}


def read_list(value: Any, depth: int = 0) -> dict[str, Any]:
    """The fields of a ListValue."""
    if type(value) is not list:
        raise Unreadable(f"must be a list, and not {shown(value)}")
    found: list[Any] = []
    try:
        for item in value:
            found.append(read_value(item, depth))
    except Unreadable as problem:
        raise problem.under(len(found)) from None
    return {"values": found}


def write_value(message: Any) -> Any:
    """A Value; one without a kind is null. Raises `ValueError` for NaN and infinity, which would be read back as texts."""
    kind = message.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    held = getattr(message, kind)
    if kind == "struct_value":
        return write_struct(held)
    if kind == "list_value":
        return write_list(held)
    if kind == "number_value" and not math.isfinite(held):
        raise ValueError(f"{held} cannot be written as a JSON value")
    return held


def write_struct(message: Any) -> dict[str, Any]:
    """A Struct."""
    return {key: write_value(value) for key, value in message.fields.items()}


def write_list(message: Any) -> list[Any]:
    """A ListValue."""
    return [write_value(value) for value in message.values]
