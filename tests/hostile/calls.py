"""What is sent to the gRPC door: a kind of malice is a function here, and its name is what the report counts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from google.protobuf.message import Message

from revops_mesh.kernel.contract import Method
from tests.hostile.spoiling import TOKENS, Spoiling

TRACES = ["00-0-0-0", "00-" + "f" * 32 + "-" + "0" * 16 + "-01", "ff-" + "a" * 32 + "-" + "b" * 16 + "-01", "x" * 4000, ""]
PATHS = ["/", "//", "/revops.platform.v1.TenantService", "/revops.platform.v1.TenantService/", "/a/b/c", "/" + "x" * 4000]
PATHS += [
    "/revops.quoting.v1.QuoteService/ExpireQuote",
    "/revops.catalog.v1.ProductService/createproduct",
    "/grpc.health.v1.Health/No",
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


class Calls:
    """Hostile calls of one method."""

    def __init__(self, method: Method, spoiling: Spoiling) -> None:
        self._method, self._spoiling = method, spoiling

    def of(self, request: Message) -> Iterator[Call]:
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
            call = self._spoiling.random.choice(kinds)(request)
            yield replace(call, seconds=min(call.seconds, 0.5), follows=True) if self._method.streams else call

    def _field(self, request: Message) -> Call:
        if not self._spoiling.cases:
            return self._bytes(request)
        return Call("field", self._method.path, [self._spoiling.spoilt(request).SerializeToString()])

    def _bytes(self, request: Message) -> Call:
        """Not, or not quite, protobuf."""
        random, sound = self._spoiling.random, request.SerializeToString() or b"\x0a\x01x"
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
        random, sound = self._spoiling.random, request.SerializeToString()
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
        path = self._spoiling.random.choice([*PATHS, self._method.path + "x", self._method.path.lower(), self._method.path + "/"])
        return Call("path", path, [request.SerializeToString()])

    def _shape(self, request: Message) -> Call:
        """Several requests where one is taken. None at all is not tried: grpcio leaves such a call to its sender's deadline."""
        sound = request.SerializeToString()
        return Call("shape", self._method.path, self._spoiling.random.choice([[sound, sound], [b"", sound], [sound, b"\xff"]]))


def _nested(depth: int, number: int) -> bytes:
    """A message in a message in a message."""
    body = b""
    for _ in range(depth):
        size, length = len(body), b""
        while size > 127:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        body = bytes([number << 3 | 2]) + length + bytes([size]) + body
    return body
