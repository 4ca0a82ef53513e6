"""One attempt to send: one POST, one answer, of which little is read. Whatever a receiver does, it is an outcome and no error.

Nothing of one attempt is kept for the next: no connection, no cookie, no answer of a name server. Proxies of the environment do
not count. Durations are seconds unless named otherwise. Source: RFC 9110 (Retry-After).
"""

import asyncio
import socket
import ssl
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from time import perf_counter
from typing import Any

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from revops_mesh.kernel import clock

from .addresses import Doorkeeper, Network

LONGEST = 15.0
MOST_READ = 1024
"""Bytes of an answer."""
LONGEST_PUT_OFF = 86_400
LONGEST_TEXT = 300
LOOKUPS = 32
"""Names looked up at once. In threads of their own: a name server that does not answer holds up nobody but webhooks."""
_lookups = ThreadPoolExecutor(LOOKUPS, "webhook-names")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt."""

    status: int
    """HTTP status, 0 if there was no answer."""
    problem: str
    """Why it failed, "" if it succeeded."""
    beginning: bytes
    """Of the answer's body."""
    retry_after: int
    """Seconds that the receiver wants to be left alone, at most a day; 0 if it does not say."""
    duration_ms: int

    @property
    def text(self) -> str:
        """The beginning of the answer as text of no more bytes than were read."""
        readable = self.beginning.decode(errors="replace").replace("\0", "")
        return readable.encode()[:MOST_READ].decode(errors="ignore")


async def post(
    url: str, headers: Mapping[str, str], body: str, allowed: Collection[Network], *, longest: float = LONGEST,
    tls: ssl.SSLContext | bool = True,
) -> Outcome:  # fmt: skip
    """Sends once, following no redirect; 2xx is success."""
    begun = perf_counter()
    status, problem, beginning, retry_after = 0, "", b"", 0
    doorkeeper = Doorkeeper(allowed, plain=url.startswith("http://"))
    connector = TCPConnector(
        resolver=Resolver(), socket_factory=doorkeeper.socket, use_dns_cache=False, force_close=True, ssl=tls
    )  # fmt: skip
    session = ClientSession(
        connector=connector, cookie_jar=DummyCookieJar(), trust_env=False, auto_decompress=False,
        timeout=ClientTimeout(total=None),
    )  # fmt: skip
    try:
        async with asyncio.timeout(longest), session:
            sent = {**headers, "accept-encoding": "identity"}
            async with session.post(URL(url), data=body.encode(), headers=sent, allow_redirects=False) as answer:
                status, retry_after = answer.status, _retry_after(answer)
                beginning = await _beginning(answer)
                problem = "" if 200 <= status < 300 else f"the receiver answered {status}"
    except TimeoutError:
        problem = f"no complete answer within {longest:g} s"
    except (ClientError, OSError, ValueError) as error:
        problem = _said(error)
    return Outcome(status, problem[:LONGEST_TEXT], beginning, retry_after, round((perf_counter() - begun) * 1000))


async def _beginning(answer: ClientResponse) -> bytes:
    """The first bytes of a body; the connection is closed on the rest."""
    found = b""
    while len(found) < MOST_READ and (part := await answer.content.read(MOST_READ - len(found))):
        found += part
    answer.close()
    return found


def _retry_after(answer: ClientResponse) -> int:
    said, seconds = answer.headers.get("retry-after", "").strip(), 0.0
    if said.isascii() and said.isdigit():
        seconds = float(said[:9])
    elif said:
        with suppress(ValueError, TypeError, OverflowError):
            moment = parsedate_to_datetime(said)
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
            seconds = (moment - clock.now()).total_seconds()
    return min(max(round(seconds), 0), LONGEST_PUT_OFF)


def _said(error: Exception) -> str:
    """What went wrong, without addresses: they are nobody's business."""
    if isinstance(error, ClientConnectorCertificateError):
        return f"no valid certificate: {error.certificate_error}"
    if isinstance(error, ClientConnectorError):
        return f"no connection: {error.os_error.strerror or type(error.os_error).__name__}"
    return f"no answer: {type(error).__name__}"


class Resolver(AbstractResolver):
    """The system's resolver, in threads of its own."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of a name; `OSError` if it has none."""

        def lookup() -> list[tuple[Any, ...]]:
            return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)

        found = await asyncio.get_running_loop().run_in_executor(_lookups, lookup)
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=where[0], port=where[1], family=of, proto=protocol, flags=numeric)
            for of, _, protocol, _, where in found
        ]

    async def close(self) -> None:
        """Nothing to close."""
