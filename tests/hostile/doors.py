"""Both doors of a member process, and how hostile requests go through: many at once, each with a deadline."""

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import grpc

from tests.hostile import judging
from tests.hostile.calls import Call
from tests.hostile.https import Http

HUNG_SECONDS = 30.0
LEAVES_AFTER = (0.0, 0.001, 0.02)
"""Seconds until somebody leaves who does not wait for an answer."""
READ_WHOLE = 1 << 20
"""Bytes of an answer that are read; streams go on for ever."""


@dataclass
class Report:
    """What came of it."""

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By door and kind of malice."""
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By door and outcome: a gRPC code or an HTTP status."""
    problems: list[str] = field(default_factory=list)

    def note(self, door: str, kind: str, outcome: str, problem: str, what: str) -> None:
        """One request and its answer."""
        self.sent[door, kind] += 1
        self.outcomes[door, outcome] += 1
        if problem:
            self.problems.append(f"{door}, {kind}: {problem}\n    {what[:400]}")

    def __str__(self) -> str:
        lines = [f"{door}: {sum(n for (at, _), n in self.sent.items() if at == door):,} requests" for door in ("gRPC", "REST")]
        for title, counts in (("malice", self.sent), ("outcome", self.outcomes)):
            lines += [f"  {title}: {door} {name} {count:,}" for (door, name), count in sorted(counts.items())]
        return "\n".join([*lines, f"problems: {len(self.problems)}", *self.problems[:40]])


class GrpcDoor:
    """A few channels, so that a lost connection is noticed."""

    def __init__(self, address: str, report: Report, channels: int = 8) -> None:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0), ("grpc.max_receive_message_length", -1)]
        self._channels = [grpc.aio.insecure_channel(address, options) for _ in range(channels)]
        self._report, self._next = report, 0

    async def __aenter__(self) -> "GrpcDoor":
        return self

    async def send(self, call: Call, token: str) -> None:
        """Sends it and judges the answer."""
        self._next += 1
        channel = self._channels[self._next % len(self._channels)]
        credential = f"Bearer {token}" if call.token is None else call.token
        metadata = (*call.metadata, *((("authorization", credential),) if credential else ()))
        what = f"{call.path} {[body[:200] for body in call.bodies]} {call.metadata[:1]} {call.token}"

        several = len(call.bodies) != 1
        open_call: Any = channel.stream_stream(call.path) if several else channel.unary_stream(call.path)
        bodies = _each(call.bodies) if several else call.bodies[0]
        outcome, problem = "OK", ""
        try:
            async with asyncio.timeout(HUNG_SECONDS):
                answers = open_call(bodies, metadata=metadata, timeout=call.seconds)
                read = 0
                async for answer in answers:
                    read += len(answer)
                    if read > READ_WHOLE:
                        break
                answers.cancel()
        except grpc.aio.AioRpcError as error:
            own = error.details() in judging.OF_THE_CLIENT
            outcome, problem = "of the client" if own else error.code().name, judging.of_call(call, error)
        except grpc.aio.UsageError as error:
            outcome, problem = "unsendable", "" if call.kind == "metadata" else str(error)
        except TimeoutError:
            outcome, problem = "hang", "it hung"
        except ValueError:
            outcome = "unsendable"
        self._report.note("gRPC", call.kind, outcome, problem, what)

    async def __aexit__(self, *_: object) -> None:
        for channel in self._channels:
            await channel.close()


async def _each(bodies: Sequence[bytes]) -> AsyncIterator[bytes]:
    for body in bodies:
        yield body


