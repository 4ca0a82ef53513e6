"""AuditService and DeadLetterService. Access: see the contract."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from revops.platform.v1 import audit_pb2 as pb

from revops_mesh.aip import page_tokens
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.collection import BUCKETS
from revops_mesh.kernel.errors import not_found
from revops_mesh.kernel.names import new_uuid
from revops_mesh.messaging import dead_letters

from . import queries
from .entries import entry, letter
from .tail import Position

BATCH = 200
"""Entries of a stream that are read at once."""
_LAST_ID, _LAST_TIME = UUID(int=(1 << 128) - 1), datetime.max.replace(tzinfo=UTC)


class AuditService:
    """What happened."""

    async def ListAuditEntries(self, request: pb.ListAuditEntriesRequest, call: Call) -> pb.ListAuditEntriesResponse:
        size = page_tokens.page_size(request.page_size)
        binding = page_tokens.bind(call.method.full_name, call.tenant.hex, request.resource, request.principal)
        before = _LAST_ID
        if request.page_token:
            before = UUID(str(page_tokens.decode(call.kernel.secrets, request.page_token, binding)[0]))
        rows = await call.fetch(queries.ENTRIES, before, request.principal, request.resource, size + 1)
        response = pb.ListAuditEntriesResponse(entries=map(entry, rows[:size]))
        if len(rows) > size:
            response.next_page_token = page_tokens.encode(call.kernel.secrets, [rows[size - 1]["id"].hex], binding)
        return response

    async def StreamAuditEntries(
        self, request: pb.StreamAuditEntriesRequest, call: Call, cursor: str
    ) -> tuple[Sequence[pb.AuditEntry], str | None]:
        if cursor:
            position = Position.decoded(cursor)
        else:
            start = request.start_time.ToDatetime(tzinfo=UTC) if request.HasField("start_time") else call.now
            position = Position.at(start, call.now, new_uuid())
        fresh = new_uuid()
        rows = await call.fetch(queries.TAIL, position.settled, list(position.seen), position.since, BATCH)
        ended = request.stop_at_end and len(rows) < BATCH
        after = None if ended else position.after([row["id"] for row in rows], fresh).encoded()
        return [entry(row) for row in rows], after


class DeadLetterService:
    """What could not happen."""

    async def ListDeadLetters(self, request: pb.ListDeadLettersRequest, call: Call) -> pb.ListDeadLettersResponse:
        size = page_tokens.page_size(request.page_size)
        binding = page_tokens.bind(call.method.full_name, call.tenant.hex)
        time, before = _LAST_TIME, _LAST_ID
        if request.page_token:
            time, known = page_tokens.decode(call.kernel.secrets, request.page_token, binding)  # type: ignore[assignment]
            before = UUID(str(known))
        rows = await call.fetch(queries.LETTERS, time, before, size + 1)
        response = pb.ListDeadLettersResponse(dead_letters=map(letter, rows[:size]))
        if len(rows) > size:
            last = rows[size - 1]
            response.next_page_token = page_tokens.encode(call.kernel.secrets, [last["time"], last["id"].hex], binding)
        return response

    async def ReplayDeadLetter(self, request: pb.ReplayDeadLetterRequest, call: Call) -> pb.DeadLetter:
        known = UUID(hex=request.name.removeprefix("deadLetters/"))
        rows = await call.fetch(queries.LETTER, known)
        if not rows:
            raise not_found(request.name)
        await call.fetch(dead_letters.RUN_AGAIN, known, call.now)
        await call.fetch(dead_letters.PUBLISH_AGAIN, known, known.int % BUCKETS)
        call.unit.touched.append(request.name)
        return letter(rows[0])
