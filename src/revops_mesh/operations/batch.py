"""The errand of an operation: runs the batch that is due, outside any transaction, and tells what it came to.

A batch that fails for a passing reason comes again by its timer; a refusal that waiting cannot mend, or the last of several
tries, ends the operation, so that none is ever a dead letter.
"""

import asyncio
from uuid import UUID

from google.protobuf.message import Message
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.contract import message_class
from revops_mesh.kernel.errors import Broken, Failure
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.principal import Identity

from .job import PASSING, Job

TRIES = 5
"""Of a batch; a timer has more."""
LONGEST_SECONDS = 45.0
"""Of a batch: the connection that holds its timer would be closed after 60."""
TRIED_AGAIN = PASSING | {13}
"""Codes of failures after which a batch is tried again; INTERNAL is a fault of ours, which may have been a passing one."""


async def advanced(kernel: Kernel, tenant: UUID, due: pb.AdvanceOperationRequest, attempt: int) -> pb.AdvanceOperationRequest:
    """The request of the timer with what its batch came to; as it is when the batch is not due any more."""
    service = await kernel.authenticator.service("platform", tenant)
    operation = await _read(kernel, Arrival({}, principal=service, granted=True), due.operation)
    if operation is None or operation.done or operation.job.batch != due.batch:
        return due
    found = pb.AdvanceOperationRequest(operation=due.operation, batch=due.batch, start_time=clock.timestamp(clock.now()))
    found.cursor = operation.job.cursor
    if operation.cancelling:
        return found
    job: Job[Message] | None = None
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            job = await _job(kernel, tenant, operation)
            await _run(operation, job)
    except Exception as error:
        failure = kernel.failure(error, kernel.call(kernel.by_request(due), due, Arrival({})))
        if failure.code in TRIED_AGAIN:
            if attempt < TRIES:
                raise failure from None
            job = None  # it broke off somewhere: what it did is replayed when the operation is resumed
        found.error.CopyFrom(failure.status())
    if job is not None:
        _told(found, job)
    return found


async def _read(kernel: Kernel, arrival: Arrival, name: str) -> pb.Operation | None:
    """The operation whole, with its job, as only a granted call is answered."""
    request = pb.GetOperationRequest(name=name)
    try:
        found = await kernel.answer(kernel.by_request(request).path, request, arrival)
    except Failure as failure:
        if failure.reason != "RESOURCE_NOT_FOUND":
            raise
        return None
    assert isinstance(found, pb.Operation)
    return found


async def _job(kernel: Kernel, tenant: UUID, operation: pb.Operation) -> Job[Message]:
    """The batch that is due, in the name of the starter as they are by now. Refused with TENANT_SUSPENDED."""
    of = operation.job
    identity = Identity(operation.principal, tenant, tuple(of.roles), of.partner, service=of.service, scopes=tuple(of.scopes))
    metadata = message_class(operation.metadata.TypeName())()
    operation.metadata.Unpack(metadata)
    return Job(kernel, operation, await kernel.authenticator.resumed(identity), metadata)


async def _run(operation: pb.Operation, job: Job[Message]) -> None:
    """Has the method's own work done, if the starter may still call it."""
    path = "/" + "/".join(operation.method.rsplit(".", 1))
    if path not in job.kernel.runs:
        raise Broken(f"{operation.method} is not served here")
    method = job.kernel.methods[path]
    job.require(method)
    await job.kernel.runs[path](method.request.FromString(operation.job.request), job)


def _told(found: pb.AdvanceOperationRequest, job: Job[Message]) -> None:
    found.metadata.Pack(job.metadata)
    found.cursor = job.cursor
    if job.response is not None and not found.HasField("error"):
        found.response.Pack(job.response)
