"""ExportService: starts an export, and runs one batch of it. Access and audit: see the contract.

A batch reads pages of the type's list and appends them to the file. Parquet has its table of contents at the end, so its rows are
first collected as JSON lines, in a file of their own, which the last batch converts.
"""

import csv
import io
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

import msgspec
import orjson
from google.longrunning import operations_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from revops.platform.v1 import exports_pb2 as pb
from revops.platform.v1 import files_pb2
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.aip.masks import project
from revops_mesh.kernel import walk
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.contract import Method, described, message_class
from revops_mesh.kernel.errors import BadField, Failure, refuse
from revops_mesh.kernel.stages import permitted
from revops_mesh.operations import Job, start

from .columns import Column, columns
from .standard import anywhere, listed, listing

PAGE = 100
"""Resources of a page."""
PIECE = 1024 * 1024
"""Bytes that are held before they are written."""

Request = pb.ExportResourcesRequest
Encode = Callable[[Any], bytes]

MEDIA = {
    Request.FORMAT_CSV: ("csv", "text/csv"),
    Request.FORMAT_JSONL: ("jsonl", "application/jsonl"),
    Request.FORMAT_PARQUET: ("parquet", "application/vnd.apache.parquet"),
}


class Cursor(msgspec.Struct):
    """Where the next batch begins."""

    token: str = ""
    """Of the next page."""
    position: int = 0
    """Byte of the file that is written."""
    stage: Literal["pages", "conversion", "tidying"] = "pages"
    """What the batch does; the last two are for Parquet."""


class ExportService:
    """One method per rpc."""

    async def ExportResources(self, request: Request, call: Call) -> operations_pb2.Operation:
        method = listing(call.kernel, request.type)
        permitted(method, call)
        _pages(request, method, "")
        wanted(request, call.principal.permissions)
        if request.format == Request.FORMAT_PARQUET and find_spec("pyarrow") is None:
            text = "This member does not write {format}: install revops-mesh[parquet]."
            raise Failure(pb.ExportReason, pb.EXPORT_FORMAT, text, format="PARQUET")
        return await start(call, request, pb.ExportMetadata(), request.operation_id)

    async def RunExportResources(self, request: Request, job: Job[pb.ExportMetadata]) -> None:
        method = listing(job.kernel, request.type)
        job.require(method)
        await _Batch(request, job, method).run()


def wanted(request: Request, permissions: frozenset[str]) -> list[Column]:
    """The columns of a table, in the order of the mask; without a mask all that may be read.

    Raises FIELD_INVALID for an unknown one, PERMISSION_REQUIRED for one that may not be read.
    """
    known = columns(message_class(request.type))
    if not request.read_mask.paths or list(request.read_mask.paths) == ["*"]:
        return [column for column in known.values() if column.permissions <= permissions]
    found: dict[str, Column] = {}
    for path in request.read_mask.paths:
        below = {name: column for name, column in known.items() if name == path or name.startswith(f"{path}.")}
        if not below:
            raise BadField("read_mask", f"{path[:100]} is no field of {request.type}")
        for lacking in sorted(frozenset[str]().union(*(column.permissions for column in below.values())) - permissions):
            raise refuse(platform.PERMISSION_REQUIRED, "{field} needs {permission}.", field=path, permission=lacking)
        found |= below
    return list(found.values())


def _pages(request: Request, method: Method, token: str) -> Any:
    """The request of a page. Raises FIELD_INVALID for what the type's list does not take."""
    of: Any = method.request(page_size=PAGE, page_token=token)
    fields = described(method.request).fields_by_name
    if "parent" in fields:
        of.parent = anywhere(message_class(request.type))
    for name, of_list in (("list_parent", "parent"), ("filter", "filter"), ("order_by", "order_by")):
        if value := getattr(request, name):
            if of_list not in fields:
                raise BadField(name, f"the list of {request.type} takes none")
            setattr(of, of_list, value)
    return of


