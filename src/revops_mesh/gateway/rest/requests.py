"""From an HTTP request to the request of a method: body, path, query and the headers that fill fields.

Everything becomes arguments of the message's constructor, which then builds it once. What is given twice must be given alike.
"""

import uuid
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from revops_mesh.gateway.protojson import Unreadable, reader, value_reader

from .bindings import Binding, Parameter, Variable
from .refusals import bad_header

Arguments = dict[str, Any]
KEYS = uuid.UUID("7c9a3bfb-6e0b-5c3c-9b1a-2b8e3d1d4f60")
"""Namespace of the request ids that follow from keys which are no UUIDs."""
LONGEST_KEY = 255
MOST_PARAMETERS = 1000


class RequestReader:
    """Reads the requests of one binding."""

    def __init__(self, binding: Binding) -> None:
        self._of = binding.method.input_type
        self._kind = GetMessageClass(self._of)
        self._body = _body_reader(binding)
        self._takes_body = bool(binding.body)
        self._variables = [(v, _text_reader(_field(self._of, v.fields))) for v in binding.variables]
        self._parameters = {name: (p, _text_reader(p.field)) for p in binding.parameters for name in (p.name, p.path)}
        self._has_request_id = "request_id" in self._of.fields_by_name
        self._etag = _etag(binding)
        self.reads = binding.verb == "GET"

    def read(self, segments: Sequence[str], query: bytes, body: Any, headers: dict[bytes, bytes]) -> Message:
        """The request. `segments` are those of the path, still percent-encoded; `body` is a JSON value, `...` if none was sent.

        Raises `Unreadable` for fields and `Refused` for headers.
        """
        if body is ...:
            arguments: Arguments = {}
        elif not self._takes_body:
            raise Unreadable("is not expected here: what a request of this method says is in path and query")
        else:
            arguments = self._body(body)
        for variable, convert in self._variables:
            self._fill(arguments, variable, _path_text(variable, segments), convert)
        if query:
            self._query(arguments, query)
        if b"idempotency-key" in headers:
            self._identify(arguments, headers[b"idempotency-key"])
        if b"if-match" in headers:
            self._require(arguments, headers[b"if-match"])
        return self._kind(**arguments)

    def _fill(self, arguments: Arguments, variable: Variable, text: str, convert: Callable[[str], Any]) -> None:
        holder = arguments
        for name in variable.fields[:-1]:
            holder = holder.setdefault(name, {})
        try:
            value = convert(text)
        except Unreadable as problem:
            raise problem.under(variable.path) from None
        last = variable.fields[-1]
        if holder.get(last) and holder[last] != value:
            raise Unreadable(f"differs from what the path says, {value!r}").under(variable.path)
        holder[last] = value

    def _query(self, arguments: Arguments, query: bytes) -> None:
        for name, text in _pairs(query):
            found = self._parameters.get(name)
            if found is None:
                raise Unreadable("is no parameter of this method").under(name)
            parameter, convert = found
            try:
                _put(arguments, parameter, convert(text))
            except Unreadable as problem:
                raise problem.under(name) from None

    def _identify(self, arguments: Arguments, sent: bytes) -> None:
        """`Idempotency-Key`: a UUID is the request id; any other text stands for one."""
        if not self._has_request_id:
            if self.reads:
                return  # reading twice is reading
            raise bad_header("idempotency-key", "has no use here: the method cannot be repeated safely")
        key = sent.decode("latin-1").strip().strip('"')
        if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
            raise bad_header("idempotency-key", f"must be 1 to {LONGEST_KEY} printable characters")
        try:
            request_id = str(uuid.UUID(key))
        except ValueError:
            request_id = str(uuid.uuid5(KEYS, key))
        if arguments.get("request_id") and arguments["request_id"].lower() != request_id:
            raise bad_header("idempotency-key", "contradicts the request's own request_id: send one of them")
        arguments["request_id"] = request_id

    def _require(self, arguments: Arguments, sent: bytes) -> None:
        """`If-Match`: the revision that the change is based on."""
        if self._etag is None:
            raise bad_header("if-match", "has no use here: the method changes nothing that has an etag")
        tag = sent.decode("latin-1").strip()
        if tag == "*":
            return
        if len(tag) < 3 or not (tag.startswith('"') and tag.endswith('"')) or '"' in tag[1:-1]:
            raise bad_header("if-match", 'must be * or one strong etag in quotes, as in "3"')
        holder = arguments
        for name in self._etag[:-1]:
            holder = holder.setdefault(name, {})
        if holder.get("etag") and holder["etag"] != tag[1:-1]:
            raise bad_header("if-match", "contradicts the request's own etag: send one of them")
        holder["etag"] = tag[1:-1]


