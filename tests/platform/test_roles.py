"""Roles: what patterns give, who may grant what, and that callers get exactly that."""

from collections.abc import Callable
from fnmatch import fnmatchcase

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from hypothesis import strategies as st
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import access_pb2 as pb
from revops.platform.v1 import reference_pb2 as reference

from revops_mesh import member
from revops_mesh.kernel.errors import Broken, Failure
from revops_mesh.platform.access.domain import Role
from revops_mesh.platform.access.grants import Grants
from revops_mesh.platform.roles import BUILT_IN, built_in, expand, grantable
from tests.world import TEAM, Caller, World

KNOWN = frozenset({"a.x.get", "a.x.list", "a.xy.get", "ab.x.get", "platform.tenants.get", "platform.roles.get"})
ADMINISTRATION = {"platform.tenants.create", "platform.tenants.suspend", "platform.tenants.get"}


def role(*permissions: str, name: str = "Role") -> pb.Role:
    return pb.Role(display_name=name, permissions=permissions)


async def granting(anna: Caller, role_id: str, *permissions: str) -> pb.Role:
    created: pb.Role = await anna(pb.CreateRoleRequest(role_id=role_id, role=role(*permissions)))
    return created


async def holding(world: World, anna: Caller, role_id: str) -> Caller:
    return await world.caller(role_id, tenant=anna.tenant, sub=f"users/{role_id}")


@given(st.lists(st.sampled_from([*sorted(KNOWN), "a.*", "a.x.*", "ab.*", "zz.*", "a", "*", "*.*.get", "a.*.get"])))
def test_patterns_give_what_they_match(patterns: list[str]) -> None:
    assert expand(patterns, KNOWN) == {k for k in KNOWN if any(fnmatchcase(k, pattern) for pattern in patterns)}


def test_a_pattern_ends_at_a_dot_and_a_minus_takes_away_what_came_before() -> None:
    assert expand(["a.x.*"], KNOWN) == {"a.x.get", "a.x.list"}
    assert expand(["*.*.get", "-platform.*", "platform.roles.get"], KNOWN) == {
        "a.x.get",
        "a.xy.get",
        "ab.x.get",
        "platform.roles.get",
    }


@pytest.mark.parametrize("role_id", sorted(BUILT_IN))
def test_every_pattern_of_a_built_in_role_still_matches_something(role_id: str) -> None:
    known = member.permissions()
    assert not [p for p in BUILT_IN[role_id] if not p.startswith("-") and not expand([p], known)]


def test_only_the_platform_s_role_administers_tenants() -> None:
    roles = built_in(member.permissions())
    assert roles["platform-admin"] >= ADMINISTRATION
    assert not [role_id for role_id in roles if role_id != "platform-admin" and roles[role_id] & ADMINISTRATION]
    assert roles["admin"] == grantable(member.permissions(), on_platform=False)


def test_a_viewer_reads_business_and_not_who_did_what_or_who_may_call() -> None:
    viewer = built_in(member.permissions())["viewer"]
    assert {"catalog.products.list", "quoting.quotes.get", "platform.exchangeRates.resolve"} <= viewer
    assert not {p for p in viewer if p.split(".")[1] in {"auditEntries", "deadLetters", "serviceAccounts", "apiKeys", "roles"}}
    assert not {p for p in viewer if p.endswith((".create", ".update", ".delete"))}


@given(
    st.sets(st.sampled_from(sorted(KNOWN))), st.lists(st.sampled_from([*sorted(KNOWN), "a.*", "ab.*", "nothing.*"]), min_size=1)
)
def test_nothing_granted_exceeds_the_caller(held: set[str], patterns: list[str]) -> None:
    grants = Grants(KNOWN, frozenset(held))
    try:
        grants.by_patterns(patterns)
    except Failure as refusal:
        unknown = refusal.reason == "ROLE_PERMISSION_UNKNOWN"
        assert not expand([refusal.metadata["permission"]], KNOWN) if unknown else refusal.metadata["permission"] not in held
        assert unknown or refusal.reason == "ROLE_EXCEEDS_CALLER"
    else:
        assert expand(patterns, KNOWN) <= held


@pytest.mark.parametrize("state", [pb.Role(name="roles/admin", permissions=["a.x.get"]), pb.Role(name="roles/mine")])
def test_a_role_that_is_built_in_or_grants_nothing_is_broken(state: pb.Role) -> None:
    with pytest.raises(Broken):
        Role(state).check()


async def test_callers_with_a_role_can_do_what_it_says_and_no_more(
    world: World, anna: Caller, forget: Callable[[], None]
) -> None:
    await granting(anna, "reader", "catalog.products.*", "platform.legalEntities.get")
    forget()
    reader = await holding(world, anna, "reader")
    await reader(products.ListProductsRequest())
    assert (await reader.refusal(products.ListRatePlansRequest(parent="products/-"))).reason == "PERMISSION_REQUIRED"
    assert (await reader.refusal(reference.ListLegalEntitiesRequest())).reason == "PERMISSION_REQUIRED"


