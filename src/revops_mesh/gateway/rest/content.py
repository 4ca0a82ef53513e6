"""Bodies on the wire: media type, charset, compression and size, both ways. Sizes are bytes.

Sources: RFC 9110 (negotiation), RFC 8259 (JSON is UTF-8).
"""

import re
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from .refusals import bad_header, too_large, unknown_media

MOST_BYTES = 4 << 20
"""As gRPC's own limit for a message."""
LEAST_COMPRESSED = 1024
"""Below it compression costs more than it saves."""
LEVEL = 4
GZIP = 16 + zlib.MAX_WBITS

_JSON = re.compile(rb"application/(?:[\w.-]+\+)?json\Z")
_GZIP = re.compile(rb"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?P<q>[01](?:\.\d{1,3})?))?\s*(?:,|\Z)", re.IGNORECASE)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Gone(Exception):
    """The client has left."""


async def body(receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
    """The whole body, decompressed. Raises `Refused` with 413 or 415, and `Gone`."""
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b"gzip", b"x-gzip"):
        raise unknown_media("content-encoding", "must be gzip or identity")
    if int(headers.get(b"content-length", b"0")) > MOST_BYTES:
        raise too_large(MOST_BYTES)
    sent = await _whole(receive)
    return _decompressed(sent) if sent and encoding != b"identity" else sent


async def _whole(receive: Receive) -> bytes:
    event = await receive()
    read: bytes = event.get("body", b"")
    if not event.get("more_body"):
        if event["type"] == "http.disconnect":
            raise Gone
        return _bounded(read)
    parts, size = [read], len(read)
    while event.get("more_body"):
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Gone
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise too_large(MOST_BYTES)
    return b"".join(parts)


def _bounded(read: bytes) -> bytes:
    if len(read) > MOST_BYTES:
        raise too_large(MOST_BYTES)
    return read


def _decompressed(sent: bytes) -> bytes:
    """One gzip member, and nothing after it."""
    inflater = zlib.decompressobj(GZIP)
    try:
        inflated = inflater.decompress(sent, MOST_BYTES + 1)
    except zlib.error:
        raise unknown_media("content-encoding", "says gzip, but the body is none") from None
    if len(inflated) > MOST_BYTES:
        raise too_large(MOST_BYTES)
    if not inflater.eof or inflater.unused_data:
        raise unknown_media("content-encoding", "says gzip, but the body is not one whole gzip member")
    return inflated


def require_json(headers: Mapping[bytes, bytes]) -> None:
    """Refuses a body that says it is something else than JSON in UTF-8. One that says nothing is taken for it."""
    said = headers.get(b"content-type")
    if said is None or said == b"application/json":
        return
    media, _, parameters = said.lower().partition(b";")
    if not _JSON.match(media.strip()):
        raise unknown_media("content-type", "must be application/json")
    for parameter in parameters.split(b";"):
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"charset" and value.strip().strip(b'"') not in (b"utf-8", b"utf8", b"us-ascii"):
            raise unknown_media("content-type", "must be in UTF-8, which is what JSON is written in")


def takes_gzip(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the client reads gzip."""
    accepted = headers.get(b"accept-encoding")
    if accepted is None or (b"gzip" not in accepted and b"*" not in accepted):
        return False
    found = _GZIP.search(accepted)
    return found is not None and (found["q"] is None or float(found["q"]) > 0)


def compressed(text: bytes) -> bytes:
    """One gzip member."""
    deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    return deflater.compress(text) + deflater.flush()


UNITS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_GRPC_TIMEOUT = re.compile(rb"(\d{1,8})([HMSmun])\Z")
_SECONDS = re.compile(rb"\d{1,8}(?:\.\d{1,9})?\Z")


def deadline(headers: Mapping[bytes, bytes]) -> float | None:
    """Seconds that the client waits: `X-Request-Timeout` in seconds, or `grpc-timeout`; None if it does not say."""
    if (said := headers.get(b"x-request-timeout")) is not None:
        if not _SECONDS.match(said) or not float(said):
            raise bad_header("x-request-timeout", "must be a positive number of seconds")
        return float(said)
    if (said := headers.get(b"grpc-timeout")) is not None:
        found = _GRPC_TIMEOUT.match(said)
        if found is None or not int(found[1]):
            raise bad_header("grpc-timeout", "must be a positive number and a unit, as in 500m")
        return int(found[1]) * UNITS[found[2]]
    return None
