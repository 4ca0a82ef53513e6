"""A quick proof that a request is sound: one compiled walk per message type instead of three general ones.

`accepts` clears what callers cannot set and answers True only if every rule of the contract holds: `buf.validate` rules, required
fields and resource names. On False nothing is known, and the general check says what is wrong, if anything. protovalidate stays
the judge: what is accepted here is sound there, which a property test asks for every message; a rule unknown here is never
accepted. Ten lines of a quote take 12 µs instead of 75.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from buf.validate import validate_pb2
from google.api import field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

Accepts = Callable[[Message], bool]

_ZERO_IGNORED = validate_pb2.IGNORE_IF_ZERO_VALUE
_NUMBERS = ("int32", "int64", "uint32")
_MATCHES = re.compile(r"this\.matches\('([\[\]0-9a-zA-Z-]+)'\)").fullmatch
"""The one CEL rule that is understood: that a text has a character of some class."""
_COMPARED = {"gte": "<", "lte": ">", "gt": "<=", "lt": ">="}
"""What a value must not be, by rule."""


class Pattern(Protocol):
    """The pattern of a resource name."""

    @property
    def matches(self) -> Callable[[str], object]:
        """True of a text that is such a name."""
        ...


class Unknown(Exception):
    """A rule that this walk does not know: the message is left to the general check."""


def accepts(descriptor: Descriptor, patterns: Mapping[str, Pattern]) -> Accepts:
    """The walk of a message type."""
    return _Compiler(patterns).function(descriptor)


class _Compiler:
    """Writes one Python function a message type and shares them within one request type."""

    def __init__(self, patterns: Mapping[str, Pattern]) -> None:
        self._patterns = patterns
        self._names: dict[str, Any] = {}
        self._done: dict[str, str] = {}

    def function(self, descriptor: Descriptor) -> Accepts:
        """The compiled function of a type."""
        name = self._name(descriptor)
        walk: Accepts = self._names[name]
        return walk

    def _name(self, descriptor: Descriptor) -> str:
        """The name of the type's function, "" while it is being written: a message inside itself is not accepted."""
        if descriptor.full_name in self._done:
            return self._done[descriptor.full_name]
        self._done[descriptor.full_name] = ""
        name = f"f{len(self._names)}"
        self._names[name] = None
        try:
            lines = self._message(descriptor)
        except Unknown:
            lines = ["return False"]
        source = f"def {name}(m):\n" + "".join(f"    {line}\n" for line in (*lines, "return True"))
        exec(source, self._names)
        self._done[descriptor.full_name] = name
        return name

    def _constant(self, value: Any) -> str:
        name = f"c{len(self._names)}"
        self._names[name] = value
        return name

    def _message(self, descriptor: Descriptor) -> list[str]:
        if descriptor.GetOptions().Extensions[validate_pb2.message].ByteSize():
            raise Unknown
        lines = [_cleared(f) for f in descriptor.fields if _has(f, field_behavior_pb2.OUTPUT_ONLY)]
        for field in descriptor.fields:
            if not _has(field, field_behavior_pb2.OUTPUT_ONLY):
                lines += self._field(field)
        return lines

    def _field(self, field: FieldDescriptor) -> list[str]:
        rules = validate_pb2.FieldRules()
        rules.CopyFrom(field.GetOptions().Extensions[validate_pb2.field])
        required = _has(field, field_behavior_pb2.REQUIRED)
        read, known = f"v = m.{field.name}", f"m.HasField({field.name!r})" if field.has_presence else "v"
        inner = self._elements(field, rules) if field.is_repeated else self._single(field, rules)
        optional = required or field.has_presence or rules.ignore == _ZERO_IGNORED
        rules.ClearField("ignore")
        if rules.ByteSize():
            if not optional:
                raise Unknown
            inner = ["return False"]  # a rule that is unknown here, on a field that may be left out
        if not inner and not required:
            return []
        missing = [f"if not {known}: return False"] if required else []
        if not optional or required:
            return [*missing, read, *inner] if known != "v" else [read, *missing, *inner]
        if known == "v":
            return [read, "if v:", *(f"    {line}" for line in inner)]
        return [f"if {known}:", f"    {read}", *(f"    {line}" for line in inner)]

    def _single(self, field: FieldDescriptor, rules: Any) -> list[str]:
        if field.message_type is not None:
            return self._nested(field.message_type, "v")
        lines = self._text(rules.string) if rules.HasField("string") else []
        if rules.HasField("string") and not rules.string.ByteSize():
            rules.ClearField("string")
        for rule in list(rules.cel):
            if field.type == FieldDescriptor.TYPE_STRING and (match := _MATCHES(rule.expression)):
                lines.append(f"if not {self._constant(re.compile(match[1], re.ASCII).search)}(v): return False")
                rules.cel.remove(rule)
        for kind in _NUMBERS:
            if rules.HasField(kind):
                lines += self._number(rules, kind)
        if rules.HasField("enum"):
            lines += self._enum(field, rules)
        return lines + self._reference(field, "v")

    def _text(self, rules: Any) -> list[str]:
        """Rules on the text `v`; those that are understood are taken out of `rules`."""
        lines = []
        rules.ClearField("example")  # says what a value may be, and forbids nothing
        if rules.HasField("pattern"):
            if not (rules.pattern.startswith("^") and rules.pattern.endswith("$")):
                raise Unknown
            lines.append(f"if not {self._constant(re.compile(rules.pattern[1:-1], re.ASCII).fullmatch)}(v): return False")
            rules.ClearField("pattern")
        if rules.uuid:
            lines.append(f"if not {self._constant(_UUID)}(v): return False")
            rules.ClearField("uuid")
        for name, wrong in (("min_len", "<"), ("max_len", ">")):
            if rules.HasField(name):
                lines.append(f"if len(v) {wrong} {getattr(rules, name)}: return False")
                rules.ClearField(name)
        return lines

    def _number(self, rules: Any, kind: str) -> list[str]:
        own, lines = getattr(rules, kind), []
        own.ClearField("example")
        for name, wrong in _COMPARED.items():
            if own.HasField(name):
                lines.append(f"if v {wrong} {getattr(own, name)}: return False")
                own.ClearField(name)
        if not own.ByteSize():
            rules.ClearField(kind)
        return lines

    def _enum(self, field: FieldDescriptor, rules: Any) -> list[str]:
        lines, enum = [], field.enum_type
        if rules.enum.defined_only and enum is not None:
            lines.append(f"if v not in {self._constant(frozenset(enum.values_by_number))}: return False")
            rules.enum.ClearField("defined_only")
        if rules.enum.not_in:
            lines.append(f"if v in {self._constant(frozenset(rules.enum.not_in))}: return False")
            rules.enum.ClearField("not_in")
        if not rules.enum.ByteSize():
            rules.ClearField("enum")
        return lines

    def _elements(self, field: FieldDescriptor, rules: Any) -> list[str]:
        own, lines = rules.repeated, []
        for name, wrong in (("min_items", "<"), ("max_items", ">")):
            if own.HasField(name):
                lines.append(f"if len(v) {wrong} {getattr(own, name)}: return False")
                own.ClearField(name)
        each = self._nested(field.message_type, "x") if field.message_type is not None else self._reference(field, "x")
        if own.HasField("items"):
            each += [line.replace("(v)", "(x)") for line in self._text(own.items.string)]
            if not own.items.string.ByteSize():
                own.items.ClearField("string")
            if not own.items.ByteSize():
                own.ClearField("items")
        if not own.ByteSize():
            rules.ClearField("repeated")
        return [*lines, "for x in v:", *(f"    {line}" for line in each)] if each else lines

    def _nested(self, of: Descriptor, variable: str) -> list[str]:
        if of.GetOptions().map_entry:
            return ["return False"]
        if of.full_name.startswith("google."):
            return []
        inner = self._name(of)
        return [f"if not {inner}({variable}): return False" if inner else "return False"]

    def _reference(self, field: FieldDescriptor, variable: str) -> list[str]:
        reference = field.GetOptions().Extensions[resource_pb2.resource_reference].type
        pattern = self._patterns.get(reference) if reference else None
        if pattern is None:
            return []
        check = f"{self._constant(pattern.matches)}({variable})"
        return [f"if {variable} and not {check}: return False"]


_UUID = re.compile("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}").fullmatch


def _cleared(field: FieldDescriptor) -> str:
    """Clears a field; a text or number is looked at first, because that costs half as much and it is rarely set."""
    clear = f"m.ClearField({field.name!r})"
    return clear if field.has_presence or field.is_repeated else f"if m.{field.name}: {clear}"


def _has(field: FieldDescriptor, behavior: int) -> bool:
    return behavior in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
