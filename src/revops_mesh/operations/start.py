"""What a method that starts a long job answers with."""

from google.longrunning import operations_pb2
from google.protobuf.message import Message
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import Failure

from .operation import UNDER_WAY, Operation

MOST_UNFINISHED = 50
"""Operations of a tenant that are under way, about: those that start at the same moment do not see each other."""

_UNFINISHED = f"state IN ({','.join(map(str, sorted(UNDER_WAY)))})"


async def start(call: Call, request: Message, metadata: Message, operation_id: str = "") -> operations_pb2.Operation:
    """A new operation of the caller; the method's `Run…` is called for its batches once the call is committed.

    `metadata` is the progress before the first of them. Refused with OPERATIONS_UNFINISHED, RESOURCE_EXISTS.
    """
    operations = call.repo(Operation)
    if len(await operations.select(_UNFINISHED, (), limit=MOST_UNFINISHED)) == MOST_UNFINISHED:
        text = "The tenant has {limit} unfinished operations: wait until one has ended."
        raise Failure(pb.OperationReason, pb.OPERATIONS_UNFINISHED, text, limit=MOST_UNFINISHED)
    name = operations.name(operation_id)
    operation = await operations.add(Operation.begin(name, call.method.full_name, request, metadata, call.principal))
    call.schedule(call.now, pb.AdvanceOperationRequest(operation=name, batch=operation.state.job.batch))
    return operations_pb2.Operation(name=name, metadata=operation.state.metadata)
