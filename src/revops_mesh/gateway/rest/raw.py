"""Bodies that are no JSON: `google.api.HttpBody` is sent and answered as it is (google/api/httpbody.proto).

A body of any length becomes a stream of requests, each with a piece of it; a stream of bodies is answered as one. What people
uploaded never becomes a page of this origin: browsers are told to save it. Sizes are bytes.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from .bindings import Binding
from .content import Gone, Receive
from .refusals import Headers, Refused, unknown_media

BODY = "google.api.HttpBody"
PIECE = 256 * 1024
"""Of the body in a request."""
ANYTHING = b"application/octet-stream"


def taken(binding: Binding) -> str:
    """The field that takes a raw body; "" if the method takes JSON."""
    field = binding.method.input_type.fields_by_name.get(binding.body)
    return field.name if field is not None and _is_raw(field) else ""


def answers(binding: Binding) -> bool:
    """Whether the method answers with a stream of raw bodies."""
    return bool(binding.method.server_streaming) and binding.method.output_type.full_name == BODY


def _is_raw(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name == BODY


async def requests(receive: Receive, headers: Mapping[bytes, bytes], first: Message, field: str) -> AsyncGenerator[Message, None]:
    """The first request with the first piece of a body, and requests with the others. Raises `Refused` with 415, and `Gone`."""
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise unknown_media("content-encoding", "must be identity: a raw body is taken as it is")
    getattr(first, field).content_type = headers.get(b"content-type", ANYTHING).decode("latin-1")
    request, held, more = first, bytearray(), True
    while more or held or request is first:
        while more and len(held) < PIECE:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise Gone
            held += event.get("body", b"")
            more = event.get("more_body", False)
        if held or request is first:  # the same pieces however the body comes, so that one that is sent again is the same
            getattr(request, field).data = bytes(held[:PIECE])
            yield request
            del held[:PIECE]
            request = type(first)()


class Content:
    """The form of a stream of bodies: one after the other. A refusal in the middle breaks the connection off."""

    def __init__(self, content_type: str) -> None:
        self.headers: Headers = [
            (b"content-type", content_type.encode("latin-1", "replace") or ANYTHING),
            (b"content-disposition", b"attachment"),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
        ]

    def answer(self, body: Any) -> bytes:
        """One piece."""
        data: bytes = body.data
        return data

    def refusal(self, refused: Refused) -> None:
        """Nothing can tell it."""

    def quiet(self) -> bytes:
        """Nothing."""
        return b""

    end = closing = quiet


async def opened(stream: AsyncIterator[Any]) -> tuple[AsyncGenerator[Any, None], Content]:
    """A stream whose first body has come, and its form. Raises what comes instead of it."""
    first = await anext(stream, None)

    async def whole() -> AsyncGenerator[Any, None]:
        if first is not None:
            yield first
        async for body in stream:
            yield body

    return whole(), Content(first.content_type if first is not None else "")
