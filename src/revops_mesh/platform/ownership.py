"""What people made for themselves: others reach it only with the permission to list everybody's."""

from typing import Any, TypeVar

from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.kernel.aggregate import Aggregate
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import refuse

A = TypeVar("A", bound=Aggregate[Any])


async def owned(call: Call, kind: type[A], name: str, everybodys: str, etag: str = "", *, lock: bool = False) -> A:
    """The aggregate, if the caller made it or has the permission `everybodys`.

    Without that permission, what others made and what does not exist are refused alike, with PERMISSION_REQUIRED; else as
    `Repository.get` refuses.
    """
    if not call.can(everybodys):
        found = await call.repo(kind).find(name)
        if found is None or found.state.principal != call.principal.name:
            text = "{permission} is required for what others made."
            raise refuse(platform.PERMISSION_REQUIRED, text, permission=everybodys)
    return await call.repo(kind).get(name, etag, lock=lock)
