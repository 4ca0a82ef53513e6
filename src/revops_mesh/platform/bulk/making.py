"""Makes rows: each is one call in the name of who started the import, eight at once, and happens once whatever is run again."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf.message import Message
from google.rpc import code_pb2

from revops_mesh.aip.masks import field_sets
from revops_mesh.kernel.contract import Method, described
from revops_mesh.kernel.errors import BadField, Failure, invalid
from revops_mesh.operations import Job

from .rows import Row, settable
from .standard import Creating, Upserting, anywhere, listed

AT_ONCE = 8
OF_THE_ROW = frozenset(
    {
        code_pb2.INVALID_ARGUMENT,
        code_pb2.NOT_FOUND,
        code_pb2.ALREADY_EXISTS,
        code_pb2.FAILED_PRECONDITION,
        code_pb2.OUT_OF_RANGE,
        code_pb2.INTERNAL,
    }
)
"""Codes of refusals that are about a row; a fault of ours is told with its correlation id, so that it stops no other row."""
OF_THE_CALLER = frozenset({"LIMIT_REACHED", "EDITION_REQUIRED"})
"""Reasons under those codes that hold for every row that follows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: `created`, `updated`, or `failed` with the reason as a JSON line."""

    what: str
    problem: bytes = b""


class Maker:
    """Makes the resources of one import."""

    def __init__(self, job: Job[Any], target: Creating, upsert: Upserting | None, *, dry_run: bool) -> None:
        self._job, self._target, self._upsert, self._dry_run = job, target, upsert, dry_run
        sets = field_sets(described(target.type))
        self._closed = sets.output_only | sets.immutable | {"name", "etag"}

    async def made(self, rows: Sequence[Row]) -> list[Outcome]:
        """The outcomes of up to eight rows, in their order. A refusal that is not about a row is raised when all have ended."""
        outcomes = await asyncio.gather(*map(self._made, rows), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return [outcome for outcome in outcomes if isinstance(outcome, Outcome)]

    async def _made(self, row: Row) -> Outcome:
        try:
            return Outcome(await self._make(row))
        except Failure as failure:
            if not _about_the_row(failure):
                raise
            return Outcome("failed", told(row.number, failure, self._target.field))

    async def _make(self, row: Row) -> str:
        # With an id that follows from the row nothing is made twice, even when replays are long forgotten.
        own = row.id or f"{self._job.id}-{row.number:07d}"
        name = await self._found(row)
        if not name or name.rpartition("/")[2] == own:  # perhaps made by an earlier run of this row: then that is replayed
            try:
                await self._job.call(self._creation(row, own), f"row/{row.number}")
                return "created"
            except Failure as failure:
                if not name or failure.reason != "RESOURCE_EXISTS":
                    raise
        await self._change(row, name)
        return "updated"

    async def _found(self, row: Row) -> str:
        """The name of the resource that a row is to change, "" if it is to make one."""
        if self._upsert is None or not (value := getattr(row.resource, self._upsert.unique)):
            return ""
        request: Any = self._upsert.list.request()
        request.filter = f"{self._upsert.unique} = {_quoted(value)}"
        if self._target.nested:
            request.parent = anywhere(self._target.type)
        try:
            answer = await self._job.call(request)
        except Failure as failure:
            if failure.code != code_pb2.INVALID_ARGUMENT:
                raise
            return ""  # nothing has such a value, and making it is refused with the right field
        return next((each.name for each in getattr(answer, listed(self._upsert.list).name)), "")

    def _creation(self, row: Row, own: str) -> Message:
        request: Any = self._target.method.request()
        getattr(request, self._target.field).CopyFrom(row.resource)
        if self._target.id_field:
            setattr(request, self._target.id_field, own)
        if self._target.nested:
            request.parent = row.parent
        return self._previewed(request, self._target.method)

    async def _change(self, row: Row, name: str) -> None:
        assert self._upsert is not None
        request: Any = self._upsert.update.request()
        resource = getattr(request, described(request).fields[0].name)
        resource.CopyFrom(row.resource)
        resource.name = name
        request.update_mask.paths.extend(settable(row, self._closed))
        await self._job.call(self._previewed(request, self._upsert.update), f"row/{row.number}/change")

    def _previewed(self, request: Any, method: Method) -> Message:
        if self._dry_run:
            request.validate_only = True
        return request  # type: ignore[no-any-return]


def can_preview(target: Creating, upsert: Upserting | None) -> bool:
    """Whether rows can be tried without making them."""
    return target.method.has_validate_only and (upsert is None or upsert.update.has_validate_only)


def told(number: int, problem: Failure | BadField, holder: str = "") -> bytes:
    """The JSON line of a refused row; a field is named as its column is, without `holder`, the request's field around it."""
    failure, text = (
        (problem, str(problem)) if isinstance(problem, Failure) else (invalid([(problem.field, "")]), problem.description)
    )
    line = {
        "row": number,
        "field": failure.metadata.get("field", "").removeprefix(f"{holder}."),
        "reason": failure.reason,
        "domain": failure.domain,
        "message": text.removeprefix(f"{holder}."),
        "metadata": failure.metadata,
    }
    return orjson.dumps(line) + b"\n"


def _about_the_row(failure: Failure) -> bool:
    if failure.code == code_pb2.PERMISSION_DENIED:
        return "field" in failure.metadata
    return failure.code in OF_THE_ROW and failure.reason not in OF_THE_CALLER


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\*])', r"\\\1", text) + '"'
