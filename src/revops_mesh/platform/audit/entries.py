"""Rows of the audit log and of the dead letters as the contract shows them."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import Message
from revops.platform.v1 import audit_pb2 as pb

from revops_mesh.kernel import clock

_NO_DIGEST = UUID(int=0)


def entry(row: Mapping[str, Any]) -> pb.AuditEntry:
    """One row of `kernel.audit`."""
    return pb.AuditEntry(
        entry_id=row["id"].hex,
        time=clock.timestamp(row["time"]),
        principal=row["principal"],
        method=row["method"],
        resources=row["resources"],
        outcome=row["outcome"],
        request_digest=row["digest"].hex if row["digest"] != _NO_DIGEST else "",
        request_json=_json(row["method"], row["request"]),
        trace_id=row["trace"].split("-")[1] if row["trace"].count("-") == 3 else "",
    )


def letter(row: Mapping[str, Any]) -> pb.DeadLetter:
    """One row of `kernel.dead_letter`."""
    return pb.DeadLetter(
        name=f"deadLetters/{row['id'].hex}",
        time=clock.timestamp(row["time"]),
        method=row["method"],
        request_type=row["request_type"],
        problem=row["problem"],
        attempts=row["attempts"],
    )


def _json(method: str, request: bytes) -> str:
    """A stored request; "" if none is kept or the contract no longer has the method."""
    kind = _request_of(method) if request else None
    return json_format.MessageToJson(kind.FromString(request), indent=None, ensure_ascii=False) if kind is not None else ""


@cache
def _request_of(method: str) -> type[Message] | None:
    try:
        return message_factory.GetMessageClass(descriptor_pool.Default().FindMethodByName(method).input_type)
    except KeyError:
        return None
