"""ImportService: starts an import, and runs one batch of it. Access and audit: see the contract."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import msgspec
from google.longrunning import operations_pb2
from revops.platform.v1 import files_pb2
from revops.platform.v1 import imports_pb2 as pb

from revops_mesh.kernel.call import Call
from revops_mesh.kernel.contract import Method
from revops_mesh.kernel.errors import BadField, Failure
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.stages import permitted
from revops_mesh.operations import Job, start

from ..files import content
from ..files.service import readable
from .making import AT_ONCE, Maker, Outcome, can_preview, told
from .records import Record, Splitter
from .rows import Reader, Row, header, objects, table
from .standard import Creating, Upserting, creating, upserting

MOST_TOLD = 10_000
"""Refused rows that are told; the others are only counted."""

Request = pb.ImportResourcesRequest


class Cursor(msgspec.Struct):
    """Where the next batch begins."""

    position: int = 0
    """Byte of the file."""
    row: int = 0
    """Number of the last row before it."""
    names: tuple[str, ...] = ()
    """Columns of a table."""
    told_bytes: int = 0
    told_rows: int = 0


class ImportService:
    """One method per rpc."""

    async def ImportResources(self, request: Request, call: Call) -> operations_pb2.Operation:
        file = await readable(call, request.file)
        target, upsert = _methods(call.kernel, request)
        for method in _called(target, upsert):
            permitted(method, call)
        if request.dry_run and not can_preview(target, upsert):
            raise BadField("dry_run", f"{request.type} cannot be tried without being made")
        if request.format == Request.FORMAT_CSV:
            splitter = Splitter(quotes=True)
            found = [each for piece in await content.pieces(call, file, 0, 1) for each in splitter.feed(piece)]
            header(next(iter((*found, *splitter.rest())), Record(b"", 0)).data, target)
        return await start(call, request, pb.ImportMetadata(total_bytes=file.size), request.operation_id)

    async def RunImportResources(self, request: Request, job: Job[pb.ImportMetadata]) -> None:
        target, upsert = _methods(job.kernel, request)
        for method in _called(target, upsert):
            job.require(method)
        await _Batch(request, job, target, Maker(job, target, upsert, dry_run=request.dry_run)).run()


def _methods(kernel: Kernel, request: Request) -> tuple[Creating, Upserting | None]:
    target = creating(kernel, request.type)
    return target, upserting(kernel, target) if request.mode == Request.MODE_UPSERT else None


def _called(target: Creating, upsert: Upserting | None) -> tuple[Method, ...]:
    return (target.method, upsert.list, upsert.update) if upsert is not None else (target.method,)


class _Batch:
    """Rows until the time of a batch is over, or the file."""

    def __init__(self, request: Request, job: Job[pb.ImportMetadata], target: Creating, maker: Maker) -> None:
        self._request, self._job, self._target, self._maker = request, job, target, maker
        self._cursor = msgspec.json.decode(job.cursor, type=Cursor) if job.cursor else Cursor()
        self._told = bytearray()
        csv = request.format == Request.FORMAT_CSV
        self._splitter = Splitter(self._cursor.position, quotes=csv)
        self._read: Reader | None = table(target, self._cursor.names) if csv and self._cursor.row else None
        if not csv:
            self._read = objects(target)

    async def run(self) -> None:
        try:
            ended = await self._make()
        except Failure:
            await self._save()  # what was made before is told although the operation ends
            raise
        await self._save()
        if ended:
            of = self._job.metadata
            response = pb.ImportResponse(created=of.created, updated=of.updated, failed=of.failed, error_file=of.error_file)
            self._job.finish(response)

    async def _make(self) -> bool:
        """Makes rows; True at the end of the file."""
        window: list[tuple[Row | bytes, Record]] = []
        number = self._cursor.row
        async with aclosing(self._records()) as records:
            async for record in records:
                number += 1
                window.append((self._understood(number, record.data), record))
                if len(window) == AT_ONCE:
                    await self._settle(window, number)
                    window = []
                    if self._job.due:
                        return False
        await self._settle(window, number)
        return True

    async def _records(self) -> AsyncGenerator[Record, None]:
        request = files_pb2.DownloadFileRequest(name=self._request.file, offset=self._cursor.position)
        async with aclosing(self._job.stream(request)) as bodies:
            async for body in bodies:
                for record in self._splitter.feed(body.data):
                    yield record
        for record in self._splitter.rest():
            yield record

    def _understood(self, number: int, record: bytes) -> Row | bytes:
        """The row in a record; empty for a header and a blank line, or the JSON line that tells why it is none."""
        if self._read is None:
            self._cursor.names = header(record, self._target)
            self._read = table(self._target, self._cursor.names)
            return b""
        if not record.strip():
            return b""
        try:
            return self._read(number, record)
        except BadField as problem:
            return told(number, problem)

    async def _settle(self, window: Sequence[tuple[Row | bytes, Record]], number: int) -> None:
        """Makes the rows of a window and takes down what became of them."""
        outcomes = iter(await self._maker.made([row for row, _ in window if isinstance(row, Row)]))
        progress = self._job.metadata
        for row, record in window:
            outcome = next(outcomes) if isinstance(row, Row) else Outcome("failed", row) if row else None
            if outcome is not None:
                setattr(progress, outcome.what, getattr(progress, outcome.what) + 1)
                progress.done_rows += 1
                self._tell(outcome.problem)
            self._cursor.position = progress.done_bytes = record.end
        self._cursor.row = number
        if progress.done_bytes:
            progress.total_rows = round(progress.done_rows * progress.total_bytes / progress.done_bytes)

    def _tell(self, problem: bytes) -> None:
        if problem and self._cursor.told_rows < MOST_TOLD:
            self._told += problem
            self._cursor.told_rows += 1

    async def _save(self) -> None:
        """Keeps what was refused, in a file that can be read at once and grows with the next batch, and the cursor."""
        if self._told:
            self._job.metadata.error_file = f"files/{self._job.id}-errors"
            request = files_pb2.WriteFileRequest(file=self._job.metadata.error_file, operation=self._job.name, complete=True)
            request.display_name, request.content_type = f"refused rows of {self._request.file}.jsonl", "application/jsonl"
            request.position, request.data = self._cursor.told_bytes, bytes(self._told)
            await self._job.call(request)
            self._cursor.told_bytes += len(self._told)
        self._job.cursor = msgspec.json.encode(self._cursor)
