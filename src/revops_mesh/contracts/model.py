"""The contract as data: every method, message, field, enum and event of ours, with its comment, place and options.

Read from a serialised `google.protobuf.FileDescriptorSet` in a descriptor pool of its own, so that an image can be
read before its code is generated, and an older image with the vocabulary it was released with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

POLICY = "revops.options.v1.policy"
RESOURCE = "revops.options.v1.resource"
FIELD = "revops.options.v1.field"
CODE = "revops.options.v1.code"
RATE = "revops.options.v1.rate"
HTTP = "google.api.http"
AIP_RESOURCE = "google.api.resource"
REFERENCE = "google.api.resource_reference"
BEHAVIOR = "google.api.field_behavior"
RULES = "buf.validate.field"
OPERATION_INFO = "google.longrunning.operation_info"

OURS = "revops/"
"""Files whose path starts so are ours; the rest of an image are imports."""


@dataclass(frozen=True, kw_only=True)
class Element:
    """What every part of a contract has."""

    full_name: str
    comment: str
    """The comment before it as one paragraph; empty if none."""
    place: str
    """File below `protos/` and line, as in `revops/type/v1/money.proto:10`."""
    options: Mapping[str, Any]
    """Custom options that are set, by full name of the option."""

    @property
    def name(self) -> str:
        """Last part of the full name."""
        return self.full_name.rpartition(".")[2]

    @property
    def capability(self) -> str:
        """Second part of the package, as in `quoting`."""
        return self.full_name.split(".")[1]


@dataclass(frozen=True, kw_only=True)
class Field(Element):
    """A field of a message."""

    number: int
    kind: str
    """Scalar type as written in the contract, or `message` or `enum`."""
    type_name: str
    """Full name of the message or enum; empty for scalars."""
    repeated: bool


@dataclass(frozen=True, kw_only=True)
class Message(Element):
    """A message; `map_entry` marks the one that protobuf makes for a map field."""

    fields: tuple[Field, ...]
    map_entry: bool

    def field(self, name: str) -> Field | None:
        """The field of that name, if there is one."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Value(Element):
    """A value of an enum. Its full name is beside the enum's, not below it: protobuf scopes values so."""

    number: int


@dataclass(frozen=True, kw_only=True)
class Enum(Element):
    """An enum; `…Reason` enums are the error reasons."""

    values: tuple[Value, ...]

    @property
    def is_reason(self) -> bool:
        """Whether its values are reasons of refusals."""
        return self.name.endswith("Reason")


@dataclass(frozen=True, kw_only=True)
class Method(Element):
    """An rpc."""

    service: str
    request: str
    response: str
    streams_in: bool
    streams_out: bool
    no_side_effects: bool

    @property
    def policy(self) -> Any:
        """Its `revops.options.v1.Policy`, or None."""
        return self.options.get(POLICY)

    @property
    def access(self) -> str | None:
        """`permission`, `authenticated`, `anonymous` or `internal`; None without a policy or when it does not say."""
        access: str | None = self.policy.WhichOneof("access") if self.policy is not None else None
        return access

    @property
    def routes(self) -> list[tuple[str, str]]:
        """HTTP verb and path of every binding it states, as in `("GET", "/v1/{name=quotes/*}")`."""
        rule = self.options.get(HTTP)
        rules = [] if rule is None else [rule, *rule.additional_bindings]
        return [found for found in map(_route, rules) if found[1]]


@dataclass(frozen=True, kw_only=True)
class Service(Element):
    """A service, which is a module."""

    methods: tuple[Method, ...]


@dataclass(frozen=True)
class Contract:
    """All of ours in an image; each collection is in the order of files and of declaration."""

    services: tuple[Service, ...]
    messages: Mapping[str, Message]
    enums: Mapping[str, Enum]

    @property
    def methods(self) -> list[Method]:
        """Every method of every service."""
        return [method for service in self.services for method in service.methods]

    @property
    def events(self) -> dict[str, list[Method]]:
        """Full names of the messages that some method emits, and who emits them."""
        found: dict[str, list[Method]] = {}
        for method in self.methods:
            for event in method.policy.emits if method.policy is not None else ():
                found.setdefault(event, []).append(method)
        return dict(sorted(found.items()))

    def heard(self, event: str) -> list[Method]:
        """The reactions to an event."""
        return [method for method in self.methods if method.request == event and method.access == "internal"]

    def elements(self) -> Iterator[Element]:
        """Every method, message, field and enum value."""
        yield from self.methods
        for message in self.messages.values():
            yield message
            yield from message.fields
        for enum in self.enums.values():
            yield from enum.values


