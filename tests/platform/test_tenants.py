"""Tenants: verbs over the full square of states, the platform's walls, and what callers notice of a change."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from revops.catalog.v1 import products_pb2 as products
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import tenants_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import Broken, Failure
from revops_mesh.kernel.names import PLATFORM_TENANT, new_id
from revops_mesh.platform.tenants.domain import ALLOWED, Tenant
from tests.world import BUSINESS, ENTERPRISE, FREE, TEAM, Caller, World

ACTIVE, SUSPENDED = pb.Tenant.STATE_ACTIVE, pb.Tenant.STATE_SUSPENDED
STATES = tuple(pb.Tenant.State.values())
UID = uuid4().hex


def tenant_in(state: int) -> Tenant:
    return Tenant(pb.Tenant(name="tenants/acme", uid=UID, display_name="Acme", edition=TEAM, state=state), 1)  # type: ignore[arg-type]


async def run(connection: asyncpg.Connection, tenant: UUID, statement: str) -> list[asyncpg.Record]:
    """Rows of raw SQL under the walls of a tenant."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL app.tenant_id='{tenant}'")
        rows: list[asyncpg.Record] = await connection.fetch(statement)
        return rows


async def founded(root: Caller, edition: int = TEAM) -> pb.Tenant:
    offer = pb.Tenant(display_name="Acme", edition=edition)  # type: ignore[arg-type]
    created: pb.Tenant = await root(pb.CreateTenantRequest(tenant=offer, tenant_id=f"t-{new_id()}"))
    return created


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", sorted(ALLOWED))
def test_every_verb_in_every_state_works_or_names_the_states_it_needs(verb: str, state: int) -> None:
    tenant = tenant_in(state)

    def act() -> None:
        tenant.update(tenant.state) if verb == "update" else getattr(tenant, verb)()

    if state in ALLOWED[verb]:
        return act()
    with pytest.raises(Failure) as refusal:
        act()
    assert refusal.value.reason == "TENANT_STATE"
    assert refusal.value.metadata["tenant"] == "tenants/acme"
    assert refusal.value.metadata["allowed"] == " or ".join(
        sorted(pb.Tenant.State.Name(each).removeprefix("STATE_") for each in ALLOWED[verb])  # type: ignore[arg-type]
    )
    assert not tenant.events


@pytest.mark.parametrize("fault", [{"uid": ""}, {"state": 0}, {"edition": 0}])
def test_a_tenant_without_uid_state_or_edition_is_broken(fault: dict[str, object]) -> None:
    tenant = tenant_in(ACTIVE)
    for name, value in fault.items():
        setattr(tenant.state, name, value)
    with pytest.raises(Broken):
        tenant.check()


async def test_a_tenant_is_founded_active_and_free_with_a_uid_of_its_own(root: Caller) -> None:
    forged = pb.Tenant(display_name="Acme", uid=UID, state=SUSPENDED, edition_changes=9)
    tenant = await root(pb.CreateTenantRequest(tenant=forged))
    assert (tenant.edition, tenant.state, tenant.edition_changes, tenant.etag) == (FREE, ACTIVE, 0, "1")
    assert tenant.uid != UID
    assert UUID(hex=tenant.uid).version == 7
    assert await root(pb.GetTenantRequest(name=tenant.name)) == tenant


async def test_a_new_tenant_s_first_caller_is_let_in_at_once(root: Caller, world: World) -> None:
    tenant = await founded(root)
    anna = await world.caller(tenant=UUID(hex=tenant.uid))
    assert not (await anna(products.ListProductsRequest())).products


async def test_the_platform_s_name_and_a_used_name_are_taken(root: Caller) -> None:
    offer = pb.Tenant(display_name="Acme")
    refusal = await root.refusal(pb.CreateTenantRequest(tenant=offer, tenant_id="platform"))
    assert (refusal.reason, refusal.metadata["name"]) == ("RESOURCE_EXISTS", "tenants/platform")
    used = (await founded(root)).name.removeprefix("tenants/")
    assert (await root.refusal(pb.CreateTenantRequest(tenant=offer, tenant_id=used))).reason == "RESOURCE_EXISTS"


