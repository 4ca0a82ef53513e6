"""RoleService and ServiceAccountService. Access, edition and audit: see the contract."""

from google.protobuf.empty_pb2 import Empty
from revops.platform.v1 import access_pb2 as pb

from revops_mesh.aip.listing import merged, page
from revops_mesh.kernel.call import Call

from ..roles import grantable
from . import keys
from .domain import ApiKey, Role, ServiceAccount
from .grants import Grants


def _grants(call: Call) -> Grants:
    return Grants(grantable(call.kernel.permissions, on_platform=call.principal.on_platform), call.principal.permissions)


async def _must_be_grantable(account: ServiceAccount, call: Call) -> None:
    roles = call.repo(Role)
    own = await roles.get_many([roles.name(role) for role in account.state.roles])
    _grants(call).by_roles(account.state.roles, {role.id: role.state.permissions for role in own.values()})


class RoleService:
    """One method per rpc: load, verb, save."""

    async def CreateRole(self, request: pb.CreateRoleRequest, call: Call) -> pb.Role:
        roles = call.repo(Role)
        return (await roles.add(Role.define(roles.name(request.role_id), request.role, _grants(call)))).state

    async def GetRole(self, request: pb.GetRoleRequest, call: Call) -> pb.Role:
        return (await call.repo(Role).get(request.name)).state

    async def ListRoles(self, request: pb.ListRolesRequest, call: Call) -> pb.ListRolesResponse:
        return await page(call, Role, request, pb.ListRolesResponse)

    async def UpdateRole(self, request: pb.UpdateRoleRequest, call: Call) -> pb.Role:
        role = await call.repo(Role).get(request.role.name, request.role.etag)
        role.update(merged(call, role, request.role, request.update_mask), _grants(call))
        return (await call.repo(Role).save(role)).state

    async def DeleteRole(self, request: pb.DeleteRoleRequest, call: Call) -> Empty:
        await call.repo(Role).delete(await call.repo(Role).get(request.name, request.etag))
        return Empty()


class ServiceAccountService:
    """One method per rpc: load, verb, save."""

    async def CreateServiceAccount(self, request: pb.CreateServiceAccountRequest, call: Call) -> pb.ServiceAccount:
        accounts = call.repo(ServiceAccount)
        account = ServiceAccount.open(accounts.name(request.service_account_id), request.service_account)
        await _must_be_grantable(account, call)
        return (await accounts.add(account)).state

    async def GetServiceAccount(self, request: pb.GetServiceAccountRequest, call: Call) -> pb.ServiceAccount:
        return (await call.repo(ServiceAccount).get(request.name)).state

    async def ListServiceAccounts(self, request: pb.ListServiceAccountsRequest, call: Call) -> pb.ListServiceAccountsResponse:
        return await page(call, ServiceAccount, request, pb.ListServiceAccountsResponse)

    async def UpdateServiceAccount(self, request: pb.UpdateServiceAccountRequest, call: Call) -> pb.ServiceAccount:
        account = await call.repo(ServiceAccount).get(request.service_account.name, request.service_account.etag)
        changed = account.update(merged(call, account, request.service_account, request.update_mask))
        if changed and not account.state.disabled:
            await _must_be_grantable(account, call)
        return (await call.repo(ServiceAccount).save(account)).state

    async def DeleteServiceAccount(self, request: pb.DeleteServiceAccountRequest, call: Call) -> Empty:
        account = await call.repo(ServiceAccount).get(request.name, request.etag)
        for key in await call.repo(ApiKey).select("parent=$2", [account.name]):
            await call.repo(ApiKey).delete(key)
        await call.repo(ServiceAccount).delete(account)
        return Empty()

    async def CreateApiKey(self, request: pb.CreateApiKeyRequest, call: Call) -> pb.ApiKey:
        account = await call.repo(ServiceAccount).get(request.parent)
        await _must_be_grantable(account, call)
        call.unchanged(account)
        secret, issued = keys.mint(), call.repo(ApiKey)
        key = await issued.add(ApiKey.issue(issued.name(parent=account.name), request.api_key, secret, call.now))
        call.unit.seal()
        answer = key.shown
        answer.secret = keys.credential(call.tenant, key.state.key_id, secret)
        return answer

    async def ListApiKeys(self, request: pb.ListApiKeysRequest, call: Call) -> pb.ListApiKeysResponse:
        response = await page(call, ApiKey, request, pb.ListApiKeysResponse)
        for key in response.api_keys:
            key.ClearField("secret_hash")
        return response

    async def DeleteApiKey(self, request: pb.DeleteApiKeyRequest, call: Call) -> Empty:
        await call.repo(ApiKey).delete(await call.repo(ApiKey).get(request.name))
        return Empty()
