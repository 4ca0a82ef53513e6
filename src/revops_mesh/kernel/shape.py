"""The shape of a request: what the contract says of its fields, checked before anything is read.

Validation rules are protovalidate's; required fields and resource names follow from `google.api` annotations.
"""

from collections.abc import Callable, Mapping

import protovalidate
from google.api import field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from revops.platform.v1 import reasons_pb2 as platform

from .contract import Method, described
from .errors import invalid, refuse
from .names import Pattern
from .walk import first_set, read_permissions, without_output_only

Check = Callable[[Message], str]
"""The problem of a field's value, "" if none."""

_VALIDATOR = protovalidate.Validator()


def checker(method: Method, patterns: Mapping[str, Pattern]) -> Callable[[Message, frozenset[str]], None]:
    """The check of a method's requests against the caller's permissions.

    It refuses with FIELD_INVALID and clears what callers cannot set.

    A caller that lacks the permission to read a field is refused when it sets it, but for the resource of an update
    without naming it: there the stored value stays (design: kernel, "Walls").
    """
    clear = without_output_only(method.request)
    rules = _rules(described(method.request), patterns, frozenset())
    guarded = read_permissions(method.request) if not method.reads else frozenset()
    updates = "update_mask" in method.request.DESCRIPTOR.fields_by_name
    _VALIDATOR.collect_violations(method.request())  # compiles the rules now rather than in the first call

    def check(request: Message, permissions: frozenset[str]) -> None:
        if clear is not None:
            clear(request)
        violations = [(_path(v.proto.field), v.proto.message or v.proto.rule_id) for v in _VALIDATOR.collect_violations(request)]
        if rules is not None:
            rules(request, "", violations)
        if violations:
            raise invalid(violations)
        lacking = guarded - permissions
        if lacking and not updates and (found := first_set(request, lacking)):
            raise refuse(platform.PERMISSION_REQUIRED, "{field} needs {permission}.", field=found[0], permission=found[1])

    return check


def _path(path: object) -> str:
    text = ""
    for element in path.elements:  # type: ignore[attr-defined]
        text += f".{element.field_name}" if text else element.field_name
        if element.subscript is not None:
            text += f"[{element.subscript.value}]"
    return text


Walk = Callable[[Message, str, list[tuple[str, str]]], None]


def _rules(descriptor: Descriptor, patterns: Mapping[str, Pattern], seen: frozenset[str]) -> Walk | None:
    """The walk over required fields and resource names of a message, None if it has neither."""
    if descriptor.full_name in seen:
        return None
    seen = seen | {descriptor.full_name}
    own = [
        (f.name, f.has_presence, f.is_repeated, *_rule(f, patterns))
        for f in descriptor.fields
        if _required(f) or _pattern(f, patterns)
    ]
    below = [
        (f.name, f.is_repeated, inner)
        for f in descriptor.fields
        if f.message_type is not None and not _output_only(f) and (inner := _rules(f.message_type, patterns, seen)) is not None
    ]
    if not own and not below:
        return None

    def walk(message: Message, path: str, violations: list[tuple[str, str]]) -> None:
        for name, presence, repeated, required, pattern in own:
            value = getattr(message, name)
            if not (message.HasField(name) if presence else value):
                if required:
                    violations.append((path + name, "is required"))
            elif pattern is not None:
                for each in value if repeated else (value,):
                    if not pattern.matches(each) and not _any_parent(name, each, pattern):
                        violations.append((path + name, f"must be a name like {pattern.text}, got {each!r}"))
        for name, repeated, inner in below:
            if repeated:
                for i, each in enumerate(getattr(message, name)):
                    inner(each, f"{path}{name}[{i}].", violations)
            elif message.HasField(name):
                inner(getattr(message, name), f"{path}{name}.", violations)

    return walk


def _any_parent(field: str, value: str, pattern: Pattern) -> bool:
    """A list's parent may be "-" for all (AIP-159)."""
    return field == "parent" and value == pattern.name("-")


def _behaviors(field: FieldDescriptor) -> list[int]:
    return list(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def _required(field: FieldDescriptor) -> bool:
    return field_behavior_pb2.REQUIRED in _behaviors(field)


def _output_only(field: FieldDescriptor) -> bool:
    return field_behavior_pb2.OUTPUT_ONLY in _behaviors(field)


def _pattern(field: FieldDescriptor, patterns: Mapping[str, Pattern]) -> Pattern | None:
    reference = field.GetOptions().Extensions[resource_pb2.resource_reference]
    return patterns.get(reference.type) if reference.type else None


def _rule(field: FieldDescriptor, patterns: Mapping[str, Pattern]) -> tuple[bool, Pattern | None]:
    return _required(field), _pattern(field, patterns)