Problems = Iterator[tuple[Element, str]]
"""What a check yields: the element at fault and why, as the rest of a sentence that its full name begins."""


def read(image: bytes) -> Contract:
    """The contract in a serialised FileDescriptorSet whose files stand after their imports."""
    files = [_Reader(file) for file in _files(image) if file.name.startswith(OURS)]
    return Contract(
        services=tuple(service for file in files for service in file.services()),
        messages={message.full_name: message for file in files for message in file.messages()},
        enums={enum.full_name: enum for file in files for enum in file.enums()},
    )


def constant(message: Any, field: str) -> str:
    """Name of the enum value that a field of a message holds, as in `AUDIT_WRITE`."""
    value: str = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(message, field)].name
    return value


def _route(rule: Any) -> tuple[str, str]:
    pattern = rule.WhichOneof("pattern")
    if pattern is None:
        return "", ""
    value = getattr(rule, pattern)
    return (value.kind, value.path) if pattern == "custom" else (pattern.upper(), value)


def descriptors(image: bytes) -> descriptor_pool.DescriptorPool:
    """A pool of its own with the files of an image."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(image).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def _files(image: bytes) -> Any:
    pool = descriptors(image)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet"))
    files: Any = kind.FromString(image)
    return files.file


class _Reader:
    """Reads one FileDescriptorProto; paths are those of `SourceCodeInfo.Location.path`."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._locations = {tuple(location.path): location for location in file.source_code_info.location}

    def services(self) -> Iterator[Service]:
        for i, service in enumerate(self._file.service):
            full_name = f"{self._file.package}.{service.name}"
            methods = tuple(self._method(full_name, m, (6, i, 2, j)) for j, m in enumerate(service.method))
            yield Service(**self._element(full_name, service, (6, i)), methods=methods)

    def messages(self) -> Iterator[Message]:
        for full_name, message, path in self._nested():
            fields = tuple(self._field(full_name, field, (*path, 2, i)) for i, field in enumerate(message.field))
            element = self._element(full_name, message, path)
            yield Message(**element, fields=fields, map_entry=message.options.map_entry)

    def enums(self) -> Iterator[Enum]:
        top = enumerate(self._file.enum_type)
        found: list[tuple[str, Any, tuple[int, ...]]] = [(self._file.package, enum, (5, i)) for i, enum in top]
        for parent, message, path in self._nested():
            found += [(parent, enum, (*path, 4, i)) for i, enum in enumerate(message.enum_type)]
        for scope, enum, path in found:
            values = tuple(
                Value(**self._element(f"{scope}.{value.name}", value, (*path, 2, i)), number=value.number)
                for i, value in enumerate(enum.value)
            )
            yield Enum(**self._element(f"{scope}.{enum.name}", enum, path), values=values)

    def _nested(self) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
        """Full name, descriptor and path of every message, each before those inside it."""
        top = enumerate(self._file.message_type)
        waiting: list[tuple[str, Any, tuple[int, ...]]] = [(self._file.package, m, (4, i)) for i, m in top]
        while waiting:
            scope, message, path = waiting.pop(0)
            full_name = f"{scope}.{message.name}"
            yield full_name, message, path
            waiting[:0] = [(full_name, inner, (*path, 3, i)) for i, inner in enumerate(message.nested_type)]

    def _method(self, service: str, method: Any, path: tuple[int, ...]) -> Method:
        levels = descriptor_pb2.MethodOptions.IdempotencyLevel
        return Method(
            **self._element(f"{service}.{method.name}", method, path),
            service=service,
            request=method.input_type.lstrip("."),
            response=method.output_type.lstrip("."),
            streams_in=method.client_streaming,
            streams_out=method.server_streaming,
            no_side_effects=method.options.idempotency_level == levels.Value("NO_SIDE_EFFECTS"),
        )

    def _field(self, message: str, field: Any, path: tuple[int, ...]) -> Field:
        return Field(
            **self._element(f"{message}.{field.name}", field, path),
            number=field.number,
            kind=FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower(),
            type_name=field.type_name.lstrip("."),
            repeated=field.label == FieldDescriptorProto.LABEL_REPEATED,
        )

    def _element(self, full_name: str, proto: Any, path: tuple[int, ...]) -> dict[str, Any]:
        location = self._locations.get(path)
        line = f":{location.span[0] + 1}" if location is not None else ""
        return {
            "full_name": full_name,
            "comment": " ".join(location.leading_comments.split()) if location is not None else "",
            "place": f"{self._file.name}{line}",
            "options": {option.full_name: value for option, value in proto.options.ListFields() if option.is_extension},
        }
