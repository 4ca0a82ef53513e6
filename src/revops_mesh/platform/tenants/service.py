"""TenantService: the installation's own, under the platform login. Access and audit: see the contract."""

from revops.platform.v1 import tenants_pb2 as pb

from revops_mesh.aip.listing import merged, page
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.names import new_uuid

from .domain import Tenant


class TenantService:
    """One method per rpc: load, verb, save."""

    async def CreateTenant(self, request: pb.CreateTenantRequest, call: Call) -> pb.Tenant:
        tenants = call.repo(Tenant)
        return (await tenants.add(Tenant.found(tenants.name(request.tenant_id), request.tenant, new_uuid().hex))).state

    async def GetTenant(self, request: pb.GetTenantRequest, call: Call) -> pb.Tenant:
        return (await call.repo(Tenant).get(request.name)).state

    async def ListTenants(self, request: pb.ListTenantsRequest, call: Call) -> pb.ListTenantsResponse:
        return await page(call, Tenant, request, pb.ListTenantsResponse)

    async def UpdateTenant(self, request: pb.UpdateTenantRequest, call: Call) -> pb.Tenant:
        tenant = await call.repo(Tenant).get(request.tenant.name, request.tenant.etag)
        tenant.update(merged(call, tenant, request.tenant, request.update_mask))
        return (await call.repo(Tenant).save(tenant)).state

    async def SuspendTenant(self, request: pb.SuspendTenantRequest, call: Call) -> pb.Tenant:
        tenant = await call.repo(Tenant).get(request.name, request.etag)
        tenant.suspend()
        return (await call.repo(Tenant).save(tenant)).state

    async def ResumeTenant(self, request: pb.ResumeTenantRequest, call: Call) -> pb.Tenant:
        tenant = await call.repo(Tenant).get(request.name, request.etag)
        tenant.resume()
        return (await call.repo(Tenant).save(tenant)).state
