"""What HTTP reaches a method, read from its `google.api.http` option: verb, path, variables, body and query.

Sources: google/api/http.proto (grammar of templates, which field comes from where), AIP-127.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

VERBS = ("GET", "PUT", "POST", "DELETE", "PATCH")
TEXTUAL = frozenset(
    f"google.protobuf.{name}"
    for name in (
        "Timestamp", "Duration", "FieldMask", "BoolValue", "BytesValue", "DoubleValue", "FloatValue", "Int32Value",
        "Int64Value", "StringValue", "UInt32Value", "UInt64Value",
    )
)  # fmt: skip
"""Messages that JSON writes as one text, number or boolean, so that a query parameter can hold them."""

_PIECE = re.compile(r"\{(?P<path>[A-Za-z_][\w.]*)(?:=(?P<pattern>[^{}]+))?\}|(?P<literal>[^/{}:]+)")
_ACTION = re.compile(r"^(?P<path>.*[^/]):(?P<action>[A-Za-z][\w-]*)$")


class BadTemplate(ValueError):
    """A `google.api.http` option cannot be served; the message names the method and says why."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A part of the path that fills a field: `{quote.name=quotes/*}` fills `quote.name` with segments `start` to `end`."""

    fields: tuple[str, ...]
    """Names of fields from the request on, as in `("quote", "name")`."""
    start: int
    end: int

    @property
    def path(self) -> str:
        """The field path with dots."""
        return ".".join(self.fields)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field of the request that a query parameter can fill."""

    fields: tuple[FieldDescriptor, ...]
    """From the request on; the last one holds the value. All but the last are singular messages."""

    @property
    def field(self) -> FieldDescriptor:
        """The field that holds the value: a scalar, an enum or a message of `TEXTUAL`, perhaps repeated."""
        return self.fields[-1]

    @property
    def path(self) -> str:
        """As the contract names it: `price_scope.account`."""
        return ".".join(field.name for field in self.fields)

    @property
    def name(self) -> str:
        """As JSON names it: `priceScope.account`."""
        return ".".join(field.json_name for field in self.fields)


@dataclass(frozen=True, slots=True)
class Binding:
    """One way over HTTP to a method."""

    method: MethodDescriptor
    verb: str
    """`GET`, `PUT`, `POST`, `DELETE`, `PATCH`, or what a custom pattern names."""
    template: str
    """As the contract writes it: `/v1/{name=quotes/*}:submit`."""
    segments: tuple[str, ...]
    """The path without variables and action: `("v1", "quotes", "*")`. `*` is any one segment, a last `**` any number."""
    action: str
    """`submit` of `/v1/{name=quotes/*}:submit`; "" if none."""
    variables: tuple[Variable, ...]
    body: str
    """Field of the request that the body holds; `*` when the body is the request, "" when there is no body."""
    parameters: tuple[Parameter, ...]
    """What a query may fill: what neither path nor body does."""

    def pattern(self, variable: Variable) -> str:
        """The segments that a variable takes: `quotes/*`."""
        return "/".join(self.segments[variable.start : variable.end])


def bindings(method: MethodDescriptor) -> tuple[Binding, ...]:
    """Every way to a method, the contract's own before its additional ones; none if it states no `google.api.http`.

    Raises `BadTemplate` when the option is malformed or names a field that is not there.
    """
    options = method.GetOptions()
    if not options.HasExtension(annotations_pb2.http):
        return ()
    rule = options.Extensions[annotations_pb2.http]
    return tuple(_binding(method, each) for each in (rule, *rule.additional_bindings))


def _binding(method: MethodDescriptor, rule: object) -> Binding:
    verb, template = _route(method, rule)
    segments, action, variables = _parsed(method, template)
    body = rule.body  # type: ignore[attr-defined]
    if body not in ("", "*") and body not in method.input_type.fields_by_name:
        raise BadTemplate(f"{method.full_name}: {method.input_type.name} has no field {body}, which the body is to hold")
    if rule.response_body:  # type: ignore[attr-defined]
        raise BadTemplate(f"{method.full_name}: response_body is not served, an answer is answered whole")
    taken = {variable.path for variable in variables} | {body}
    parameters = () if body == "*" else tuple(_parameters(method.input_type, (), taken))
    return Binding(method, verb, template, segments, action, variables, body, parameters)


def _route(method: MethodDescriptor, rule: object) -> tuple[str, str]:
    kind = rule.WhichOneof("pattern")  # type: ignore[attr-defined]
    if kind == "custom":
        return rule.custom.kind, rule.custom.path  # type: ignore[attr-defined]
    if kind is None:
        raise BadTemplate(f"{method.full_name}: a binding without verb and path")
    return kind.upper(), getattr(rule, kind)


def _parsed(method: MethodDescriptor, template: str) -> tuple[tuple[str, ...], str, tuple[Variable, ...]]:
    """Segments, action and variables of a template."""
    found = _ACTION.match(template)
    path, action = (found["path"], found["action"]) if found else (template, "")
    if not path.startswith("/"):
        raise BadTemplate(f"{method.full_name}: {template} does not start with a slash")
    segments: list[str] = []
    variables: list[Variable] = []
    position = 1
    while position <= len(path):
        piece = _PIECE.match(path, position)
        if piece is None or path[piece.end() : piece.end() + 1] not in ("", "/"):
            raise BadTemplate(f"{method.full_name}: {template} cannot be read from {path[position:]!r} on")
        start = len(segments)
        segments += (piece["literal"] or piece["pattern"] or "*").split("/")
        if piece["path"]:
            fields = tuple(piece["path"].split("."))
            _require_text(method, fields)
            variables.append(Variable(fields, start, len(segments)))
        position = piece.end() + 1
    if "**" in segments[:-1] or not all(segments):
        raise BadTemplate(f"{method.full_name}: {template} has an empty segment, or ** before the last one")
    return tuple(segments), action, tuple(variables)


def _require_text(method: MethodDescriptor, fields: tuple[str, ...]) -> None:
    """Path variables fill singular scalar fields."""
    descriptor: Descriptor | None = method.input_type
    field: FieldDescriptor | None = None
    for name in fields:
        field = descriptor.fields_by_name.get(name) if descriptor is not None else None
        if field is None or field.is_repeated:
            raise BadTemplate(f"{method.full_name}: {'.'.join(fields)} is no singular field of {method.input_type.name}")
        descriptor = field.message_type
    if descriptor is not None:
        raise BadTemplate(f"{method.full_name}: {'.'.join(fields)} is a message, and a path is text")


def _parameters(of: Descriptor, above: tuple[FieldDescriptor, ...], taken: set[str]) -> Iterator[Parameter]:
    for field in of.fields:
        fields = (*above, field)
        if ".".join(each.name for each in fields) in taken:
            continue
        inner = field.message_type
        if inner is None or inner.full_name in TEXTUAL:
            yield Parameter(fields)
        elif not field.is_repeated and inner not in {each.containing_type for each in fields}:
            yield from _parameters(inner, fields, taken)
