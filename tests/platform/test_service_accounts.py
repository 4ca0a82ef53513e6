"""Service accounts: programs that call with API keys, from the key's only showing to its end."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import access_pb2 as pb
from revops.platform.v1 import tenants_pb2 as tenants

from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import Broken
from revops_mesh.platform.access import keys
from revops_mesh.platform.access.domain import ApiKey, ServiceAccount
from tests.world import FREE, TEAM, Caller, World

LIST = products.ListProductsRequest()
CREATE = products.CreateProductRequest(product=products.Product(display_name="Seat", family="core"))


async def opened(anna: Caller, *roles: str, account_id: str = "crm", partner: str = "") -> pb.ServiceAccount:
    offer = pb.ServiceAccount(display_name="CRM", roles=roles or ("viewer",), partner=partner)
    created: pb.ServiceAccount = await anna(pb.CreateServiceAccountRequest(service_account=offer, service_account_id=account_id))
    return created


async def keyed(anna: Caller, account: pb.ServiceAccount, expires_in: float = 0) -> pb.ApiKey:
    offer = pb.ApiKey(display_name="Key")
    if expires_in:
        offer.expire_time.FromMicroseconds(int((clock.unix() + expires_in) * 1e6))
    created: pb.ApiKey = await anna(pb.CreateApiKeyRequest(parent=account.name, api_key=offer))
    return created


def program(world: World, anna: Caller, secret: str) -> Caller:
    """A program that calls with a key."""
    return Caller(world, anna.tenant, secret)


async def test_a_program_calls_with_its_key_as_its_account_and_with_its_roles(world: World, anna: Caller) -> None:
    account = await opened(anna, "viewer")
    key = await keyed(anna, account)
    crm = program(world, anna, key.secret)
    await crm(LIST)
    assert (await crm.refusal(CREATE)).reason == "PERMISSION_REQUIRED"
    principal = await world.kernel.authenticator.principal(crm.arrival())
    assert (principal.name, principal.tenant, principal.service) == ("serviceAccounts/crm", anna.tenant, True)


async def test_a_key_is_shown_once_and_only_its_hash_is_kept(world: World, anna: Caller) -> None:
    account = await opened(anna)
    request = pb.CreateApiKeyRequest(parent=account.name, api_key=pb.ApiKey(display_name="Key"), request_id=str(uuid4()))
    key = await anna(request)
    prefix, tenant, key_id, secret = key.secret.split("_")
    assert (prefix, UUID(hex=tenant), key_id) == ("rk", anna.tenant, key.name.rpartition("/")[2])
    assert len(bytes.fromhex(secret)) == keys.SECRET_BYTES
    assert (key.etag, key.key_id, key.secret_hash, key.HasField("create_time")) == ("1", key_id, b"", True)
    replayed = await anna(request)
    assert (replayed.name, replayed.secret, replayed.secret_hash) == (key.name, "", b"")
    (listed,) = (await anna(pb.ListApiKeysRequest(parent=account.name))).api_keys
    assert (listed.name, listed.secret, listed.secret_hash) == (key.name, "", b"")
    stored = await world.owner.fetchval(
        "SELECT body FROM platform.api_keys WHERE name=$1 AND tenant_id=$2", key.name, anna.tenant
    )
    assert pb.ApiKey.FromString(stored).secret_hash == hashlib.sha256(secret.encode()).digest()
    for table in ("platform.api_keys", "kernel.replay", "kernel.audit", "kernel.outbox"):
        texts = await world.owner.fetch(f"SELECT t::text AS row FROM {table} t WHERE tenant_id=$1", anna.tenant)
        assert not [row for row in texts if secret in row["row"] or secret.encode().hex() in row["row"]]


async def test_a_wrong_secret_and_a_strange_key_are_refused_alike(world: World, anna: Caller) -> None:
    key = await keyed(anna, await opened(anna))
    head, _, secret = key.secret.rpartition("_")
    stranger = await world.caller("admin")
    for wrong in (
        f"{head}_{'0' * 64}",
        f"{head}_{secret[:-1]}",
        f"{head}_",
        keys.credential(stranger.tenant, key.key_id, secret),
        keys.credential(uuid4(), key.key_id, secret),
        keys.credential(anna.tenant, "%", secret),
        keys.credential(anna.tenant, "é" * 3, secret),
        f"rk_{key.key_id}_{secret}",
        f"rk_nonsense_{key.key_id}_{secret}",
        "rk_",
    ):
        refusal = await program(world, anna, wrong).refusal(LIST)
        assert (refusal.reason, str(refusal)) == ("CREDENTIALS_INVALID", "The credentials are not valid: no such API key.")


async def test_an_expired_key_says_so_and_one_born_expired_is_refused(
    world: World, anna: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await opened(anna)
    past = pb.ApiKey()
    past.expire_time.FromSeconds(1)
    refusal = await anna.refusal(pb.CreateApiKeyRequest(parent=account.name, api_key=past))
    assert (refusal.reason, refusal.violations[0][0]) == ("FIELD_INVALID", "api_key.expire_time")
    crm = program(world, anna, (await keyed(anna, account, expires_in=10)).secret)
    await crm(LIST)
    monkeypatch.setattr(clock, "_OFFSET", clock._OFFSET + timedelta(seconds=11))
    assert (await crm.refusal(LIST)).reason == "CREDENTIALS_EXPIRED"


async def test_a_revoked_key_stops_and_another_of_the_account_goes_on(
    world: World, anna: Caller, forget: Callable[[], None]
) -> None:
    account = await opened(anna)
    first, second = await keyed(anna, account), await keyed(anna, account)
    await program(world, anna, first.secret)(LIST)
    await anna(pb.DeleteApiKeyRequest(name=first.name))
    forget()
    assert (await program(world, anna, first.secret).refusal(LIST)).reason == "CREDENTIALS_INVALID"
    await program(world, anna, second.secret)(LIST)
    assert [key.name for key in (await anna(pb.ListApiKeysRequest(parent=account.name))).api_keys] == [second.name]
    assert (await anna.refusal(pb.DeleteApiKeyRequest(name=first.name))).reason == "RESOURCE_NOT_FOUND"


async def test_a_revoked_key_stops_within_30_seconds_by_itself(
    world: World, anna: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await keyed(anna, await opened(anna))
    crm = program(world, anna, key.secret)
    await crm(LIST)
    await anna(pb.DeleteApiKeyRequest(name=key.name))
    monkeypatch.setattr(clock, "_OFFSET", clock._OFFSET + timedelta(seconds=30))
    assert (await crm.refusal(LIST)).reason == "CREDENTIALS_INVALID"


async def test_a_disabled_account_stops_and_works_again_when_enabled(
    world: World, anna: Caller, forget: Callable[[], None]
) -> None:
    account = await opened(anna)
    crm = program(world, anna, (await keyed(anna, account)).secret)
    mask = FieldMask(paths=["disabled"])
    for disabled in (True, False):
        change = pb.ServiceAccount(name=account.name, disabled=disabled)
        await anna(pb.UpdateServiceAccountRequest(service_account=change, update_mask=mask))
        forget()
        if disabled:
            assert (await crm.refusal(LIST)).reason == "CREDENTIALS_INVALID"
        else:
            await crm(LIST)


async def test_a_deleted_account_takes_its_keys_with_it(world: World, anna: Caller, forget: Callable[[], None]) -> None:
    account, other = await opened(anna), await opened(anna, account_id="erp")
    key, kept = await keyed(anna, account), await keyed(anna, other)
    await anna(pb.DeleteServiceAccountRequest(name=account.name, etag=account.etag))
    forget()
    assert (await program(world, anna, key.secret).refusal(LIST)).reason == "CREDENTIALS_INVALID"
    assert [each.name for each in (await anna(pb.ListApiKeysRequest(parent="serviceAccounts/-"))).api_keys] == [kept.name]
    missing = pb.CreateApiKeyRequest(parent=account.name, api_key=pb.ApiKey())
    assert (await anna.refusal(missing)).reason == "RESOURCE_NOT_FOUND"


async def test_an_account_for_a_partner_sees_only_what_partners_may(world: World, anna: Caller) -> None:
    account = await opened(anna, "admin", partner="partners/north")
    crm = program(world, anna, (await keyed(anna, account)).secret)
    assert (await crm.refusal(pb.ListRolesRequest())).reason == "CLOSED_TO_PARTNERS"
    await opened(anna, account_id="erp")
    assert [each.name for each in (await crm(pb.ListServiceAccountsRequest())).service_accounts] == [account.name]
    offer = pb.ServiceAccount(display_name="x", roles=["viewer"], partner="north")
    refusal = await anna.refusal(pb.CreateServiceAccountRequest(service_account=offer))
    assert (refusal.reason, refusal.violations[0][0]) == ("FIELD_INVALID", "service_account.partner")


async def test_an_unknown_role_is_refused_and_the_tenant_s_own_is_known(anna: Caller) -> None:
    offer = pb.ServiceAccount(display_name="x", roles=["viewer", "reader"])
    refusal = await anna.refusal(pb.CreateServiceAccountRequest(service_account=offer))
    assert (refusal.reason, refusal.metadata) == ("ROLE_UNKNOWN", {"role": "reader"})
    role = pb.Role(display_name="Reader", permissions=["catalog.products.get"])
    await anna(pb.CreateRoleRequest(role_id="reader", role=role))
    account = await anna(pb.CreateServiceAccountRequest(service_account=offer))
    change = pb.ServiceAccount(name=account.name, roles=["writer"])
    assert (await anna.refusal(pb.UpdateServiceAccountRequest(service_account=change))).reason == "ROLE_UNKNOWN"


async def test_nobody_raises_themselves_by_an_account_or_a_key(world: World, anna: Caller, forget: Callable[[], None]) -> None:
    powerful = await opened(anna, "admin")
    role = pb.Role(display_name="Keeper", permissions=["platform.serviceAccounts.*", "platform.apiKeys.*"])
    await anna(pb.CreateRoleRequest(role_id="keeper", role=role))
    forget()
    keeper = await world.caller("keeper", tenant=anna.tenant)
    own = await opened(keeper, "keeper", account_id="own")
    await keyed(keeper, own)
    mask = FieldMask(paths=["roles"])
    for request in (
        pb.CreateServiceAccountRequest(service_account=pb.ServiceAccount(display_name="x", roles=["viewer"])),
        pb.UpdateServiceAccountRequest(
            service_account=pb.ServiceAccount(name=own.name, roles=["keeper", "admin"]), update_mask=mask
        ),
        pb.CreateApiKeyRequest(parent=powerful.name, api_key=pb.ApiKey()),
    ):
        assert (await keeper.refusal(request)).reason == "ROLE_EXCEEDS_CALLER"


async def test_the_platform_s_role_is_none_of_a_tenant_and_needs_its_holder_on_the_platform(
    world: World, anna: Caller, root: Caller
) -> None:
    offer = pb.ServiceAccount(display_name="x", roles=["platform-admin"])
    request = pb.CreateServiceAccountRequest(service_account=offer)
    assert (await anna.refusal(request)).reason == "ROLE_UNKNOWN"
    clerk = await world.caller("admin", tenant=root.tenant)
    assert (await clerk.refusal(request)).reason == "ROLE_EXCEEDS_CALLER"
    both = await world.caller("admin", "platform-admin", tenant=root.tenant)
    installer = program(world, root, (await keyed(both, await both(request))).secret)
    assert (await installer(tenants.ListTenantsRequest(page_size=1))).tenants


async def test_who_lacks_what_an_account_may_do_can_disable_it_but_not_enable_it(
    world: World, anna: Caller, forget: Callable[[], None]
) -> None:
    powerful = await opened(anna, "admin")
    role = pb.Role(display_name="Keeper", permissions=["platform.serviceAccounts.*"])
    await anna(pb.CreateRoleRequest(role_id="keeper", role=role))
    forget()
    keeper, mask = await world.caller("keeper", tenant=anna.tenant), FieldMask(paths=["disabled"])
    off = pb.ServiceAccount(name=powerful.name, disabled=True)
    assert (await keeper(pb.UpdateServiceAccountRequest(service_account=off, update_mask=mask))).disabled
    on = pb.ServiceAccount(name=powerful.name, disabled=False)
    refusal = await keeper.refusal(pb.UpdateServiceAccountRequest(service_account=on, update_mask=mask))
    assert refusal.reason == "ROLE_EXCEEDS_CALLER"


async def test_accounts_are_capped_by_edition_and_names_and_etags_are_kept(world: World) -> None:
    small = await world.caller("admin", edition=TEAM)
    for n in range(10):
        account = await opened(small, account_id=f"crm-{n}")
    full = pb.CreateServiceAccountRequest(service_account=pb.ServiceAccount(display_name="x", roles=["viewer"]))
    refusal = await small.refusal(full)
    assert (refusal.reason, refusal.metadata["limit"], refusal.metadata["lifted_by"]) == ("LIMIT_REACHED", "10", "BUSINESS")
    await small(pb.DeleteServiceAccountRequest(name=account.name))
    await small(full)
    stale = pb.UpdateServiceAccountRequest(service_account=pb.ServiceAccount(name="serviceAccounts/crm-0", etag="9"))
    assert (await small.refusal(stale)).reason == "ETAG_MISMATCH"
    full.service_account_id = "crm-0"
    await small(pb.DeleteServiceAccountRequest(name="serviceAccounts/crm-1"))
    assert (await small.refusal(full)).reason == "RESOURCE_EXISTS"
    free = await world.caller("admin", edition=FREE)
    assert (await free.refusal(full)).reason == "EDITION_REQUIRED"


def test_a_key_or_an_account_that_breaks_its_invariants_is_broken() -> None:
    offer = pb.ApiKey(secret="forged", key_id="x", partner="partners/x")
    sound = ApiKey.issue("serviceAccounts/crm/apiKeys/k1", offer, "", keys.mint(), clock.now())
    assert not sound.state.partner
    sound.check()
    for name, value in (("secret", "kept"), ("secret_hash", b"short"), ("key_id", "k2")):
        key = ApiKey(sound.shown)
        key.state.secret_hash = sound.state.secret_hash
        setattr(key.state, name, value)
        with pytest.raises(Broken):
            key.check()
    for state in (pb.ServiceAccount(), pb.ServiceAccount(roles=["viewer"], partner="north")):
        with pytest.raises(Broken):
            ServiceAccount(state).check()


def test_a_secret_matches_its_own_hash_alone() -> None:
    one, other = keys.mint(), keys.mint()
    assert keys.matches(one, keys.hashed(one))
    assert not keys.matches(other, keys.hashed(one))
    assert not keys.matches("", keys.hashed(one))