async def test_each_change_leaves_its_event_and_an_unchanged_edition_none(root: Caller, world: World) -> None:
    tenant = await founded(root)
    mask = FieldMask(paths=["edition", "display_name"])
    for edition, name in ((TEAM, "Acme Ltd"), (BUSINESS, "Acme Ltd"), (0, "Acme Ltd")):
        change = pb.Tenant(name=tenant.name, edition=edition, display_name=name)  # type: ignore[arg-type]
        updated = await root(pb.UpdateTenantRequest(tenant=change, update_mask=mask))
    assert (updated.edition, updated.edition_changes, updated.display_name) == (FREE, 2, "Acme Ltd")
    await root(pb.SuspendTenantRequest(name=tenant.name))
    await root(pb.ResumeTenantRequest(name=tenant.name))
    events = [event for name, _, event in await world.events(PLATFORM_TENANT) if name == tenant.name]
    assert events == [
        pb.TenantCreated(tenant=tenant.name, edition=options.EDITION_TEAM, uid=tenant.uid),
        pb.TenantEditionChanged(tenant=tenant.name, edition=options.EDITION_BUSINESS),
        pb.TenantEditionChanged(tenant=tenant.name, edition=options.EDITION_FREE),
        pb.TenantSuspended(tenant=tenant.name),
        pb.TenantResumed(tenant=tenant.name),
    ]


async def test_a_stale_etag_and_a_wrong_state_are_refused(root: Caller) -> None:
    tenant = await founded(root)
    await root(pb.SuspendTenantRequest(name=tenant.name, etag=tenant.etag))
    assert (await root.refusal(pb.ResumeTenantRequest(name=tenant.name, etag=tenant.etag))).reason == "ETAG_MISMATCH"
    assert (await root.refusal(pb.SuspendTenantRequest(name=tenant.name))).reason == "TENANT_STATE"


@pytest.mark.parametrize("roles", [("admin",), ("platform-admin",), ("admin", "platform-admin")])
async def test_no_caller_of_a_tenant_administers_tenants_whatever_its_token_says(roles: tuple[str, ...], world: World) -> None:
    anna = await world.caller(*roles)
    for request in (pb.CreateTenantRequest(tenant=pb.Tenant(display_name="Mine")), pb.ListTenantsRequest()):
        assert (await anna.refusal(request)).reason == "PERMISSION_REQUIRED"


async def test_an_admin_of_the_platform_tenant_needs_the_role_for_tenants_too(world: World) -> None:
    admin = await world.caller("admin", tenant=PLATFORM_TENANT)
    assert (await admin.refusal(pb.ListTenantsRequest())).metadata == {"permission": "platform.tenants.list"}


async def test_the_app_login_sees_its_own_tenant_alone_and_writes_none(root: Caller, world: World) -> None:
    mine, other = UUID(hex=(await founded(root)).uid), await founded(root)
    connection = await asyncpg.connect(world.dsn, user="revops_app")
    try:
        for statement in (
            f"UPDATE platform.tenants SET edition=4 WHERE uid='{mine.hex}'",
            f"DELETE FROM platform.tenants WHERE uid='{mine.hex}'",
            "INSERT INTO platform.tenants(tenant_id,name,revision,body,create_time,update_time,uid,edition,state)"
            f" VALUES('{mine}','tenants/forged',1,'',now(),now(),'{uuid4().hex}',4,1)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await run(connection, mine, statement)
        seen = [row["uid"] for row in await run(connection, mine, "SELECT uid FROM platform.tenants")]
        assert seen == [mine.hex]
        assert other.uid not in seen
    finally:
        await connection.close()


async def test_a_suspended_tenant_is_refused_and_let_in_again(root: Caller, world: World, forget: Callable[[], None]) -> None:
    tenant = await founded(root)
    anna = await world.caller(tenant=UUID(hex=tenant.uid))
    await anna(products.ListProductsRequest())
    await root(pb.SuspendTenantRequest(name=tenant.name))
    forget()
    refusal = await anna.refusal(products.ListProductsRequest())
    assert (refusal.reason, refusal.metadata) == ("TENANT_SUSPENDED", {"tenant": tenant.name.removeprefix("tenants/")})
    await root(pb.ResumeTenantRequest(name=tenant.name))
    forget()
    await anna(products.ListProductsRequest())


async def test_a_change_of_edition_is_noticed_within_30_seconds_and_not_before_it_is_looked_up(
    root: Caller, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = await founded(root, FREE)
    anna = await world.caller(tenant=UUID(hex=tenant.uid))
    before = (await world.kernel.authenticator.principal(anna.arrival())).edition
    change = pb.Tenant(name=tenant.name, edition=options.EDITION_ENTERPRISE)
    await root(pb.UpdateTenantRequest(tenant=change, update_mask=FieldMask(paths=["edition"])))
    again = (await world.kernel.authenticator.principal(anna.arrival())).edition
    monkeypatch.setattr(clock, "_OFFSET", clock._OFFSET + timedelta(seconds=30))
    after = await world.kernel.authenticator.principal(anna.arrival())
    assert (before, again, after.edition, after.epoch) == (FREE, FREE, ENTERPRISE, 1)
