"""Rules of `buf.validate` as keywords of JSON Schema 2020-12; what has no keyword is kept in words under `x-validate`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict

from revops_mesh.contracts.model import constant

Keywords = dict[str, Any]

_SIMPLE = {
    "min_len": "minLength", "max_len": "maxLength", "pattern": "pattern", "const": "const", "in": "enum",
    "gte": "minimum", "lte": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum",
    "min_items": "minItems", "max_items": "maxItems", "unique": "uniqueItems", "min_pairs": "minProperties",
    "max_pairs": "maxProperties", "example": "examples",
}  # fmt: skip
_FORMATS = {
    "email": "email", "hostname": "hostname", "ipv4": "ipv4", "ipv6": "ipv6", "uri": "uri", "uri_ref": "uri-reference",
    "uuid": "uuid",
}  # fmt: skip
_LITERAL_PATTERNS: Mapping[str, Callable[[str], str]] = {
    "prefix": lambda text: f"^{_literal(text)}",
    "suffix": lambda text: f"{_literal(text)}$",
    "contains": lambda text: _literal(text),
}
_NUMBERS = ("int32", "uint32", "sint32", "fixed32", "sfixed32", "float", "double")
_KINDS = ("string", "enum", "bool", "repeated", "map", *_NUMBERS)
"""Kinds whose rules have keywords. 64-bit integers are texts in JSON, and bytes are base64: their bounds are not on texts."""

_MATCHES = re.compile(r"this\.matches\('((?:[^'\\])+)'\)").fullmatch
_ZEROS: Mapping[str, Any] = {"string": "", "bool": False}


def keywords(field: FieldDescriptor, stated: Any) -> Keywords:
    """What the `buf.validate.FieldRules` of a field ask for, beside its type; empty without rules.

    `items` and `additionalProperties` hold only what the elements must fulfil: merge them into their types.
    """
    if stated is None:
        return {}
    zero_allowed = not field.has_presence and constant(stated, "ignore") == "IGNORE_IF_ZERO_VALUE"
    found = _translated(field, stated)
    return _or_zero(found, _ZEROS.get(_kind(stated), 0)) if zero_allowed else found


def untranslatable(stated: Any) -> Keywords:
    """Rules as `x-validate`; empty without rules."""
    return {"x-validate": MessageToDict(stated, preserving_proto_field_name=True)} if stated.ByteSize() else {}


def _kind(stated: Any) -> str:
    return stated.WhichOneof("type") or ""


def _translated(field: FieldDescriptor, stated: Any) -> Keywords:
    left = type(stated)()
    left.CopyFrom(stated)
    left.ClearField("ignore")
    left.ClearField("required")
    found: Keywords = {}
    if (kind := _kind(left)) in _KINDS:
        own = getattr(left, kind)
        for rule, value in own.ListFields():
            if _add(found, field, kind, rule.name, value):
                own.ClearField(rule.name)
        if not own.ByteSize():
            left.ClearField(kind)
    for rule in list(left.cel):
        if kind == "string" and (match := _MATCHES(rule.expression)):
            _also(found, "pattern", match[1])
            left.cel.remove(rule)
    return found | untranslatable(left)


def _add(found: Keywords, field: FieldDescriptor, kind: str, rule: str, value: Any) -> bool:
    """Adds the keyword of a rule; False if there is none."""
    if kind == "enum":
        return _add_enum(found, field, rule, value)
    if rule == "len":
        found |= {"minLength": value, "maxLength": value}
    elif rule == "not_in":
        found["not"] = {"enum": list(value)}
    elif rule in _FORMATS:
        found |= {"format": _FORMATS[rule]} if value else {}
    elif rule in _LITERAL_PATTERNS:
        _also(found, "pattern", _LITERAL_PATTERNS[rule](value))
    elif rule in ("items", "keys", "values"):
        return _add_inner(found, field, rule, value)
    elif rule in _SIMPLE:
        found[_SIMPLE[rule]] = list(value) if rule in ("in", "example") else value
    else:
        return False
    return True


def _add_enum(found: Keywords, field: FieldDescriptor, rule: str, value: Any) -> bool:
    """Enums are names in JSON. Names that the contract does not know cannot be written at all."""
    names = {known.number: known.name for known in cast(EnumDescriptor, field.enum_type).values}
    match rule:
        case "defined_only":
            pass
        case "in":
            found["enum"] = [names[number] for number in value]
        case "not_in":
            found["not"] = {"enum": [names[number] for number in value]}
        case "const":
            found["const"] = names[value]
        case _:
            return False
    return True


def _add_inner(found: Keywords, field: FieldDescriptor, rule: str, stated: Any) -> bool:
    """Rules on elements, keys or values."""
    entry = field.message_type
    of = field if rule == "items" or entry is None else entry.fields_by_name[rule.removesuffix("s")]
    place = {"items": "items", "keys": "propertyNames", "values": "additionalProperties"}[rule]
    if inner := _translated(of, stated):
        found[place] = inner
    return True


def _also(found: Keywords, keyword: str, value: Any) -> None:
    """Adds a keyword that may be there already."""
    if keyword in found:
        found.setdefault("allOf", []).append({keyword: value})
    else:
        found[keyword] = value


def _literal(text: str) -> str:
    """A text as a pattern; `re.escape` escapes more than ECMA-262 allows."""
    return re.sub(r"[\\^$.*+?()\[\]{}|/]", r"\\\g<0>", text)


def _or_zero(found: Keywords, zero: Any) -> Keywords:
    """The same keywords for a value that may also be left at its zero, as forms send it."""
    said = {key: value for key, value in found.items() if key.startswith("x-") or key in ("maxLength", "format")}
    asked = {key: value for key, value in found.items() if key not in said}
    if not asked:
        return found
    if list(asked) == ["pattern"]:
        return said | {"pattern": optional(asked["pattern"])}
    return said | {"anyOf": [{"const": zero}, asked]}


def optional(pattern: str) -> str:
    """A pattern that also takes the empty text."""
    whole = re.fullmatch(r"\^(.*)\$", pattern)
    return f"^(?:{whole[1]})?$" if whole else f"^$|{pattern}"
