"""What is sent to the REST door: a kind of malice is a function here, and its name is what the report counts."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from google.protobuf import json_format
from google.protobuf.message import Message

from revops_mesh.gateway.rest.bindings import Binding
from tests.gateway.rest.calling import transcoded
from tests.hostile.spoiling import TOKENS, Spoiling

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
    "fe80::1%eth0",
    "::ffff:198.51.100.7, 10.0.0.1",
    "[2001:db8::1]:443, unknown",
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


@dataclass(frozen=True)
class Http:
    """A request of the REST door."""

    kind: str
    verb: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    raw: bytes | None = None
    """Sent as it is, instead of all the others, but for `{token}`; then the connection may be closed."""
    leaves: bool = False
    """Whether the client is gone before it is answered."""


class Https:
    """Hostile requests over the route of one method."""

    def __init__(self, binding: Binding, spoiling: Spoiling) -> None:
        self._binding, self._spoiling = binding, spoiling

    def of(self, request: Message) -> Iterator[Http]:
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
            self._leaving,
        ]
        while True:
            if self._spoiling.random.random() < 0.3:
                yield self._http_field(request)
                continue
            verb, target, body = transcoded(self._binding, request)
            yield self._spoiling.random.choice(kinds)(verb, target, body)

    def _http_field(self, request: Message) -> Http:
        for _ in range(5):
            try:
                verb, target, body = transcoded(
                    self._binding, self._spoiling.spoilt(request) if self._spoiling.cases else request
                )
            except (json_format.Error, ValueError, KeyError, TypeError, AttributeError, OverflowError):
                continue  # JSON cannot say it
            return Http("field", verb, target, {}, _encoded(body))
        verb, target, body = transcoded(self._binding, request)
        return self._text(verb, target, body)

    def _json(self, verb: str, target: str, body: Any) -> Http:
        """Other JSON somewhere in the document."""
        if not isinstance(body, dict):
            return self._query(verb, target, body)
        document = json.loads(json.dumps(body))
        at, key = document, self._spoiling.random.choice([*document, "unknown", ""])
        while isinstance(at.get(key), dict) and at[key] and self._spoiling.random.random() < 0.7:
            at = at[key]
            key = self._spoiling.random.choice(list(at))
        at[key] = self._spoiling.random.choice(JSONS)
        return Http("json", verb, target, {}, json.dumps(document).encode(errors="surrogatepass"))

    def _text(self, verb: str, target: str, body: Any) -> Http:
        text = self._spoiling.random.choice(
            [*TEXTS, (_encoded(body) or b"{}")[:-1], (_encoded(body) or b"{}") * 2, self._spoiling.random.randbytes(80)]
        )
        return Http("text", verb, target, {}, text)

    def _header(self, verb: str, target: str, body: Any) -> Http:
        random = self._spoiling.random
        if random.random() < 0.2:
            return Http("token", verb, target, {"authorization": random.choice(TOKENS)}, _encoded(body))
        if random.random() < 0.1:
            bomb = gzip.compress(b"[" * random.choice([10, 40_000_000]), 1) if random.random() < 0.02 else b"\x1f\x8b\x08\x00x"
            return Http("gzip", verb, target, {"content-encoding": "gzip"}, bomb)
        named = {random.choice(HEADERS): random.choice(VALUES) for _ in range(random.randint(1, 3))}
        return Http("header", verb, target, named, _encoded(body))

    def _target(self, verb: str, target: str, body: Any) -> Http:
        parts = target.partition("?")[0].split("/")
        parts[self._spoiling.random.randrange(1, len(parts))] = self._spoiling.random.choice(RAW)
        return Http("target", verb, "/".join(parts), {}, _encoded(body))

    def _query(self, verb: str, target: str, body: Any) -> Http:
        joined = "&".join(self._spoiling.random.choices(QUERIES, k=self._spoiling.random.randint(1, 3)))
        return Http("query", verb, f"{target}{'&' if '?' in target else '?'}{joined}", {}, _encoded(body))

    def _verb(self, verb: str, target: str, body: Any) -> Http:
        return Http("verb", self._spoiling.random.choice(VERBS), target, {}, _encoded(body))

    def _raw(self, verb: str, target: str, body: Any) -> Http:
        """Not, or not quite, HTTP."""
        random = self._spoiling.random
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

    def _leaving(self, verb: str, target: str, body: Any) -> Http:
        """A sound request, or several in a row, by somebody who is gone before the answers."""
        sent = _encoded(body) or b""
        head = f"{verb} {target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {{token}}\r\ncontent-type: application/json\r\n"
        whole = f"{head}content-length: {len(sent)}\r\n\r\n".encode() + sent
        return Http("leaving", verb, target, raw=whole * self._spoiling.random.choice([1, 1, 3, 20]), leaves=True)


def _encoded(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return json.dumps(body).encode()
