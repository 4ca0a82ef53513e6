"""RoleService and ServiceAccountService. Access, edition and audit: see the contract."""

from datetime import UTC

from google.protobuf.empty_pb2 import Empty
from revops.platform.v1 import access_pb2 as pb

from revops_mesh.aip.listing import merged, page
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.names import parent_of

from . import keys
from .domain import ApiKey, Role, ServiceAccount
from .holding import grants_of, must_be_grantable


class RoleService:
    """One method per rpc: load, verb, save."""

    async def CreateRole(self, request: pb.CreateRoleRequest, call: Call) -> pb.Role:
        roles = call.repo(Role)
        return (await roles.add(Role.define(roles.name(request.role_id), request.role, grants_of(call)))).state

    async def GetRole(self, request: pb.GetRoleRequest, call: Call) -> pb.Role:
        return (await call.repo(Role).get(request.name)).state

    async def ListRoles(self, request: pb.ListRolesRequest, call: Call) -> pb.ListRolesResponse:
        return await page(call, Role, request, pb.ListRolesResponse)

    async def UpdateRole(self, request: pb.UpdateRoleRequest, call: Call) -> pb.Role:
        role = await call.repo(Role).get(request.role.name, request.role.etag)
        role.update(merged(call, role, request.role, request.update_mask), grants_of(call))
        return (await call.repo(Role).save(role)).state

    async def DeleteRole(self, request: pb.DeleteRoleRequest, call: Call) -> Empty:
        await call.repo(Role).delete(await call.repo(Role).get(request.name, request.etag))
        return Empty()


class ServiceAccountService:
    """One method per rpc: load, verb, save."""

    async def CreateServiceAccount(self, request: pb.CreateServiceAccountRequest, call: Call) -> pb.ServiceAccount:
        accounts = call.repo(ServiceAccount)
        account = ServiceAccount.open(accounts.name(request.service_account_id), request.service_account)
        await must_be_grantable(account.state.roles, call)
        return (await accounts.add(account)).state

    async def GetServiceAccount(self, request: pb.GetServiceAccountRequest, call: Call) -> pb.ServiceAccount:
        return (await call.repo(ServiceAccount).get(request.name)).state

    async def ListServiceAccounts(self, request: pb.ListServiceAccountsRequest, call: Call) -> pb.ListServiceAccountsResponse:
        return await page(call, ServiceAccount, request, pb.ListServiceAccountsResponse)

    async def UpdateServiceAccount(self, request: pb.UpdateServiceAccountRequest, call: Call) -> pb.ServiceAccount:
        account = await call.repo(ServiceAccount).get(request.service_account.name, request.service_account.etag)
        changed = account.update(merged(call, account, request.service_account, request.update_mask))
        if changed and not account.state.disabled:
            await must_be_grantable(account.state.roles, call)
        return (await call.repo(ServiceAccount).save(account)).state

    async def DeleteServiceAccount(self, request: pb.DeleteServiceAccountRequest, call: Call) -> Empty:
        account = await call.repo(ServiceAccount).get(request.name, request.etag)
        for key in await call.repo(ApiKey).select("parent=$2", [account.name]):
            await call.repo(ApiKey).delete(key)
        await call.repo(ServiceAccount).delete(account)
        return Empty()

    async def CreateApiKey(self, request: pb.CreateApiKeyRequest, call: Call) -> pb.ApiKey:
        account = await call.repo(ServiceAccount).get(request.parent)
        return await _issued(account, request.api_key, call)

    async def RotateApiKey(self, request: pb.RotateApiKeyRequest, call: Call) -> pb.ApiKey:
        old = await call.repo(ApiKey).get(request.name, lock=True)  # its use may be noted meanwhile
        account = await call.repo(ServiceAccount).get(parent_of(old.name))
        old.retire(call.now, request.overlap_hours if request.HasField("overlap_hours") else None)
        await call.repo(ApiKey).save(old)
        return await _issued(account, old.successor(request), call)

    async def NoteApiKeyUse(self, request: pb.NoteApiKeyUseRequest, call: Call) -> Empty:
        key = await call.repo(ApiKey).find(request.name, lock=True)
        if key is not None and key.note_use(request.time.ToDatetime(tzinfo=UTC)):
            await call.repo(ApiKey).save(key)
        return Empty()

    async def ListApiKeys(self, request: pb.ListApiKeysRequest, call: Call) -> pb.ListApiKeysResponse:
        response = await page(call, ApiKey, request, pb.ListApiKeysResponse)
        for key in response.api_keys:
            key.ClearField("secret_hash")
        return response

    async def DeleteApiKey(self, request: pb.DeleteApiKeyRequest, call: Call) -> Empty:
        await call.repo(ApiKey).delete(await call.repo(ApiKey).get(request.name, lock=True))
        return Empty()


async def _issued(account: ServiceAccount, offer: pb.ApiKey, call: Call) -> pb.ApiKey:
    """A new key of an account, with its secret: who has it can act as the account."""
    await must_be_grantable(account.state.roles, call)
    call.unchanged(account)
    secret, issued = keys.mint(), call.repo(ApiKey)
    name = issued.name(parent=account.name)
    key = await issued.add(ApiKey.issue(name, offer, account.state.partner, secret, call.now))
    call.unit.seal()
    answer = key.shown
    answer.secret = keys.credential(call.tenant, key.state.key_id, secret)
    return answer
