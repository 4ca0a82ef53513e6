"""Files as callers send and fetch them."""

from collections.abc import AsyncIterator
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message
from revops.platform.v1 import files_pb2 as pb

from tests.world import Caller

UPLOAD = "/revops.platform.v1.FileService/UploadFile"
CUT = b"the connection breaks here"


def requests(pieces: list[bytes], **first: Any) -> list[pb.UploadFileRequest]:
    """The requests of an upload in these pieces; the first says what the file is."""
    about = {"display_name": "products.csv", **first}
    head = pb.UploadFileRequest(content=HttpBody(content_type="text/csv", data=pieces[0]), **about)
    return [head, *(pb.UploadFileRequest(content=HttpBody(data=data)) for data in pieces[1:])]


async def sent(caller: Caller, *pieces: bytes, **first: Any) -> pb.File:
    """Uploads pieces; at `CUT` the connection breaks with `ConnectionError`."""

    async def stream() -> AsyncIterator[Message]:
        for request in requests(list(pieces), **first):
            if request.content.data == CUT:
                raise ConnectionError
            yield request

    file = await caller.world.kernel.intake(UPLOAD, stream(), caller.arrival())
    assert isinstance(file, pb.File)
    return file


async def fetched(caller: Caller, name: str, offset: int = 0) -> bytes:
    """The content of a file from a byte on."""
    request = pb.DownloadFileRequest(name=name, offset=offset)
    return b"".join([body.data async for body in caller.stream(request)])
