"""Files and their chunks. Sizes and positions are bytes, times are instants in UTC."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Self

from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import files_pb2 as pb
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.kernel import clock
from revops_mesh.kernel.aggregate import Aggregate, transition
from revops_mesh.kernel.errors import BadField, Broken, Failure, refuse

CHUNK = 256 * 1024
"""Bytes of every chunk but the last."""
MIB = 1024 * 1024
LARGEST = {
    options.EDITION_FREE: 10 * MIB,
    options.EDITION_TEAM: 50 * MIB,
    options.EDITION_BUSINESS: 200 * MIB,
    options.EDITION_ENTERPRISE: 500 * MIB,
}
"""Bytes that a file may have, by edition."""
KEPT, LONGEST_KEPT = timedelta(days=30), timedelta(days=366)
ALLOWED: dict[str, frozenset[int]] = {
    "write": frozenset({pb.File.STATE_GROWING}),
    "complete": frozenset({pb.File.STATE_GROWING}),
    "read": frozenset({pb.File.STATE_COMPLETE}),
}
"""States in which each verb is possible."""


class File(Aggregate[pb.File]):
    """A name, a type and a size; its content is in chunks."""

    state_type = pb.File

    @classmethod
    def open(
        cls, name: str, display_name: str, content_type: str, principal: str, expire_time: datetime, operation: str = ""
    ) -> Self:
        """A new one without content, of a principal and perhaps of an operation of theirs."""
        file = cls(
            pb.File(
                name=name,
                display_name=display_name or name.rpartition("/")[2],
                content_type=content_type or "application/octet-stream",
                principal=principal,
                operation=operation,
                state=pb.File.STATE_GROWING,
            )
        )
        file.state.expire_time.CopyFrom(clock.timestamp(expire_time))
        return file

    @property
    def size(self) -> int:
        """Bytes there are so far."""
        return self.state.size_bytes

    def grow(self, position: int, length: int, edition: int) -> None:
        """Has content up to so many bytes behind a position, and nothing further behind. Raises FILE_STATE, FILE_TOO_LARGE."""
        self.must_allow("write")
        if not 0 <= position <= self.size:
            raise Broken(f"{self.name} has {self.size} bytes and is written at {position}")
        most = LARGEST[edition]  # type: ignore[index]
        if position + length > most:
            short = options.Edition.Name(edition).removeprefix("EDITION_")  # type: ignore[arg-type]
            text = "A file has at most {limit} bytes in the {edition} edition."
            raise Failure(pb.FileReason, pb.FILE_TOO_LARGE, text, limit=most, edition=short)
        self.state.size_bytes = position + length

    def guard(self, permissions: Iterable[str]) -> None:
        """Has its content need these permissions, too."""
        self.state.permissions[:] = sorted({*self.state.permissions, *permissions})

    def reopen(self, operation: str, display_name: str, content_type: str) -> None:
        """Has it grow again, for the last write of its operation may come twice. Raises RESOURCE_EXISTS for any other."""
        if not operation or self.state.operation != operation:
            raise refuse(platform.RESOURCE_EXISTS, "{field} {name} is taken.", name=self.name, field="file")
        self.state.display_name, self.state.content_type = display_name, content_type
        self.state.state, self.state.sha256 = pb.File.STATE_GROWING, ""

    def complete(self, sha256: str, expected: str = "") -> None:
        """Has it change no more; the digests are hex. Raises FILE_STATE, FILE_DIGEST."""
        self.must_allow("complete")
        if expected not in ("", sha256):
            raise Failure(pb.FileReason, pb.FILE_DIGEST, "The content has the SHA-256 {sha256}: upload it again.", sha256=sha256)
        self.state.state = pb.File.STATE_COMPLETE
        self.state.sha256 = sha256

    def must_allow(self, verb: str) -> None:
        """Raises FILE_STATE where the verb does not fit."""
        transition(
            self.state.state, ALLOWED[verb], pb.File.State, pb.FileReason, pb.FILE_STATE, verb=verb, file=self.name
        )  # fmt: skip

    def over(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.state.expire_time.ToDatetime(tzinfo=UTC) <= now

    def check(self) -> None:
        """An owner, a time, no negative size, and a digest exactly when complete."""
        state = self.state
        complete = state.state == pb.File.STATE_COMPLETE
        if not state.principal or not state.HasField("expire_time") or state.size_bytes < 0 or bool(state.sha256) is not complete:
            raise Broken(f"{self.name} lacks its owner, its time or its digest, or has {state.size_bytes} bytes")


class FileChunk(Aggregate[pb.FileChunk]):
    """A piece of a file."""

    state_type = pb.FileChunk

    @classmethod
    def at(cls, file: str, number: int) -> Self:
        """An empty one; `number` counts from 0."""
        return cls(pb.FileChunk(name=chunk_name(file, number)))

    def put(self, position: int, data: bytes) -> None:
        """Holds what it held before a position in it, then the data."""
        self.state.content = self.state.content[:position] + data

    def check(self) -> None:
        """Not more than a chunk holds."""
        if len(self.state.content) > CHUNK:
            raise Broken(f"{self.name} has {len(self.state.content)} bytes")


def chunk_name(file: str, number: int) -> str:
    """The name of a file's chunk; names sort by number."""
    return f"{file}/chunks/{number:05d}"


def expires(wanted: datetime | None, now: datetime) -> datetime:
    """When a file is deleted: in 30 days unless the caller said. Raises FIELD_INVALID for the past and for more than a year."""
    if wanted is not None and not now < wanted <= now + LONGEST_KEPT:
        raise BadField("expire_time", "must be in the future and within a year")
    return wanted or now + KEPT
