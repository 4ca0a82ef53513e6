"""Field masks: updates by AIP-134 and AIP-161, reads by AIP-157, behaviours by AIP-203.

A path in a mask leads through singular messages only. Paths of behaviours and walls also lead through repeated
messages, as in `lines.cost`; messages inside maps are not looked into.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple, TypeVar, cast

from google.api import field_behavior_pb2 as behavior
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from revops_mesh.aip import BadField

M = TypeVar("M", bound=Message)

MAX_PATHS = 256
_NONE: frozenset[str] = frozenset()


class HiddenField(Exception):
    """A mask names a field that its sender may not read; the kernel answers PERMISSION_DENIED."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class FieldSets(NamedTuple):
    """Paths of a message by behaviour; identifiers count as immutable."""

    immutable: frozenset[str]
    output_only: frozenset[str]
    required: frozenset[str]


@cache
def field_sets(descriptor: Descriptor) -> FieldSets:
    """The paths by `google.api.field_behavior`, at any depth; a message inside itself is not followed."""
    marked = list(_behaviors(descriptor, "", ()))

    def having(*wanted: int) -> frozenset[str]:
        return frozenset(path for path, kind in marked if kind in wanted)

    return FieldSets(having(behavior.IMMUTABLE, behavior.IDENTIFIER), having(behavior.OUTPUT_ONLY), having(behavior.REQUIRED))


def _behaviors(descriptor: Descriptor, prefix: str, parents: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    parents = (*parents, descriptor.full_name)
    for field in descriptor.fields:
        yield from ((prefix + field.name, kind) for kind in field.GetOptions().Extensions[behavior.field_behavior])
        inner = field.message_type
        if inner is not None and inner.full_name not in parents and not inner.GetOptions().map_entry:
            yield from _behaviors(inner, f"{prefix}{field.name}.", parents)


def apply_mask(
    target: M,
    source: M,
    mask: FieldMask,
    *,
    immutable: frozenset[str] = _NONE,
    output_only: frozenset[str] = _NONE,
    hidden: frozenset[str] = _NONE,
) -> None:
    """Changes `target`, the stored message, to what `source` says within `mask`.

    * No paths: every populated top-level field of `source` replaces the stored one whole.
    * `*`: everything is replaced; what `source` does not set is cleared.
    * Paths: each named field is replaced, or cleared if `source` does not set it.

    Repeated fields and maps are replaced whole. Output-only and hidden fields keep their stored value at any depth;
    within repeated messages an element keeps that of the stored element with the same `id` or `name`, else has none.
    Immutable fields may be repeated but not changed, and may be left out unless they are named.

    Raises BadField for an unknown path, a named output-only field and a changed immutable one, HiddenField for a named
    hidden one; `target` is then half changed and must be thrown away.
    """
    paths = _checked_paths(target, mask, "update_mask")
    for path in paths:
        if any(_covers(wall, path) for wall in hidden):
            raise HiddenField(path)
        if any(_covers(wall, path) for wall in output_only):
            raise BadField("update_mask", f"{path} is set by the server and cannot be written")
    stored = type(target)()
    stored.CopyFrom(target)
    if list(mask.paths) == ["*"]:
        target.CopyFrom(source)
    for path in paths or ([field.name for field, _ in source.ListFields()] if not mask.paths else ()):
        _copy_path(target, source, path)
    for path in output_only | hidden:
        _copy_path(target, stored, path)
    for path in immutable:
        named = any(_covers(path, other) for other in paths)
        for new, old, field in _ends(target, stored, path.split(".")):
            if old is not None and not _equal(new, old, field):
                if named or _is_set(new, field):
                    raise BadField("update_mask" if named else path, f"{path} cannot be changed once it is set")
                _copy(new, old, field)


def project(message: M, mask: FieldMask, request_field: str = "read_mask") -> M:
    """The message reduced to the fields of a read mask; itself, not a copy, if the mask is empty or `*`.

    Raises BadField on `request_field` for an unknown path.
    """
    paths = _checked_paths(message, mask, request_field)
    if not paths:
        return message
    reduced = type(message)()
    for path in paths:
        _copy_path(reduced, message, path)
    return reduced


def _checked_paths(message: Message, mask: FieldMask, request_field: str) -> list[str]:
    """The paths of a mask, none for `*`. Raises BadField for one that is unknown or leads through a repeated field."""
    paths = list(mask.paths)
    if paths == ["*"]:
        return []
    if len(paths) > MAX_PATHS:
        raise BadField(request_field, f"has {len(paths)} paths; at most {MAX_PATHS} are allowed")
    for path in paths:
        current: Descriptor | None = _shape(message)
        for name in path.split("."):
            if current is None:
                raise BadField(request_field, f"{path} leads into a field that can only be named whole")
            field = current.fields_by_name.get(name)
            if field is None:
                known = ", ".join(current.fields_by_name)
                raise BadField(request_field, f"{path} is unknown; {current.name} has {known}")
            current = None if field.is_repeated else field.message_type
    return paths


def _shape(message: Message) -> Descriptor:
    return cast(Descriptor, message.DESCRIPTOR)  # the stubs offer a private twin beside it


def _identity(element: Message) -> object:
    return getattr(element, "id", "") or getattr(element, "name", "")


def _covers(wall: str, path: str) -> bool:
    return path == wall or path.startswith(wall + ".")


def _ends(target: Message, source: Message | None, names: list[str]) -> Iterator[tuple[Message, Message | None, FieldDescriptor]]:
    """The messages in which a path ends and its last field: one pair, or one for each element of a repeated field.

    The source is None where it has no such message. Elements are matched by `id` or `name`.
    """
    name, *rest = names
    field = _shape(target).fields_by_name[name]
    if not rest:
        yield target, source, field
    elif field.is_repeated:
        known = {_identity(element): element for element in getattr(source, name, ())}
        for element in getattr(target, name):
            yield from _ends(element, known.get(_identity(element)) if _identity(element) else None, rest)
    else:
        inner = getattr(source, name) if source is not None and source.HasField(name) else None
        if inner is not None or target.HasField(name):
            yield from _ends(getattr(target, name), inner, rest)


def _copy_path(target: Message, source: Message, path: str) -> None:
    for new, old, field in _ends(target, source, path.split(".")):
        _copy(new, old, field)


def _copy(target: Message, source: Message | None, field: FieldDescriptor) -> None:
    """Makes a field of `target` equal to that of `source`, presence included."""
    if source is None or not _is_set(source, field):
        if _is_set(target, field):  # clearing would otherwise make an absent parent present
            target.ClearField(field.name)
    elif field.is_repeated:
        target.ClearField(field.name)
        getattr(target, field.name).MergeFrom(getattr(source, field.name))
    elif field.message_type is not None:
        getattr(target, field.name).CopyFrom(getattr(source, field.name))
    else:
        setattr(target, field.name, getattr(source, field.name))


def _is_set(message: Message, field: FieldDescriptor) -> bool:
    return message.HasField(field.name) if field.has_presence else bool(getattr(message, field.name))


def _equal(one: Message, other: Message, field: FieldDescriptor) -> bool:
    return _is_set(one, field) == _is_set(other, field) and bool(getattr(one, field.name) == getattr(other, field.name))