class RestDoor:
    """One connection that stays open as long as HTTP lets it; what is raw has one of its own."""

    def __init__(self, address: str, report: Report) -> None:
        self._host, _, self._port = address.rpartition(":")
        self._report = report
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, http: Http, token: str) -> None:
        """Sends it and judges the answer."""
        outcome, problem = "", ""
        try:
            async with asyncio.timeout(HUNG_SECONDS):
                if http.raw is not None:
                    outcome, problem = await self._sent_raw(http, http.raw.replace(b"{token}", token.encode()))
                else:
                    outcome, problem = await self._sent(http, token)
        except TimeoutError:
            outcome, problem = "hang", "it hung"
            await self.close()
        self._report.note(
            "REST",
            http.kind,
            outcome,
            problem,
            f"{http.verb} {http.target[:120]} {dict(http.headers)} {(http.raw or http.body or b'')[:120]!r}",
        )

    async def _sent(self, http: Http, token: str) -> tuple[str, str]:
        fresh = self._open is None
        if self._open is None:
            self._open = await asyncio.open_connection(self._host, int(self._port))
        reader, writer = self._open
        body = http.body if http.body is not None else b""
        headers = {
            "host": "x",
            "authorization": f"Bearer {token}",
            **({"content-type": "application/json"} if body else {}),
            **http.headers,
        }
        lines = [f"{http.verb} {_line(http.target)} HTTP/1.1", *(f"{name}: {_line(value)}" for name, value in headers.items())]
        if http.body is not None:
            lines.append(f"content-length: {len(body)}")
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode("utf-8", "replace") + body)
            await writer.drain()
            status, found, answer, stays = await _answer(reader, http.verb)
        except (ConnectionError, asyncio.IncompleteReadError):
            await self.close()
            if not fresh:  # it was closed between two requests, as HTTP lets a server do
                return await self._sent(http, token)
            return "lost", "the connection was lost"
        if not stays:
            await self.close()
        return str(status), judging.of_http(http, status, found, answer)

    async def _sent_raw(self, http: Http, raw: bytes) -> tuple[str, str]:
        """Half a request ends with its sender; the server may answer or close."""
        reader, writer = await asyncio.open_connection(self._host, int(self._port))
        try:
            writer.write(raw)
            with suppress(ConnectionError):
                await writer.drain()
                if http.leaves:
                    await asyncio.sleep(LEAVES_AFTER[len(raw) % len(LEAVES_AFTER)])
                    return "left", ""
                writer.write_eof()
            status, found, answer, _ = await _answer(reader, http.verb)
            return str(status), judging.of_http(http, status, found, answer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return "closed", ""
        finally:
            (writer.transport.abort if http.leaves else writer.close)()

    async def close(self) -> None:
        """Ends its connection."""
        if self._open is not None:
            self._open[1].close()
            self._open = None


def _line(text: str) -> str:
    return text.replace("\r", "").replace("\n", "")


async def _answer(reader: asyncio.StreamReader, verb: str) -> tuple[int, Mapping[str, str], bytes, bool]:
    """Status, headers, body as far as it is read, and whether the connection stays open."""
    head = (await _until(reader, b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name}
    stays = headers.get("connection", "").lower() != "close"
    if verb == "HEAD" or status in (204, 304):
        return status, headers, b"", stays
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    elif headers.get("transfer-encoding") == "chunked":
        body, whole = await _chunks(reader)
        stays = stays and whole
    else:
        body, stays = await reader.read(READ_WHOLE), False
    if headers.get("content-encoding") == "gzip":
        with suppress(OSError, EOFError):  # a stream that was left
            body = gzip.decompress(body)
    return status, headers, body, stays


async def _chunks(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """Chunks until their end, or until enough was read of a stream that does not end."""
    body = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            while len(body) < READ_WHOLE:
                size = int((await _until(reader, b"\r\n")).strip(), 16)
                chunk = await reader.readexactly(size + 2)
                if not size:
                    return body, True
                body += chunk[:-2]
    return body, False


async def _until(reader: asyncio.StreamReader, end: bytes) -> bytes:
    try:
        return await reader.readuntil(end)
    except asyncio.LimitOverrunError:
        raise ConnectionError("the head of an answer has no end") from None
