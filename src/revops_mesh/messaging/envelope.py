"""Events on the wire: CloudEvents 1.0 in binary mode over NATS headers, the body protobuf; and the same facts in a dead letter.

Times are RFC 3339, UTC. Source: CloudEvents 1.0.2, NATS Protocol Binding, extensions "sequence" (here revision.n of the
aggregate) and "distributed tracing".
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.any_pb2 import Any as Any_

from revops_mesh.kernel.call import Event

EVERY = "google.protobuf.Any"
"""The type that an internal rpc takes which hears every event."""


def subject(tenant: str, event_type: str) -> str:
    """Where a type of event is published, as in `revops.{tenant}.catalog.v1.ProductRetired`; tenant in hex, `*` for all.

    `EVERY` type is `revops.{tenant}.>`.
    """
    if event_type == EVERY:
        return f"revops.{tenant}.>"
    _, capability, version, name = event_type.split(".")
    return f"revops.{tenant}.{capability}.{version}.{name}"


def headers(row: Any) -> dict[str, str]:
    """The headers of an outbox row. By `Nats-Msg-Id` the stream knows a duplicate."""
    event_id: str = row["id"].hex
    found = {
        "Nats-Msg-Id": event_id,
        "ce-specversion": "1.0",
        "ce-id": event_id,
        "ce-source": f"/revops/{row['tenant_id'].hex}",
        "ce-type": row["type"],
        "ce-subject": row["aggregate"],
        "ce-time": row["time"].isoformat(),
        "ce-sequence": f"{row['revision']}.{row['n']}",
        "content-type": "application/protobuf",
    }
    return {**found, "traceparent": row["trace"]} if row["trace"] else found


def received(headers: Mapping[str, str]) -> Event:
    """The event of a message's headers; raises `KeyError` or `ValueError` when they are not ours."""
    revision, n = headers["ce-sequence"].split(".")
    time = datetime.fromisoformat(headers["ce-time"])
    return Event(UUID(headers["ce-id"]), headers["ce-subject"], (int(revision), int(n)), time)


def request(event_type: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """What a reaction to a type of event takes: the event, packed if it hears `EVERY` one. Raises `KeyError` as `received`."""
    if event_type != EVERY:
        return body
    return Any_(type_url=f"type.googleapis.com/{headers['ce-type']}", value=body).SerializeToString()


def facts(event: Event, trace: str) -> str:
    """An event as a dead letter keeps it: JSON with `id`, `subject`, `revision`, `n`, `time` and `traceparent`."""
    revision, n = event.sequence
    known = {"id": event.id.hex, "subject": event.subject, "revision": revision, "n": n, "time": event.time.isoformat()}
    return json.dumps({**known, "traceparent": trace})


def remembered(kept: str) -> Event | None:
    """The event of a dead letter; None if it was a timer's, or if its facts are not whole.

    One unreadable letter must not stop the others: its method is told that there is no event, and it becomes a letter again.
    """
    found = json.loads(kept)
    try:
        time = datetime.fromisoformat(found["time"])
        return Event(UUID(found["id"]), found["subject"], (int(found["revision"]), int(found["n"])), time)
    except (KeyError, ValueError, TypeError):
        return None