class _Batch:
    """Pages until the time of a batch is over, or the list."""

    def __init__(self, request: Request, job: Job[pb.ExportMetadata], method: Method) -> None:
        self._request, self._job, self._method = request, job, method
        self._cursor = msgspec.json.decode(job.cursor, type=Cursor) if job.cursor else Cursor()
        self._columns = wanted(request, job.principal.permissions)
        self._parquet = request.format == Request.FORMAT_PARQUET
        self._needed = {
            method.policy.permission,
            *(walk.read_permissions(message_class(request.type)) & job.principal.permissions),
        }

    async def run(self) -> None:
        match self._cursor.stage:
            case "pages":
                await self._collect()
            case "conversion":
                await self._convert()
            case "tidying":  # not in the batch before, which would miss the lines when it is run again
                await self._job.call(files_pb2.ExpireFileRequest(file=self._collected, unneeded=True))
                self._finish()
        self._job.cursor = msgspec.json.encode(self._cursor)

    async def _collect(self) -> None:
        encode, held = self._encoder(), bytearray()
        if not self._cursor.position and self._request.format == Request.FORMAT_CSV:
            held += _line([column.path for column in self._columns])
        while True:
            answer = await self._job.call(_pages(self._request, self._method, self._cursor.token))
            found: Sequence[Any] = getattr(answer, listed(self._method).name)
            held += b"".join(map(encode, found))
            self._job.metadata.done_rows += len(found)
            self._cursor.token = answer.next_page_token
            if not self._cursor.token or self._job.due:
                break
            if len(held) >= PIECE:
                await self._append(held)
        await self._append(held, complete=not self._cursor.token)
        if self._cursor.token:
            return
        self._cursor.stage = "conversion"
        if not self._parquet:
            self._finish()

    async def _append(self, held: bytearray, *, complete: bool = False) -> None:
        await self._write(self._collected, self._cursor.position, bytes(held), complete=complete)
        self._cursor.position += len(held)
        self._job.metadata.done_bytes = self._cursor.position
        held.clear()

    async def _write(self, file: str, position: int, data: bytes, *, complete: bool) -> None:
        ending, media = MEDIA[self._request.format] if file == self._file else MEDIA[Request.FORMAT_JSONL]
        plural = described(message_class(self._request.type)).name
        await self._job.call(
            files_pb2.WriteFileRequest(
                file=file,
                operation=self._job.name,
                display_name=self._request.display_name or f"{plural}.{ending}",
                content_type=media,
                permissions=sorted(self._needed),
                position=position,
                data=data,
                complete=complete,
            )
        )

    async def _convert(self) -> None:
        """Makes the Parquet file of the collected lines, at once: bounded by the size of files."""
        parquet = import_module(".parquet", __package__)
        position = 0
        lines = self._job.stream(files_pb2.DownloadFileRequest(name=self._collected))
        async for piece in parquet.converted(self._columns, lines):
            await self._write(self._file, position, piece, complete=False)
            position += len(piece)
        await self._write(self._file, position, b"", complete=True)
        self._job.metadata.done_bytes = position
        self._cursor.stage = "tidying"

    def _finish(self) -> None:
        of = self._job.metadata
        self._job.finish(pb.ExportResponse(file=self._file, rows=of.done_rows, size_bytes=of.done_bytes))

    @property
    def _file(self) -> str:
        return f"files/{self._job.id}"

    @property
    def _collected(self) -> str:
        return f"{self._file}-rows" if self._parquet else self._file

    def _encoder(self) -> Encode:
        if self._request.format == Request.FORMAT_CSV:
            return lambda message: _line([column.text(message) for column in self._columns])
        if self._parquet:
            return lambda message: orjson.dumps({c.path: c.value(message) for c in self._columns}) + b"\n"
        return lambda message: _object(project(message, self._request.read_mask))


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _object(message: Message) -> bytes:
    return orjson.dumps(MessageToDict(message, preserving_proto_field_name=True)) + b"\n"
