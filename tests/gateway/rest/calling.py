"""Calls a bridge as a web server would, and turns requests of the contracts into HTTP by another path than the bridge's own."""

import asyncio
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from google.protobuf import descriptor_pool, json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from revops_mesh import member
from revops_mesh.gateway.rest.bindings import Binding, bindings
from revops_mesh.gateway.rest.bridge import Bridge


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def text(self) -> bytes:
        """The body, decompressed."""
        return gzip.decompress(self.raw) if self.headers.get("content-encoding") == "gzip" else self.raw

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def lines(self) -> list[Any]:
        """The answers of a stream."""
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The server-sent events of a stream, by kind."""
        found = []
        for block in self.text.decode().strip().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            found.append((fields.get("event", "message"), json.loads(fields["data"])))
        return found

    @property
    def error(self) -> dict[str, Any]:
        """The AIP-193 error; fails if it is none."""
        assert set(self.json) == {"error"}, self.json
        assert self.json["error"]["code"] == self.status
        found: dict[str, Any] = self.json["error"]
        return found

    def detail(self, kind: str) -> dict[str, Any]:
        """The one detail of a kind, as in `ErrorInfo`."""
        (found,) = [d for d in self.error["details"] if d["@type"] == f"type.googleapis.com/google.rpc.{kind}"]
        return {key: value for key, value in found.items() if key != "@type"}

    @property
    def reason(self) -> str:
        return str(self.detail("ErrorInfo")["reason"])


@dataclass
class Rest:
    """Somebody who calls a bridge."""

    bridge: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, verb: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One answer. `body` is JSON unless it is bytes; `if_match="…"` is the header If-Match, "" leaves a header out."""
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body is not None:
            named = {"content-type": "application/json", "content-length": str(len(sent)), **named}
        parts = [sent[: len(sent) // 2], sent[len(sent) // 2 :]]
        events: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)} if parts else await never()

        async def send(event: dict[str, Any]) -> None:
            events.append(event)

        target, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": verb,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items() if value],
            "client": ("192.0.2.1", 4711),
        }
        await self.bridge(scope, receive, send)
        return answered(events)


async def never() -> dict[str, Any]:
    """What a client that stays sends after its request."""
    await asyncio.Event().wait()
    raise AssertionError


def answered(events: list[dict[str, Any]]) -> Answer:
    """The answer that ASGI events make."""
    start, *rest = events
    assert start["type"] == "http.response.start"
    assert all(event["type"] == "http.response.body" for event in rest)
    assert not rest[-1].get("more_body", False), "it never ended"
    headers: dict[str, str] = {}
    for name, value in start["headers"]:
        key = name.decode()
        headers[key] = f"{headers[key]}, {value.decode()}" if key in headers else value.decode()
    raw = b"".join(event.get("body", b"") for event in rest)
    if "content-length" in headers:
        assert int(headers["content-length"]) == len(raw)
    return Answer(start["status"], headers, raw)


def descriptor(full_name: str) -> MethodDescriptor:
    """The descriptor of a method."""
    service, _, name = full_name.rpartition(".")
    found: MethodDescriptor = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    return found


def binding(full_name: str) -> Binding:
    """The first binding of a method."""
    return bindings(descriptor(full_name))[0]


def transcoded(of: Binding, request: Message) -> tuple[str, str, Any]:
    """Verb, path with query, and body of a request."""
    document = json_format.MessageToDict(request)
    path = of.template
    for variable in of.variables:
        value = _taken(document, [_json_name(request, variable.fields[: i + 1]) for i in range(len(variable.fields))])
        pattern = "{" + variable.path
        begun = path.index(pattern)
        path = path[:begun] + quote(value) + path[path.index("}", begun) + 1 :]
    body: Any = None
    held = of.method.input_type.fields_by_name.get(of.body)
    if held is not None and held.message_type is not None and held.message_type.full_name == "google.api.HttpBody":
        body = getattr(request, held.name).data
        document.pop(held.json_name, None)
    elif of.body == "*":
        body, document = document, {}
    elif of.body:
        body = document.pop(request.DESCRIPTOR.fields_by_name[of.body].json_name, {})
    query = urlencode(list(_flat(document, "")))
    return of.verb, f"{path}?{query}" if query else path, body


def _json_name(request: Message, names: tuple[str, ...]) -> str:
    of: Any = request.DESCRIPTOR
    for name in names[:-1]:
        of = of.fields_by_name[name].message_type
    return str(of.fields_by_name[names[-1]].json_name)


def _taken(document: dict[str, Any], names: list[str]) -> str:
    for name in names[:-1]:
        document = document[name]
    return str(document.pop(names[-1]))


def _flat(document: Any, name: str) -> Any:
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _flat(value, f"{name}.{key}" if name else key)
    elif isinstance(document, list):
        for value in document:
            yield from _flat(value, name)
    else:
        yield name, {True: "true", False: "false"}.get(document, document) if isinstance(document, bool) else document


def bridged(door: Any, **options: Any) -> Bridge:
    """A bridge to every service of the member."""
    pool = descriptor_pool.Default()
    return Bridge([pool.FindServiceByName(module.service) for module in member.MODULES], door, **options)
