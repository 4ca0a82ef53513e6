"""What is sent: sound requests of every method, spoilt in one of many ways. Everything follows from a seed.

The contract gives the fields and the stories of the contract tests give the requests; a kind of malice is a function here, and
its name is what the report counts.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import quote

from google.protobuf import json_format
from google.protobuf.message import Message

from revops_mesh.gateway.rest.bindings import Binding
from revops_mesh.kernel.contract import Method
from tests.contract import hostile
from tests.gateway.rest.calling import transcoded

TOKENS = [
    "",
    "Bearer",
    "Bearer ",
    "Basic YTpi",
    "Bearer " + "x" * 8000,
    "Bearer a.b.c",
    "Bearer rk_x_y_z",
    "bearer \x7f",
    "Bearer é",
]
TRACES = ["00-0-0-0", "00-" + "f" * 32 + "-" + "0" * 16 + "-01", "ff-" + "a" * 32 + "-" + "b" * 16 + "-01", "x" * 4000, ""]
PATHS = ["/", "//", "/revops.platform.v1.TenantService", "/revops.platform.v1.TenantService/", "/a/b/c", "/" + "x" * 4000]
PATHS += [
    "/revops.quoting.v1.QuoteService/ExpireQuote",
    "/revops.catalog.v1.ProductService/createproduct",
    "/grpc.health.v1.Health/No",
]
VERBS = ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"]
HEADERS = [
    "if-match",
    "if-none-match",
    "idempotency-key",
    "accept",
    "accept-encoding",
    "content-encoding",
    "traceparent",
    "origin",
]
HEADERS += [
    "x-request-timeout",
    "grpc-timeout",
    "content-type",
    "x-forwarded-for",
    "access-control-request-method",
    "range",
    "te",
]
VALUES = [
    "",
    "*",
    '"',
    "W/",
    '"0"',
    "gzip",
    "br",
    "deflate, gzip;q=nan",
    "text/html",
    "application/json; charset=latin-1",
    "0",
    "-1",
]
VALUES += [
    "9" * 400,
    "1e999",
    "NaN",
    "\xff\xfe",
    "a" * 7000,
    "bytes=0-",
    ", ,",
    "null",
    "application/json;" * 50,
    "../../etc/passwd",
]
JSONS: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    10**400,
    "",
    "\0",
    "\ud800",
    [],
    {},
    [[]],
    [None],
    {"": 1},
    "9" * 5000,
    "NaN",
    [{}] * 1500,
]
TEXTS = [
    b"",
    b"null",
    b"0",
    b"{",
    b"}",
    b"[" * 3000,
    b'{"a":' * 800,
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"{} {}",
    b'{"name": NaN}',
]
TEXTS += [
    b'{"name": "\\ud800"}',
    b'{"name": "\xc3"}',
    b'{"name": 1, "name": 2}',
    b"<a/>",
    b"a=b&c=d",
    b'{"x": 1' + b"0" * 9000 + b"}",
]
QUERIES = [
    "=",
    "&&&",
    "filter",
    "filter=(((",
    "pageSize=-1",
    "pageSize=x",
    "pageSize=9" + "9" * 99,
    "pageToken=%00",
    "orderBy=;--",
    "a.b.c=1",
]
QUERIES += [
    "updateMask=*,*",
    "updateMask=..",
    "validateOnly=maybe",
    "%",
    "%zz=1",
    "%00=%00",
    "x=" + "y" * 6000,
    "filter=" + quote("(" * 900),
]
RAW = [
    "..",
    ".",
    "%2e%2e%2f",
    "%00",
    "%ff",
    "%",
    "%zz",
    ":",
    ":x",
    "*",
    "-",
    "a" * 3000,
    "\xf0\x9f\x98\x80",
    "A",
    "//",
    "?",
    ";",
    "{name}",
]

Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True)
class Call:
    """A call of the gRPC door."""

    kind: str
    path: str
    bodies: Sequence[bytes]
    metadata: Metadata = ()
    token: str | None = None
    """Instead of the caller's, None for the caller's."""
    seconds: float = 20.0
    follows: bool = False
    """It may go on until its deadline, as whoever watches something does."""


@dataclass(frozen=True)
class Http:
    """A request of the REST door."""

    kind: str
    verb: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    raw: bytes | None = None
    """Sent as it is, instead of all the others; then the connection may be closed."""


class Attacks:
    """The ways to spoil the requests of one method."""

    def __init__(
        self, method: Method, binding: Binding | None, cases: Sequence[tuple[str, hostile.Change]], random: Random
    ) -> None:
        self._method, self._binding, self._cases, self._random = method, binding, cases, random

    def calls(self, request: Message) -> Iterator[Call]:
        """Calls of the gRPC door, without end."""
        kinds: list[Callable[[Message], Call]] = [
            self._field,
            self._field,
            self._bytes,
            self._bytes,
            self._metadata,
            self._path,
            self._shape,
        ]
        while True:
            call = self._random.choice(kinds)(request)
            yield replace(call, seconds=min(call.seconds, 0.5), follows=True) if self._method.streams else call

    def https(self, request: Message) -> Iterator[Http]:
        """Requests of the REST door, without end."""
        kinds: list[Callable[[str, str, Any], Http]] = [
            self._json,
            self._json,
            self._text,
            self._header,
            self._target,
            self._query,
            self._verb,
            self._raw,
        ]
        while True:
            if self._random.random() < 0.3:
                yield self._http_field(request)
                continue
            verb, target, body = transcoded(self._bound, request)
            yield self._random.choice(kinds)(verb, target, body)

    @property
    def _bound(self) -> Binding:
        assert self._binding is not None
        return self._binding

    def _spoilt(self, request: Message) -> Message:
        """With hostile values in one to three fields."""
        changed = type(request)()
        changed.CopyFrom(request)
        for _, change in self._random.sample(self._cases, min(len(self._cases), self._random.randint(1, 3))):
            try:
                change(changed)
            except (TypeError, ValueError):  # two changes that exclude each other
                continue
        return changed

    def _field(self, request: Message) -> Call:
        if not self._cases:
            return self._bytes(request)
        return Call("field", self._method.path, [self._spoilt(request).SerializeToString()])

    def _bytes(self, request: Message) -> Call:
        """Not, or not quite, protobuf."""
        random, sound = self._random, request.SerializeToString() or b"\x0a\x01x"
        at = random.randrange(len(sound))
        spoilt = random.choice(
            [
                lambda: sound[:at],
                lambda: sound[:at] + bytes([sound[at] ^ 1 << random.randrange(8)]) + sound[at + 1 :],
                lambda: sound + random.randbytes(random.randint(1, 200)),
                lambda: random.randbytes(random.randint(0, 300)),
                lambda: sound + b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" * 3,
                lambda: b"\x0a\xff\xff\xff\x7f" + sound,
                lambda: sound + b"\x0b" * 200,
                lambda: sound + b"\x0a\x02\xc3\x28",
                lambda: b"\x12" + bytes([random.randrange(128)]) + sound * 40,
                lambda: _nested(random.choice([50, 120, 5000]), random.randrange(1, 16)),
                lambda: sound + b"\xca\x3e\x05hello",
            ]
        )()
        return Call("bytes", self._method.path, [spoilt])

    def _metadata(self, request: Message) -> Call:
        random, sound = self._random, request.SerializeToString()
        chosen = random.randrange(5)
        if chosen == 0:
            return Call("token", self._method.path, [sound], token=random.choice(TOKENS[:-1]))
        if chosen == 1:
            return Call("deadline", self._method.path, [sound], seconds=random.choice([0.0, 0.0001, 0.001, 0.005]))
        name = random.choice(
            [
                "traceparent",
                "revops-tenant",
                "revops-asking",
                "revops-principal",
                "grpc-previous-rpc-attempts",
                "x-a",
                "user-agent",
            ]
        )
        many = tuple((f"x-{n}", "y" * 40) for n in range(random.choice([0, 60])))
        odd: Metadata = (("x-odd-bin", random.randbytes(random.randint(0, 300))),) if chosen == 2 else ()
        return Call("metadata", self._method.path, [sound], ((name, random.choice([*TRACES, "*", "a b", "%00"])), *many, *odd))

    def _path(self, request: Message) -> Call:
        path = self._random.choice([*PATHS, self._method.path + "x", self._method.path.lower(), self._method.path + "/"])
        return Call("path", path, [request.SerializeToString()])

    def _shape(self, request: Message) -> Call:
        """Several requests where one is taken. None at all is not tried: grpcio leaves such a call to its sender's deadline."""
        sound = request.SerializeToString()
        return Call("shape", self._method.path, self._random.choice([[sound, sound], [b"", sound], [sound, b"\xff"]]))

    def _http_field(self, request: Message) -> Http:
        for _ in range(5):
            try:
                verb, target, body = transcoded(self._bound, self._spoilt(request) if self._cases else request)
            except (json_format.Error, ValueError, KeyError, TypeError, AttributeError, OverflowError):
                continue  # JSON cannot say it
            return Http("field", verb, target, {}, _encoded(body))
        verb, target, body = transcoded(self._bound, request)
        return self._text(verb, target, body)

    def _json(self, verb: str, target: str, body: Any) -> Http:
        """Other JSON somewhere in the document."""
        if not isinstance(body, dict):
            return self._query(verb, target, body)
        document = json.loads(json.dumps(body))
        at, key = document, self._random.choice([*document, "unknown", ""])
        while isinstance(at.get(key), dict) and at[key] and self._random.random() < 0.7:
            at = at[key]
            key = self._random.choice(list(at))
        at[key] = self._random.choice(JSONS)
        return Http("json", verb, target, {}, json.dumps(document).encode(errors="surrogatepass"))

    def _text(self, verb: str, target: str, body: Any) -> Http:
        text = self._random.choice(
            [*TEXTS, (_encoded(body) or b"{}")[:-1], (_encoded(body) or b"{}") * 2, self._random.randbytes(80)]
        )
        return Http("text", verb, target, {}, text)

    def _header(self, verb: str, target: str, body: Any) -> Http:
        random = self._random
        if random.random() < 0.2:
            return Http("token", verb, target, {"authorization": random.choice(TOKENS)}, _encoded(body))
        if random.random() < 0.1:
            bomb = gzip.compress(b"[" * random.choice([10, 40_000_000]), 1) if random.random() < 0.02 else b"\x1f\x8b\x08\x00x"
            return Http("gzip", verb, target, {"content-encoding": "gzip"}, bomb)
        named = {random.choice(HEADERS): random.choice(VALUES) for _ in range(random.randint(1, 3))}
        return Http("header", verb, target, named, _encoded(body))

    def _target(self, verb: str, target: str, body: Any) -> Http:
        parts = target.partition("?")[0].split("/")
        parts[self._random.randrange(1, len(parts))] = self._random.choice(RAW)
        return Http("target", verb, "/".join(parts), {}, _encoded(body))

    def _query(self, verb: str, target: str, body: Any) -> Http:
        joined = "&".join(self._random.choices(QUERIES, k=self._random.randint(1, 3)))
        return Http("query", verb, f"{target}{'&' if '?' in target else '?'}{joined}", {}, _encoded(body))

    def _verb(self, verb: str, target: str, body: Any) -> Http:
        return Http("verb", self._random.choice(VERBS), target, {}, _encoded(body))

    def _raw(self, verb: str, target: str, body: Any) -> Http:
        """Not, or not quite, HTTP."""
        random = self._random
        head = f"{verb} {target} HTTP/1.1\r\nhost: x\r\n".encode("utf-8", "replace")
        spoilt = random.choice(
            [
                b"\r\n\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                head.replace(b"HTTP/1.1", b"HTTP/9.9") + b"\r\n",
                head.replace(b"HTTP/1.1", b"") + b"\r\n",
                head + b"content-length: -1\r\n\r\n",
                head + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
                head + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                head + b"transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
                head + b"transfer-encoding: chunked\r\n\r\n5\r\nhel",
                head + b"content-length: 1000\r\n\r\n{",
                head + b"a" * 70_000 + b": b\r\n\r\n",
                head + b"x: y\r\n" * 2000 + b"\r\n",
                head + b"bad header\r\n\r\n",
                head + b"x: \x00\r\n\r\n",
                head[: random.randrange(1, len(head))],
                random.randbytes(random.randint(1, 200)),
            ]
        )
        return Http("raw", verb, target, raw=spoilt)


def _encoded(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return json.dumps(body).encode()


def _nested(depth: int, number: int) -> bytes:
    """A message in a message in a message."""
    body = b""
    for _ in range(depth):
        size, length = len(body), b""
        while size > 127:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        body = bytes([number << 3 | 2]) + length + bytes([size]) + body
    return body
