"""When API keys were last used: noted to the hour, by an internal rpc of its own, so that no call waits for it."""

from datetime import datetime
from functools import partial
from uuid import UUID

from revops.platform.v1 import access_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.names import derived
from revops_mesh.kernel.pipeline import Kernel

from ..directory import StoredDirectory


def note_uses(directory: StoredDirectory, kernel: Kernel) -> None:
    """Has a directory note the uses of keys through a kernel; one that does not serve the platform notes none."""
    if any(method.request is pb.NoteApiKeyUseRequest for method in kernel.methods.values()):
        directory.note_use = partial(_note, kernel)


async def _note(kernel: Kernel, tenant: UUID, name: str, at: datetime) -> None:
    hour = at.replace(minute=0, second=0, microsecond=0)
    request = pb.NoteApiKeyUseRequest(name=name, time=clock.timestamp(hour))
    arrival = Arrival({}, request_id=derived("use of a key", tenant, name, hour))
    await kernel.react(kernel.by_request(request), request, tenant, arrival)