def _body_reader(binding: Binding) -> Callable[[Any], Arguments]:
    if binding.body in ("", "*"):
        return reader(binding.method.input_type)
    field = binding.method.input_type.fields_by_name[binding.body]
    read, name = value_reader(field), field.name
    if field.is_repeated:
        raise ValueError(f"{binding.method.full_name}: a body cannot be a list")

    def convert(body: Any) -> Arguments:
        try:
            return {name: read(body)}
        except Unreadable as problem:
            raise problem.under(name) from None

    return convert


def _field(of: Any, names: Sequence[str]) -> FieldDescriptor:
    for name in names[:-1]:
        of = of.fields_by_name[name].message_type
    found: FieldDescriptor = of.fields_by_name[names[-1]]
    return found


def _text_reader(field: FieldDescriptor) -> Callable[[str], Any]:
    """The conversion of a value that is text, as paths and queries are: JSON's, which takes texts for numbers too."""
    if field.type == FieldDescriptor.TYPE_BOOL:
        return _boolean
    if field.message_type is None:
        return value_reader(field)
    name, read = field.message_type.full_name.removeprefix("google.protobuf."), value_reader(field)
    if name == "BoolValue":
        return lambda text: {"value": _boolean(text)}
    if name == "FieldMask":
        return _mask_reader(read)
    return read


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise Unreadable("must be true or false")
    return text == "true"


def _mask_reader(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """In a query a mask may also name fields as the contract does."""
    return lambda text: {"paths": text.split(",")} if "_" in text else read(text)


def _etag(binding: Binding) -> tuple[str, ...] | None:
    """Where a request holds the etag of what it changes: at its top, or in the resource of an update."""
    fields = binding.method.input_type.fields_by_name
    if "etag" in fields:
        return ("etag",)
    resource = binding.method.input_type.fields[0] if fields else None
    if "update_mask" in fields and resource is not None and resource.message_type is not None:
        return (resource.name, "etag") if "etag" in resource.message_type.fields_by_name else None
    return None


def _path_text(variable: Variable, segments: Sequence[str]) -> str:
    return "/".join(decoded(segment, variable.path) for segment in segments[variable.start : variable.end])


def decoded(segment: str, field: str) -> str:
    """A segment without percent-encoding; an encoded slash stays encoded, because it separates nothing."""
    if "%" not in segment:
        return segment
    try:
        return unquote_to_bytes(segment).decode().replace("/", "%2F")
    except UnicodeDecodeError:
        raise Unreadable("must be UTF-8").under(field) from None


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("ascii"), True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except UnicodeDecodeError:
        raise Unreadable("must be UTF-8, percent-encoded").under("query") from None
    except ValueError:
        raise Unreadable(f"has more than {MOST_PARAMETERS} parameters").under("query") from None


def _put(arguments: Arguments, parameter: Parameter, value: Any) -> None:
    holder = arguments
    for field in parameter.fields[:-1]:
        holder = holder.setdefault(field.name, {})
    name = parameter.field.name
    if parameter.field.is_repeated:
        holder.setdefault(name, []).append(value)
    elif name in holder:
        raise Unreadable("is given twice")
    else:
        holder[name] = value
