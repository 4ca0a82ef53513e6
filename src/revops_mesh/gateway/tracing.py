"""Traces begin at the gateway, or go on there: a span for each call of a door, and the member's below it."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import cast

from google.protobuf.message import Message
from opentelemetry.trace import SpanKind

from revops_mesh.kernel import observe

from .rest.doors import Door, Sender
from .rest.refusals import Refused


class TracedDoor:
    """A door whose sampled calls have spans; which are sampled, the observer decides."""

    def __init__(self, door: Door, observer: observe.Observer) -> None:
        self._door, self._observer = door, observer

    def serves(self, path: str) -> bool:
        """What the door serves."""
        return self._door.serves(path)

    async def answer(self, path: str, request: Message, sender: Sender) -> Message:
        """The door's answer."""
        with self._spanned(path, sender) as traced:
            return await self._door.answer(path, request, traced)

    async def intake(self, path: str, requests: AsyncIterator[Message], sender: Sender) -> Message:
        """The door's answer to a stream."""
        with self._spanned(path, sender) as traced:
            return await self._door.intake(path, requests, traced)

    async def stream(self, path: str, request: Message, sender: Sender) -> AsyncIterator[Message]:
        """The door's answers."""
        with self._spanned(path, sender) as traced:
            answers = cast("AsyncGenerator[Message, None]", self._door.stream(path, request, traced))
            async with aclosing(answers) as each:
                async for answer in each:
                    yield answer

    @contextmanager
    def _spanned(self, path: str, sender: Sender) -> Iterator[Sender]:
        span = self._observer.span(path[1:].replace("/", "."), sender.metadata.get("traceparent", ""), SpanKind.SERVER)
        if span is None:
            yield sender
            return
        outcome = "OK"
        try:
            yield replace(sender, metadata={**sender.metadata, "traceparent": observe.traceparent(span)})
        except Refused as refused:
            outcome = refused.reason
            raise
        except BaseException:
            outcome = "CANCELLED"
            raise
        finally:
            observe.end(span, outcome, "")
