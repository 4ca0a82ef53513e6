"""OperationService over operations. Access and audit: see the contract."""

from uuid import UUID

from google.protobuf.empty_pb2 import Empty
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh.aip.listing import page
from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.operations.batch import advanced
from revops_mesh.operations.operation import KEPT, Operation

from ..ownership import owned

EVERYBODYS = "platform.operations.list"
WAIT_SECONDS, LOOK_SECONDS = 5.0, 0.25
"""Default timeout of a wait, and how often it looks."""


class OperationService:
    """One method per rpc: load, verb, save."""

    async def GetOperation(self, request: pb.GetOperationRequest, call: Call) -> pb.Operation:
        operation = await owned(call, Operation, request.name, EVERYBODYS)
        return operation.state if call.granted else operation.shown

    async def ListOperations(self, request: pb.ListOperationsRequest, call: Call) -> pb.ListOperationsResponse:
        response = await page(call, Operation, request, pb.ListOperationsResponse)
        for operation in response.operations:
            operation.ClearField("job")
        return response

    async def WaitOperation(self, request: pb.WaitOperationRequest, call: Call) -> pb.Operation:
        operation = await owned(call, Operation, request.name, EVERYBODYS)
        timeout = request.timeout.ToTimedelta().total_seconds() if request.HasField("timeout") else WAIT_SECONDS
        left = timeout - (clock.now() - call.now).total_seconds()
        if not operation.state.done and left > 0:
            call.again = min(left, LOOK_SECONDS)
        return operation.shown

    async def CancelOperation(self, request: pb.CancelOperationRequest, call: Call) -> pb.Operation:
        operation = await owned(call, Operation, request.name, EVERYBODYS, request.etag, lock=True)
        operation.cancel()
        return await _saved(operation, call)

    async def ResumeOperation(self, request: pb.ResumeOperationRequest, call: Call) -> pb.Operation:
        operation = await owned(call, Operation, request.name, EVERYBODYS, request.etag, lock=True)
        operation.resume()
        call.schedule(call.now, _due(operation))
        return await _saved(operation, call)

    async def DeleteOperation(self, request: pb.DeleteOperationRequest, call: Call) -> Empty:
        operation = await owned(call, Operation, request.name, EVERYBODYS, request.etag)
        operation.forget()
        await call.repo(Operation).delete(operation)
        return Empty()

    async def ErrandAdvanceOperation(
        self, kernel: Kernel, tenant: UUID, request: pb.AdvanceOperationRequest, attempt: int
    ) -> pb.AdvanceOperationRequest:
        return await advanced(kernel, tenant, request, attempt)

    async def AdvanceOperation(self, request: pb.AdvanceOperationRequest, call: Call) -> Empty:
        operation = await call.repo(Operation).find(request.operation, lock=True)
        if operation is not None and operation.expects(request):
            if operation.advance(request, call.now):
                call.schedule(call.now, _due(operation))
            else:
                call.schedule(call.now + KEPT, pb.ExpireOperationRequest(operation=operation.name))
            await call.repo(Operation).save(operation)
        return Empty()

    async def ExpireOperation(self, request: pb.ExpireOperationRequest, call: Call) -> Empty:
        operation = await call.repo(Operation).find(request.operation, lock=True)
        if operation is not None and operation.over(call.now):
            await call.repo(Operation).delete(operation)
        return Empty()


def _due(operation: Operation) -> pb.AdvanceOperationRequest:
    return pb.AdvanceOperationRequest(operation=operation.name, batch=operation.state.job.batch)


async def _saved(operation: Operation, call: Call) -> pb.Operation:
    """The answer after a change; it is kept for replays, so it has no job either."""
    await call.repo(Operation).save(operation)
    call.unit.seal()
    return operation.shown
