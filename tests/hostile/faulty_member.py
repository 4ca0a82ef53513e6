"""A member whose quick answers are faults: what the judge of hostile requests has to notice."""

import os

from google.protobuf.message import Message

from revops_mesh import member
from revops_mesh.gateway.rest.in_process import rest
from revops_mesh.kernel.call import Call
from revops_mesh.migrations.standing import current
from revops_mesh.platform.tenants.service import TenantService
from revops_mesh.runtime.serve import Parts, run
from revops_mesh.runtime.settings import Settings
from tests.runtime.member_process import background


async def fails(self: TenantService, request: Message, call: Call) -> Message:
    raise ValueError('query argument $1: relation "tenants" does not exist')


if __name__ == "__main__":
    TenantService.CreateTenant = fails  # type: ignore[assignment,method-assign]
    TenantService.GetTenant = fails  # type: ignore[assignment,method-assign]
    run(Settings.read(os.environ), Parts(member.compose, background, current, rest, member.ALIASES))
