"""What the bridge needs of whoever answers calls; over one, the member is in this process or elsewhere."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import Message

PASSED_ON = frozenset(("authorization", "traceparent", "tracestate"))
"""Headers that reach the member."""


@dataclass(slots=True)
class Sender:
    """Who sends a request, and how long they wait."""

    metadata: Mapping[str, str]
    """`PASSED_ON` headers, by name in lower case."""
    peer: str
    seconds: float | None = None
    """Time until their deadline; None if they state none."""


class Door(Protocol):
    """Answers calls by the path of their method, `/package.Service/Method`. Every refusal is a `Refused`."""

    async def answer(self, path: str, request: Message, sender: Sender) -> Message:
        """The answer of a unary method."""
        ...

    async def intake(self, path: str, requests: AsyncIterator[Message], sender: Sender) -> Message:
        """The answer to a stream of requests."""
        ...

    def stream(self, path: str, request: Message, sender: Sender) -> AsyncIterator[Message]:
        """The answers of a streaming method, whatever their deadline; closing it ends the call."""
        ...

    def serves(self, path: str) -> bool:
        """Whether it knows the method."""
        ...
