"""The content of files in chunks of 256 KiB: written, read and digested without ever being whole in memory."""

import hashlib
from collections.abc import AsyncIterator

from revops.platform.v1 import files_pb2 as pb

from revops_mesh.kernel.call import Call

from . import queries
from .domain import CHUNK, File, FileChunk, chunk_name

AT_ONCE = 4
"""Chunks that are read in one round trip."""


async def write(call: Call, file: File, position: int, data: bytes) -> None:
    """Puts data at a byte of a file that is saved with it; what was behind is gone. Refused with FILE_STATE, FILE_TOO_LARGE."""
    file.grow(position, len(data), call.principal.edition)
    chunks = call.repo(FileChunk)
    number, inside = divmod(position, CHUNK)
    while data:
        piece, data = data[: CHUNK - inside], data[CHUNK - inside :]
        # What an earlier run of the same write left behind the end is written over.
        chunk = await chunks.find(chunk_name(file.name, number)) or FileChunk.at(file.name, number)
        chunk.put(inside, piece)
        await (chunks.save(chunk) if chunk.revision else chunks.add(chunk))
        number, inside = number + 1, 0


async def pieces(call: Call, file: File, position: int, most: int) -> list[bytes]:
    """The next up to `most` pieces of a file from a byte on, none at its end; each ends where a chunk does."""
    number, inside = divmod(position, CHUNK)
    rows = await call.fetch(queries.CONTENT, file.name, chunk_name(file.name, number), most)
    found = []
    for row in rows:
        piece = pb.FileChunk.FromString(row["body"]).content[inside : max(0, file.size - number * CHUNK)]
        if piece:
            found.append(piece)
        number, inside = number + 1, 0
    return found


async def _all(call: Call, file: File) -> AsyncIterator[bytes]:
    position = 0
    while found := await pieces(call, file, position, AT_ONCE):
        for piece in found:
            position += len(piece)
            yield piece


async def digest(call: Call, file: File) -> str:
    """The SHA-256 of a file's content, hex. What the unit collected is flushed."""
    sha = hashlib.sha256()
    async for piece in _all(call, file):
        sha.update(piece)
    return sha.hexdigest()


async def delete(call: Call, file: File) -> None:
    """Deletes a file and its chunks, whose tombstones are empty; they are not read for it."""
    chunks = call.repo(FileChunk)
    for row in await call.fetch(queries.NAMES, file.name):
        await chunks.delete(FileChunk(pb.FileChunk(name=row["name"]), row["revision"]))
    await call.repo(File).delete(file)
