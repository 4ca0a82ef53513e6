"""Answers of streaming methods: a line of JSON each (`application/x-ndjson`), or server-sent events.

A refusal after the first answer is the last line, `{"error": …}`, or an event `error`; a stream that ended as it should ends with
an event `end`, because browsers would connect again. Sources: https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import orjson
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.kernel.errors import refuse

from .content import GZIP, LEVEL, Receive
from .raw import Content
from .refusals import Headers, Refused, refused

NDJSON, EVENTS = b"application/x-ndjson", b"text/event-stream"
FIRST_SECONDS = 1.0
"""How long a refusal may come before the headers are sent, and decides on their status."""
LONGEST_SECONDS = 86_400.0
"""Of a stream whose client states no deadline."""
QUIET_SECONDS = 15.0
"""After which a server-sent comment keeps the connection alive."""

Send = Callable[[dict[str, Any]], Awaitable[None]]
END = object()


class Form:
    """How a stream is written."""

    def __init__(self, events: bool, gzip: bool) -> None:
        self.events = events
        self._deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP) if gzip else None

    @property
    def headers(self) -> Headers:
        """Of the answer."""
        headers: Headers = [(b"content-type", EVENTS if self.events else NDJSON), (b"cache-control", b"no-cache")]
        return [*headers, (b"content-encoding", b"gzip")] if self._deflater is not None else headers

    def answer(self, document: Any) -> bytes:
        """One answer."""
        text = orjson.dumps(document)
        return self._wire(b"data: " + text + b"\n\n" if self.events else text + b"\n")

    def refusal(self, refused: Refused) -> bytes:
        """Why it ends early."""
        text = orjson.dumps(refused.document())
        return self._wire(b"event: error\ndata: " + text + b"\n\n" if self.events else text + b"\n")

    def quiet(self) -> bytes:
        """Something that says nothing."""
        return self._wire(b": quiet\n\n") if self.events else b""

    def end(self) -> bytes:
        """That it ended as it should."""
        return self._wire(b"event: end\ndata: {}\n\n") if self.events else b""

    def closing(self) -> bytes:
        """What compression still owes."""
        return self._deflater.flush() if self._deflater is not None else b""

    def _wire(self, text: bytes) -> bytes:
        if self._deflater is None:
            return text
        return self._deflater.compress(text) + self._deflater.flush(zlib.Z_SYNC_FLUSH)


class Streams:
    """Streams under way; a drain ends them."""

    def __init__(self, fault: Callable[[Exception], Refused]) -> None:
        """`fault` makes a refusal of an error that is none."""
        self._fault = fault
        self._ended: asyncio.Future[None] | None = None

    def end(self) -> None:
        """Ends them all, and every one that begins from now on."""
        if not self._ending().done():
            self._ending().set_result(None)

    def _ending(self) -> asyncio.Future[None]:
        if self._ended is None:
            self._ended = asyncio.get_running_loop().create_future()
        return self._ended

    async def pour(
        self,
        answers: AsyncGenerator[Any, None],
        form: Form | Content,
        receive: Receive,
        send: Send,
        headers: Headers,
        seconds: float | None = None,
    ) -> Refused | None:
        """Sends answers, which the form takes, until their end, the client's leaving or its deadline; gives what ended it early.

        Raises what comes before anything was sent.
        """
        gone, coming = asyncio.ensure_future(_gone(receive)), asyncio.ensure_future(_next(answers))
        late: asyncio.Future[None] = asyncio.ensure_future(asyncio.sleep(seconds if seconds is not None else LONGEST_SECONDS))
        try:
            await _first(FIRST_SECONDS, gone, coming, late, self._ending())
            if coming.done() and (error := coming.exception()) is not None:
                raise error
            await send({"type": "http.response.start", "status": 200, "headers": [*form.headers, *headers]})
            while not gone.done():
                refusal = _early(self._ending(), late)
                if refusal is None and coming.done():
                    try:
                        if (answer := coming.result()) is END:
                            await _send(send, form.end() + form.closing(), more=False)
                            return None
                        await _send(send, form.answer(answer))
                        coming = asyncio.ensure_future(_next(answers))
                    except Exception as error:
                        refusal = error if isinstance(error, Refused) else self._fault(error)
                if refusal is not None:
                    if (told := form.refusal(refusal)) is not None:  # else the connection breaks off
                        await _send(send, told + form.closing(), more=False)
                    return refusal
                if not await _first(QUIET_SECONDS, gone, coming, late, self._ending()):
                    await _send(send, form.quiet())
            return None
        finally:
            for task in (gone, coming, late):
                task.cancel()
            await asyncio.gather(gone, coming, late, return_exceptions=True)
            await answers.aclose()


async def _first(seconds: float, *awaited: asyncio.Future[Any]) -> bool:
    """Whether something came within so many seconds."""
    return bool((await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED))[0])


def _early(ending: asyncio.Future[None], late: asyncio.Future[None]) -> Refused | None:
    """Why a stream ends before its end, None if it does not."""
    if ending.done():
        return refused(refuse(platform.MEMBER_UNAVAILABLE, "The server is stopping: connect again.").retry(1.0))
    if late.done():
        return refused(refuse(platform.DEADLINE_PASSED, "The stream took longer than it may: connect again."))
    return None


async def _next(answers: AsyncGenerator[Any, None]) -> Any:
    return await anext(answers, END)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, text: bytes, more: bool = True) -> None:
    if text or not more:
        await send({"type": "http.response.body", "body": text, "more_body": more})
