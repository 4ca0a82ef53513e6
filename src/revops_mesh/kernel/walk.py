"""Compiled walks over messages: the digest of a request and the fields that a caller may not see or set.

Each walk is derived once per message type from the contract; types without anything to do have no walk at all.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from uuid import UUID

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from .contract import described, facts, memo

Visit = Callable[[Message], None]


def digest(method: str, request: Message, *, without: frozenset[str] = frozenset({"request_id"})) -> UUID:
    """128 bits over the method and every field by number and value, in order; never over serialised bytes."""
    parts: list[str] = [method]
    _walk(request, parts, without)
    return UUID(bytes=hashlib.sha256("\x1f".join(parts).encode()).digest()[:16])


def _walk(message: Message, parts: list[str], without: frozenset[str]) -> None:
    for field, value in message.ListFields():
        tag, shape = _form(field)
        if without and field.name in without:
            continue
        if shape == _TEXT:
            parts += (tag, repr(value))
        elif shape == _MESSAGES:
            parts.append(tag)
            for each in value:
                parts.append("\x02")
                _walk(each, parts, frozenset())
                parts.append("\x03")
        elif shape == _MESSAGE:
            parts += (tag, "\x02")
            _walk(value, parts, frozenset())
            parts.append("\x03")
        elif shape == _VALUES:
            parts += (tag, repr(list(value)))
        else:
            parts.append(tag)
            for key in sorted(value):
                parts += (repr(key), repr(value[key]))


_TEXT, _MESSAGES, _MESSAGE, _VALUES, _MAP = range(5)


@cache
def _form(field: FieldDescriptor) -> tuple[str, int]:
    """How the digest names a field, and what its value is."""
    if _is_map(field):
        shape = _MAP
    elif field.message_type is None:
        shape = _VALUES if field.is_repeated else _TEXT
    else:
        shape = _MESSAGES if field.is_repeated else _MESSAGE
    return f"\x1e{field.number}", shape


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _reachable(descriptor: Descriptor, wanted: Callable[[FieldDescriptor], bool], seen: frozenset[str]) -> bool:
    if descriptor.full_name in seen:
        return False
    seen = seen | {descriptor.full_name}
    return any(
        wanted(f) or (f.message_type is not None and not _is_map(f) and _reachable(f.message_type, wanted, seen))
        for f in descriptor.fields
    )


def compiled(descriptor: Descriptor, wanted: Callable[[FieldDescriptor], bool]) -> Visit | None:
    """A walk that clears every wanted field of a message, at any depth; None if there is none."""
    if not _reachable(descriptor, wanted, frozenset()):
        return None
    known: dict[str, Visit] = {}

    def build(of: Descriptor) -> Visit:
        if of.full_name in known:
            return known[of.full_name]
        cleared = [f.name for f in of.fields if wanted(f)]
        below = [
            (f.name, f.message_type, f.is_repeated)
            for f in of.fields
            if not wanted(f) and f.message_type is not None and not _is_map(f) and _reachable(f.message_type, wanted, frozenset())
        ]

        def visit(message: Message) -> None:
            for name in cleared:
                message.ClearField(name)
            for name, repeated, inner in singles_and_lists:
                if repeated:
                    for each in getattr(message, name):
                        inner(each)
                elif message.HasField(name):
                    inner(getattr(message, name))

        known[of.full_name] = visit
        singles_and_lists = [(name, repeated, build(nested)) for name, nested, repeated in below]
        return visit

    return build(descriptor)


@memo
def without_secrets(message: type[Message]) -> Visit | None:
    """Clears fields of class SECRET: what is stored for replay and logged never holds one."""
    return compiled(described(message), lambda f: facts(f).data_class == options.Field.DATA_CLASS_SECRET)


@memo
def without_sensitive(message: type[Message]) -> Visit | None:
    """Clears fields of class PERSONAL or SECRET: what audit may hold."""
    return compiled(described(message), lambda f: bool(facts(f).data_class))


@memo
def without_output_only(message: type[Message]) -> Visit | None:
    """Clears OUTPUT_ONLY fields (AIP-203): a caller's values for them are ignored."""

    def output_only(field: FieldDescriptor) -> bool:
        return field_behavior_pb2.OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]

    return compiled(described(message), output_only)


def _permissions(descriptor: Descriptor, seen: frozenset[str]) -> Iterable[str]:
    if descriptor.full_name in seen:
        return
    for field in descriptor.fields:
        if said := facts(field).read_permission:
            yield said
        if descriptor.full_name == "revops.type.v1.ProofStep":
            continue
        if field.message_type is not None and not _is_map(field):
            yield from _permissions(field.message_type, seen | {descriptor.full_name})


@memo
def read_permissions(message: type[Message]) -> frozenset[str]:
    """The permissions that some field of the type needs, at any depth."""
    return frozenset(_permissions(described(message), frozenset()))


@memo
def _mask(message: type[Message], lacking: frozenset[str]) -> Visit | None:
    return compiled(described(message), lambda f: facts(f).read_permission in lacking)


_PROOF = "revops.type.v1.Proof"

Masker = Callable[[Message, frozenset[str]], None]


def mask(message: Message, permissions: frozenset[str]) -> None:
    """Clears the fields, and the proof steps, whose read permission the caller lacks."""
    of = type(message)
    lacking = read_permissions(of) - permissions
    if lacking and (visit := _mask(of, lacking)) is not None:
        visit(message)
    if (steps := _steps_of(of)) is not None:
        steps(message, permissions)


@memo
def _steps_of(message: type[Message]) -> Masker | None:
    """The walk to the proofs of a message, None if it can hold none."""
    known: dict[str, Masker | None] = {_PROOF: _mask_steps}

    def build(of: Descriptor) -> Masker | None:
        if of.full_name in known:
            return known[of.full_name]
        if not _reachable(of, lambda f: f.message_type is not None and f.message_type.full_name == _PROOF, frozenset()):
            return None
        below: list[tuple[str, bool, Masker]] = []

        def visit(message: Message, permissions: frozenset[str]) -> None:
            for name, repeated, inner in below:
                if repeated:
                    for each in getattr(message, name):
                        inner(each, permissions)
                elif message.HasField(name):
                    inner(getattr(message, name), permissions)

        known[of.full_name] = visit
        for f in of.fields:
            if f.message_type is not None and not _is_map(f) and (inner := build(f.message_type)) is not None:
                below.append((f.name, f.is_repeated, inner))
        return visit

    return build(described(message))


def _mask_steps(proof: Message, permissions: frozenset[str]) -> None:
    for step in proof.steps:  # type: ignore[attr-defined]
        if (needed := step.read_permission) and needed not in permissions:
            step.expression = step.value = ""


def hidden(message: type[Message], permissions: frozenset[str]) -> frozenset[str]:
    """Top-level fields of a resource that the caller may not read, hence not write, filter or order by."""
    return frozenset(f.name for f in described(message).fields if (p := facts(f).read_permission) and p not in permissions)


def first_set(message: Message, lacking: frozenset[str], path: str = "") -> tuple[str, str] | None:
    """The first field that is set although its read permission is lacking: path and permission."""
    for field, value in message.ListFields():
        here = f"{path}{field.name}"
        if (permission := facts(field).read_permission) and permission in lacking:
            return here, permission
        if field.message_type is not None and not _is_map(field):
            for i, each in enumerate(value if field.is_repeated else (value,)):
                inner = f"{here}[{i}]." if field.is_repeated else f"{here}."
                if found := first_set(each, lacking, inner):
                    return found
    return None