async def test_a_role_of_another_tenant_gives_nothing(world: World, anna: Caller, forget: Callable[[], None]) -> None:
    await granting(anna, "reader", "catalog.products.list")
    forget()
    stranger = await world.caller("reader")
    assert (await stranger.refusal(products.ListProductsRequest())).reason == "PERMISSION_REQUIRED"


async def test_a_changed_and_a_deleted_role_are_noticed(world: World, anna: Caller, forget: Callable[[], None]) -> None:
    created = await granting(anna, "reader", "catalog.products.list")
    change = pb.Role(name=created.name, permissions=["platform.legalEntities.list"])
    await anna(pb.UpdateRoleRequest(role=change, update_mask=FieldMask(paths=["permissions"])))
    forget()
    reader = await holding(world, anna, "reader")
    await reader(reference.ListLegalEntitiesRequest())
    assert (await reader.refusal(products.ListProductsRequest())).reason == "PERMISSION_REQUIRED"
    await anna(pb.DeleteRoleRequest(name=created.name))
    forget()
    assert (await reader.refusal(reference.ListLegalEntitiesRequest())).reason == "PERMISSION_REQUIRED"
    assert not (await anna(pb.ListRolesRequest())).roles


@pytest.mark.parametrize(
    "unknown", ["catalog.products.invent", "nothing.*", "catalog", "platform.tenants.create", "platform.tenants.*"]
)
async def test_a_permission_that_no_tenant_can_grant_is_unknown(anna: Caller, unknown: str) -> None:
    refusal = await anna.refusal(pb.CreateRoleRequest(role=role("catalog.products.get", unknown)))
    assert (refusal.reason, refusal.metadata) == ("ROLE_PERMISSION_UNKNOWN", {"permission": unknown})
    created = await anna(pb.CreateRoleRequest(role=role("catalog.products.get")))
    change = pb.UpdateRoleRequest(role=pb.Role(name=created.name, permissions=[unknown]))
    assert (await anna.refusal(change)).reason == "ROLE_PERMISSION_UNKNOWN"


@pytest.mark.parametrize("role_id", sorted(BUILT_IN))
async def test_the_id_of_a_built_in_role_is_reserved(anna: Caller, role_id: str) -> None:
    refusal = await anna.refusal(pb.CreateRoleRequest(role_id=role_id, role=role("catalog.products.get")))
    assert (refusal.reason, refusal.metadata) == ("ROLE_RESERVED", {"role": role_id})


async def test_a_used_id_is_taken_even_when_its_role_is_gone(anna: Caller) -> None:
    created = await granting(anna, "reader", "catalog.products.list")
    again = pb.CreateRoleRequest(role_id="reader", role=role("catalog.products.get"))
    assert (await anna.refusal(again)).reason == "RESOURCE_EXISTS"
    await anna(pb.DeleteRoleRequest(name=created.name, etag=created.etag))
    assert (await anna.refusal(again)).reason == "RESOURCE_EXISTS"


async def test_nobody_raises_themselves_by_a_role(world: World, anna: Caller, forget: Callable[[], None]) -> None:
    keeper_role = await granting(anna, "keeper", "platform.roles.*", "catalog.products.get")
    forget()
    keeper = await holding(world, anna, "keeper")
    await granting(keeper, "lesser", "catalog.products.get", "platform.roles.list")
    for wanted in ("catalog.*", "catalog.products.create"):
        refusal = await keeper.refusal(pb.CreateRoleRequest(role=role(wanted)))
        assert refusal.reason == "ROLE_EXCEEDS_CALLER"
        assert refusal.metadata["permission"].startswith("catalog.")
    more = pb.Role(name=keeper_role.name, permissions=["platform.roles.*", "catalog.products.create"])
    assert (await keeper.refusal(pb.UpdateRoleRequest(role=more))).reason == "ROLE_EXCEEDS_CALLER"


async def test_a_lesser_caller_may_still_rename_a_greater_role(world: World, anna: Caller, forget: Callable[[], None]) -> None:
    greater = await granting(anna, "greater", "catalog.*")
    await granting(anna, "keeper", "platform.roles.*")
    forget()
    keeper = await holding(world, anna, "keeper")
    renamed = await keeper(pb.UpdateRoleRequest(role=pb.Role(name=greater.name, display_name="Great")))
    assert (renamed.display_name, list(renamed.permissions)) == ("Great", ["catalog.*"])


async def test_roles_need_the_business_edition_and_a_right_etag(world: World, anna: Caller) -> None:
    small = await world.caller("admin", edition=TEAM)
    assert (await small.refusal(pb.CreateRoleRequest(role=role("catalog.products.get")))).reason == "EDITION_REQUIRED"
    created = await granting(anna, "reader", "catalog.products.list")
    stale = pb.UpdateRoleRequest(role=pb.Role(name=created.name, etag="7", display_name="x"))
    assert (await anna.refusal(stale)).reason == "ETAG_MISMATCH"
