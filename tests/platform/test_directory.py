"""The directory: what is looked up once, kept a while, and never kept when it failed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import access_pb2 as access
from revops.platform.v1 import tenants_pb2 as pb

from revops_mesh import member
from revops_mesh.kernel import clock
from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.kernel.pools import Pool
from revops_mesh.kernel.principal import Standing
from revops_mesh.platform.directory import KEPT_SECONDS, StoredDirectory
from tests.world import BUSINESS, ENTERPRISE, TEAM, Caller, World


@pytest.fixture
async def pool(world: World) -> AsyncIterator[Pool]:
    opened = Pool(world.dsn, "revops_app", 8)
    yield opened
    await opened.close()


@pytest.fixture
def directory(pool: Pool) -> StoredDirectory:
    return StoredDirectory(pool, member.permissions())


async def standing_of(directory: StoredDirectory, tenant: UUID) -> Standing:
    found = await directory.standing(tenant)
    assert found is not None
    return found


async def test_a_tenant_stands_with_its_edition_and_all_its_roles(directory: StoredDirectory, anna: Caller) -> None:
    role = access.Role(display_name="Reader", permissions=["catalog.products.get"])
    await anna(access.CreateRoleRequest(role_id="reader", role=role))
    standing = await standing_of(directory, anna.tenant)
    assert (standing.active, standing.edition, standing.epoch) == (True, ENTERPRISE, 0)
    assert standing.roles["reader"] == {"catalog.products.get"}
    assert not standing.roles["platform-admin"]


async def test_the_platform_tenant_stands_without_a_row_and_has_roles_of_its_own(
    directory: StoredDirectory, world: World
) -> None:
    both = await world.caller("admin", "platform-admin", tenant=PLATFORM_TENANT)
    role = access.Role(display_name="Support", permissions=["platform.tenants.list"])
    created = await both(access.CreateRoleRequest(role=role))
    standing = await standing_of(directory, PLATFORM_TENANT)
    assert standing.roles[created.name.removeprefix("roles/")] == {"platform.tenants.list"}
    assert "platform.tenants.create" in standing.roles["platform-admin"]


async def test_a_tenant_that_does_not_exist_does_not_stand(directory: StoredDirectory) -> None:
    assert await directory.standing(uuid4()) is None


async def test_callers_that_come_at_once_cause_one_reading(directory: StoredDirectory, pool: Pool, anna: Caller) -> None:
    found = await asyncio.gather(*(directory.standing(anna.tenant) for _ in range(20)))
    assert pool.open == 1
    assert all(each is found[0] for each in found)


async def test_a_cancelled_caller_does_not_cancel_the_others(directory: StoredDirectory, anna: Caller) -> None:
    first = asyncio.create_task(directory.standing(anna.tenant))
    await asyncio.sleep(0)
    second = asyncio.create_task(directory.standing(anna.tenant))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None


async def test_what_was_read_is_kept_for_fifteen_seconds_or_until_it_is_forgotten(
    directory: StoredDirectory, world: World, root: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = await root(pb.CreateTenantRequest(tenant=pb.Tenant(display_name="Acme", edition=options.EDITION_TEAM)))
    uid, mask = UUID(hex=tenant.uid), FieldMask(paths=["edition"])

    async def buys(edition: int) -> None:
        change = pb.Tenant(name=tenant.name, edition=edition)  # type: ignore[arg-type]
        await root(pb.UpdateTenantRequest(tenant=change, update_mask=mask))

    assert (await standing_of(directory, uid)).edition == TEAM
    await buys(BUSINESS)
    monkeypatch.setattr(clock, "_OFFSET", clock._OFFSET + timedelta(seconds=KEPT_SECONDS - 2))
    assert (await standing_of(directory, uid)).edition == TEAM
    monkeypatch.setattr(clock, "_OFFSET", clock._OFFSET + timedelta(seconds=2))
    assert (await standing_of(directory, uid)).edition == BUSINESS
    await buys(ENTERPRISE)
    directory.forget()
    assert ((await standing_of(directory, uid)).edition, (await standing_of(directory, uid)).epoch) == (ENTERPRISE, 2)


async def test_a_failed_reading_is_not_kept(directory: StoredDirectory, world: World, anna: Caller) -> None:
    await world.owner.execute("REVOKE SELECT ON platform.roles FROM revops_app")
    try:
        for result in await asyncio.gather(*(directory.standing(anna.tenant) for _ in range(3)), return_exceptions=True):
            assert isinstance(result, asyncpg.InsufficientPrivilegeError)
    finally:
        await world.owner.execute("GRANT SELECT ON platform.roles TO revops_app")
    assert (await standing_of(directory, anna.tenant)).active


async def test_a_key_is_found_under_its_own_tenant_alone(directory: StoredDirectory, world: World, anna: Caller) -> None:
    offer = access.ServiceAccount(display_name="CRM", roles=["viewer"])
    account = await anna(access.CreateServiceAccountRequest(service_account=offer))
    key = await anna(access.CreateApiKeyRequest(parent=account.name, api_key=access.ApiKey()))
    secret, stranger = key.secret.rpartition("_")[2], await world.tenant()
    found = await directory.api_key(anna.tenant, key.key_id, secret)
    assert found is not None
    assert (found.name, found.tenant, found.roles, found.expires) == (account.name, anna.tenant, ("viewer",), float("inf"))
    assert await directory.api_key(stranger, key.key_id, secret) is None
