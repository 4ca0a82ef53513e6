"""The REST bridge: an ASGI application that turns HTTP and JSON into calls through a door, and answers back into JSON.

It knows every method from the contracts. Pages and `/healthz` are served beside them. A unary call is not cancelled when its
client leaves: its deadline ends it, and a repetition with the same key gets its answer.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
from contextlib import aclosing
from time import perf_counter
from typing import Any, cast

import orjson
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.gateway.protojson import Unreadable, parsed
from revops_mesh.kernel.errors import refuse
from revops_mesh.kernel.names import new_uuid
from revops_mesh.runtime.logs import trace_of_call

from . import content, raw, streams
from .bindings import bindings
from .cors import Cors
from .doors import PASSED_ON, Door, Sender
from .limits import Limits
from .refusals import Headers, Refused, bad_field, no_verb, refused
from .routes import Route, Routes

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Note = Callable[[str, str, float, str, str], None]

JSON: Headers = [(b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff")]
HEALTH = "/healthz"
READ = {name.encode(): name for name in PASSED_ON}

_log = logging.getLogger("revops.rest")


class Bridge:
    """Serves the methods of some services through a door."""

    def __init__(
        self,
        services: Iterable[ServiceDescriptor],
        door: Door,
        *,
        origins: Collection[str] = (),
        pages: Sequence[tuple[str, Application]] = (),
        serving: Callable[[], bool] = lambda: True,
        note: Note | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`origins` may call from browsers; `pages` are served at their exact paths; `serving` is false while it drains.

        `note` is told of every call: method, outcome, seconds, peer and trace; `limits` hold for
        everything but `/healthz`. Raises `ValueError` for contradicting routes.
        """
        methods = (method for service in services for method in service.methods)
        served = (m for m in methods if door.serves(f"/{m.containing_service.full_name}/{m.name}"))
        self.routes = Routes(binding for method in served for binding in bindings(method))
        self._door, self._cors, self._pages, self._serving, self._note = door, Cors(origins), dict(pages), serving, note
        self._limits = limits
        self._streams = streams.Streams(_refusal)

    def end_streams(self) -> None:
        """Ends streams with UNAVAILABLE; clients connect again, elsewhere."""
        self._streams.end()

    async def __call__(self, scope: Scope, receive: content.Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served")
        started = perf_counter()
        headers = dict(scope["headers"])
        verb, path = scope["method"], scope["raw_path"].decode("latin-1")
        extra = self._beside(headers)
        trace = headers.get(b"traceparent", b"").decode("latin-1")
        trace_of_call.set(trace)
        method, outcome = path, "OK"
        try:
            if path == HEALTH:
                return await self._health(verb, send, extra)
            page = self._pages.get(path)
            if self._limits is not None:
                extra = [*extra, *await self._limits.admit(headers, host(scope), credentials=page is None)]
            if page is not None:
                return await page(scope, receive, adding(extra, send))
            if verb == "OPTIONS":
                return await self._options(path, headers, send, extra)
            route, segments = self.routes.find(verb, path)
            method = route.full_name
            request, sender = await self._request(route, segments, scope, headers, receive)
            if route.streams:
                ended = await self._stream(route, request, sender, headers, receive, send, extra)
                outcome = ended.reason if ended is not None else "OK"
            else:
                answer = await self._answered(route, request, sender, headers, receive)
                await self._answer(route, answer, headers, send, extra)
        except content.Gone:
            outcome = "CANCELLED"
        except Exception as error:
            refusal = error if isinstance(error, Refused) else _refusal(error)
            outcome = refusal.reason
            status, own, text = refusal.answer()
            await reply(send, status, [*own, *extra], text)
        finally:
            if self._note is not None:
                self._note(method, outcome, perf_counter() - started, peer(scope), trace)

    def _beside(self, headers: Mapping[bytes, bytes]) -> Headers:
        """Headers of every answer to a request."""
        extra = self._cors.headers(headers.get(b"origin")) if self._cors.origins else []
        if not self._serving():  # so that clients go elsewhere before the port closes
            extra = [*extra, (b"connection", b"close")]
        return extra

    async def _answered(
        self, route: Route, request: Message, sender: Sender, headers: Mapping[bytes, bytes], receive: content.Receive
    ) -> Message:
        """The one answer of a method, which may take a stream: of a raw body, or of one request."""
        if not route.intake:
            return await self._door.answer(route.path, request, sender)
        sent = raw.requests(receive, headers, request, route.raw_body) if route.raw_body else _once(request)
        return await self._door.intake(route.path, sent, sender)

    async def _request(
        self, route: Route, segments: Sequence[str], scope: Scope, headers: dict[bytes, bytes], receive: content.Receive
    ) -> tuple[Message, Sender]:
        body: Any = ...
        if not route.raw_body and (b"content-length" in headers or b"transfer-encoding" in headers):
            text = await content.body(receive, headers)
            if text:
                content.require_json(headers)
                body = parsed(text)
        request = route.request.read(segments, scope["query_string"], body, headers)
        metadata = {READ[name]: value.decode("latin-1") for name, value in headers.items() if name in READ}
        return request, Sender(metadata, peer(scope), content.deadline(headers))

    async def _answer(self, route: Route, answer: Any, headers: Mapping[bytes, bytes], send: Send, extra: Headers) -> None:
        own = [*JSON, *extra]
        if route.has_etag and answer.etag:
            tag = f'"{answer.etag}"'.encode()
            own.append((b"etag", tag))
            if route.request.reads and tag in headers.get(b"if-none-match", b""):
                return await reply(send, 304, own, b"")
        text = orjson.dumps(route.write(answer))
        if len(text) >= content.LEAST_COMPRESSED:
            own.append((b"vary", b"accept-encoding"))
            if content.takes_gzip(headers):
                own.append((b"content-encoding", b"gzip"))
                text = content.compressed(text)
        await reply(send, 200, own, text)

    async def _stream(
        self,
        route: Route,
        request: Message,
        sender: Sender,
        headers: Mapping[bytes, bytes],
        receive: content.Receive,
        send: Send,
        extra: Headers,
    ) -> Refused | None:
        form: streams.Form | raw.Content
        if route.raw_answers:
            answers, form = await raw.opened(self._door.stream(route.path, request, sender))
        else:
            form = streams.Form(streams.EVENTS in headers.get(b"accept", b""), content.takes_gzip(headers))
            answers = self._written(route, request, sender)
        return await self._streams.pour(answers, form, receive, send, extra, sender.seconds)

    async def _written(self, route: Route, request: Message, sender: Sender) -> AsyncGenerator[Any, None]:
        answers = self._door.stream(route.path, request, sender)
        async with aclosing(cast("AsyncGenerator[Message, None]", answers)) as each:
            async for answer in each:
                yield route.write(answer)

    async def _health(self, verb: str, send: Send, extra: Headers) -> None:
        if verb not in ("GET", "HEAD"):
            raise no_verb(verb, ("GET", "HEAD"))
        serving = self._serving()
        text = orjson.dumps({"status": "SERVING" if serving else "NOT_SERVING"})
        await reply(send, 200 if serving else 503, [*JSON, (b"cache-control", b"no-store"), *extra], text)

    async def _options(self, path: str, headers: Mapping[bytes, bytes], send: Send, extra: Headers) -> None:
        verbs = self.routes.verbs(path)
        asked = self._cors.preflight(headers, verbs)
        await reply(send, 204, [(b"allow", ", ".join(verbs).encode()), *asked, *extra], b"")


async def _once(request: Message) -> AsyncGenerator[Message, None]:
    yield request


def _refusal(error: Exception) -> Refused:
    """The refusal that an error becomes; what nobody foresaw is logged whole and answered without its text."""
    if isinstance(error, Unreadable):
        return bad_field(error.field, error.description)
    correlation = new_uuid().hex
    _log.error("fault %s", correlation, exc_info=error)
    return refused(refuse(platform.FAULT, "A fault of ours; quote {correlation}.", correlation=correlation))


def peer(scope: Scope) -> str:
    """Host and port of whoever is at the other end, "" if unknown."""
    client = scope.get("client")
    return f"{client[0]}:{client[1]}" if client else ""


def host(scope: Scope) -> str:
    """The address of whoever is at the other end, "" if unknown."""
    client = scope.get("client")
    return client[0] if client else ""


async def reply(send: Send, status: int, headers: Headers, text: bytes) -> None:
    """Sends an answer with its length."""
    if status not in (204, 304):
        headers = [*headers, (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


def adding(extra: Headers, send: Send) -> Send:
    """Sends on, with more headers."""

    async def more(event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            event["headers"] = [*event["headers"], *extra]
        await send(event)

    return more
