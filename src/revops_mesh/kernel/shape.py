"""The shape of a request: what the contract says of its fields, checked before anything is read.

Validation rules are protovalidate's; required fields and resource names follow from `google.api` annotations.
"""

from collections.abc import Callable, Mapping

import protovalidate
from buf.validate import validate_pb2
from google.api import field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.acceptance import accepts

from .contract import Method, described, memo
from .errors import invalid, refuse
from .names import Pattern
from .walk import first_set, read_permissions, without_output_only

Check = Callable[[Message], str]
"""The problem of a field's value, "" if none."""

Walk = Callable[[Message, str, list[tuple[str, str]]], None]

_TIMESTAMP = "google.protobuf.Timestamp"
_VALIDATOR = protovalidate.Validator()


def checker(method: Method, patterns: Mapping[str, Pattern]) -> Callable[[Message, frozenset[str]], None]:
    """The check of a method's requests against the caller's permissions.

    It refuses with FIELD_INVALID and clears what callers cannot set. A field whose read permission is lacking cannot be set
    either, but in an update that does not name it: there the stored value stays. Of an update's resource only what it changes is
    checked here; `sound` checks what it becomes.
    """
    clear = without_output_only(method.request)
    rules = _rules(described(method.request), patterns, frozenset())
    guarded = read_permissions(method.request) if not method.reads else frozenset()
    changed = _updated(described(method.request))
    storable = _storable(method.request)
    _VALIDATOR.collect_violations(method.request())  # compiles the rules now rather than in the first call

    quick = accepts(described(method.request), patterns) if changed is None else None

    def check(request: Message, permissions: frozenset[str]) -> None:
        violations: list[tuple[str, str]] = []
        storable(request, violations)
        if quick is None or not quick(request) or violations:
            refuse_unsound(request, violations)
        lacking = guarded - permissions
        if lacking and changed is None and (found := first_set(request, lacking)):
            raise refuse(platform.PERMISSION_REQUIRED, "{field} needs {permission}.", field=found[0], permission=found[1])

    def refuse_unsound(request: Message, violations: list[tuple[str, str]]) -> None:
        if clear is not None:
            clear(request)
        if crowded := _crowded(request, ""):  # else every one of its elements would be judged, and the process stand still
            raise invalid([crowded])
        violations += _violations(request)
        if rules is not None:
            rules(request, "", violations)
        if changed is not None:
            violations = _of_update(request, changed, violations)
        if violations:
            raise invalid(violations)

    return check


def sound(resource: Message, field: str) -> None:
    """Refuses with FIELD_INVALID a resource that an update has made unsound; `field` is where the request holds it."""
    violations = _violations(resource)
    rules = _rules(described(resource), {}, frozenset())
    if rules is not None:
        rules(resource, "", violations)
    if violations:
        raise invalid([(f"{field}.{path}", problem) for path, problem in violations])


_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""Years 1 to 9999, as `google.protobuf.Timestamp` allows."""


def _storable(request: type[Message]) -> Callable[[Message, list[tuple[str, str]]], None]:
    """Finds what neither validation rules nor PostgreSQL can hold: NUL characters, and instants outside years 1 to 9999.

    A message whose encoding has no zero byte has no NUL in a text, which spares the walk for all but a few.
    """
    instants = _instants(described(request), frozenset())

    def check(message: Message, violations: list[tuple[str, str]]) -> None:
        if b"\0" in message.SerializeToString():
            _find_nul(message, "", violations)
        if instants is not None:
            instants(message, "", violations)

    return check


def _find_nul(message: Message, path: str, violations: list[tuple[str, str]]) -> None:
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_STRING:
            if any("\0" in each for each in value) if field.is_repeated else "\0" in value:
                violations.append((path + field.name, "must not contain the character NUL"))
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for i, each in enumerate(value if field.is_repeated else (value,)):
                _find_nul(each, f"{path}{field.name}[{i}]." if field.is_repeated else f"{path}{field.name}.", violations)


def _instants(descriptor: Descriptor, seen: frozenset[str]) -> Walk | None:
    """The walk over the instants of a message that callers can set, None if it has none."""
    if descriptor.full_name in seen:
        return None
    seen = seen | {descriptor.full_name}
    nested = [(f, f.message_type) for f in descriptor.fields if f.message_type is not None and not _output_only(f)]
    own = [f.name for f, of in nested if of.full_name == _TIMESTAMP and not f.is_repeated]
    below = [(f.name, f.is_repeated, inner) for f, of in nested if (inner := _instants(of, seen)) is not None]
    if not own and not below:
        return None

    def walk(message: Message, path: str, violations: list[tuple[str, str]]) -> None:
        for name in own:
            if message.HasField(name):
                instant = getattr(message, name)
                if not (_FIRST_SECOND <= instant.seconds <= _LAST_SECOND and 0 <= instant.nanos < 1_000_000_000):
                    violations.append((path + name, "must be an instant in the years 1 to 9999"))
        for name, repeated, inner in below:
            if repeated:
                for i, each in enumerate(getattr(message, name)):
                    inner(each, f"{path}{name}[{i}].", violations)
            elif message.HasField(name):
                inner(getattr(message, name), f"{path}{name}.", violations)

    return walk


def _crowded(message: Message, path: str) -> tuple[str, str] | None:
    """The first list that is longer than its rules allow, and the problem with it."""
    for field, value in message.ListFields():
        if field.is_repeated and (most := _most(field)) and len(value) > most:
            return path + field.name, f"must contain no more than {most} item(s)"
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for i, each in enumerate(value if field.is_repeated else (value,)):
                if found := _crowded(each, f"{path}{field.name}[{i}]." if field.is_repeated else f"{path}{field.name}."):
                    return found
    return None


@memo
def _most(field: FieldDescriptor) -> int:
    """Most elements of a list, 0 if its rules do not say."""
    most: int = field.GetOptions().Extensions[validate_pb2.field].repeated.max_items
    return most


def _violations(message: Message) -> list[tuple[str, str]]:
    found = _VALIDATOR.collect_violations(message)
    return [(_path(v.proto.field), v.proto.message or v.proto.rule_id) for v in found]


def _updated(request: Descriptor) -> str | None:
    """The field of an update's resource, None for other requests."""
    if "update_mask" not in request.fields_by_name:
        return None
    return request.fields[0].name


def _of_update(request: Message, field: str, violations: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The violations in what an update changes, and that of its name."""
    resource = getattr(request, field)
    named = {path.split(".")[0] for path in request.update_mask.paths}  # type: ignore[attr-defined]
    changed = {f.name for f, _ in resource.ListFields()} | named
    kept = [
        (path, problem)
        for path, problem in violations
        if not path.startswith(f"{field}.") or path.removeprefix(f"{field}.").split(".")[0].split("[")[0] in changed
    ]
    if not resource.name:
        kept.append((f"{field}.name", "is required"))
    return kept


def _path(path: object) -> str:
    text = ""
    for element in path.elements:  # type: ignore[attr-defined]
        text += f".{element.field_name}" if text else element.field_name
        if element.subscript is not None:
            text += f"[{element.subscript.value}]"
    return text


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
