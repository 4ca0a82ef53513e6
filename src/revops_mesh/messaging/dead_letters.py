"""Dead letters: events and timers that failed eight times, and events that the stream refuses for good.

A letter's id is the `request_id` under which its method ran, so running it again never applies it twice. One without a method
is an event that was not published, under the event's id. A letter stays until it was run again with success.
"""

from typing import Any
from uuid import UUID

from revops_mesh.kernel import clock

PUT = (
    "INSERT INTO kernel.dead_letter(tenant_id,id,time,method,request_type,request,event,problem,attempts)"
    " VALUES($1,$2,$3,$4,$5,$6,$7::jsonb,$8,$9) ON CONFLICT DO NOTHING"
)
REMOVE = "DELETE FROM kernel.dead_letter WHERE tenant_id=$1 AND id=$2"
RUN_AGAIN = (
    "INSERT INTO kernel.timer(tenant_id,id,due,request_type,request,attempts,trace)"
    " SELECT tenant_id,id,$3::timestamptz,method,''::bytea,0,coalesce(event->>'traceparent','') FROM kernel.dead_letter"
    " WHERE tenant_id=$1 AND id=$2 AND method<>'' ON CONFLICT DO NOTHING"
)
"""With the `app` login: has the timers run letter `$2` again at `$3`. The letter goes when that succeeds."""
PUBLISH_AGAIN = (
    "WITH letter AS (DELETE FROM kernel.dead_letter WHERE tenant_id=$1 AND id=$2 AND method='' RETURNING *)"
    " INSERT INTO kernel.outbox(bucket,tenant_id,aggregate,revision,n,id,type,payload,trace,time)"
    " SELECT $3::smallint,tenant_id,event->>'subject',(event->>'revision')::int,(event->>'n')::smallint,id,request_type,request,"
    "event->>'traceparent',(event->>'time')::timestamptz FROM letter"
)
"""With the `app` login: moves letter `$2`, which has no method, back to the outbox. Order needs no bucket `$3` of its own."""


async def put(
    connection: Any, tenant: UUID, letter_id: UUID, method: str, request_type: str, request: bytes, event: str, *,
    problem: str, attempts: int,
) -> None:  # fmt: skip
    """Keeps a letter; one with the same id stays as it is. `event` is JSON of `envelope.facts`, `{}` for a timer."""
    parameters = (tenant, letter_id, clock.now(), method, request_type, request, event, problem, attempts)
    await connection.execute(PUT, *parameters)
