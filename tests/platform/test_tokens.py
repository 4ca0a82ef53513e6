"""Access tokens of the installation: they stand for an API key, for a while, with less and never with more than it may."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import access_pb2 as access
from revops.platform.v1 import tenants_pb2 as tenants
from revops.platform.v1 import tokens_pb2 as pb

from revops_mesh.identity.issuer import TYPE
from revops_mesh.identity.patterns import expand
from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.principal import Identity
from revops_mesh.operations.operation import Operation
from tests.world import Caller, World

LIST = products.ListProductsRequest()
CREATE = products.CreateProductRequest(product=products.Product(display_name="Seat", family="core"))
WHO = pb.GetCallerRequest()


async def keyed(anna: Caller, *roles: str, partner: str = "", expires_in: float = 0) -> Caller:
    """A program with an API key, of a new account in Anna's tenant."""
    offer = access.ServiceAccount(display_name="CRM", roles=roles or ("catalog-manager",), partner=partner)
    account = await anna(access.CreateServiceAccountRequest(service_account=offer))
    key = access.ApiKey()
    if expires_in:
        key.expire_time.FromSeconds(int(clock.unix() + expires_in))
    made = await anna(access.CreateApiKeyRequest(parent=account.name, api_key=key))
    return Caller(anna.world, anna.tenant, made.secret)


async def tokened(program: Caller, *scopes: str) -> Caller:
    """The same program with a token."""
    answer = await program(pb.IssueTokenRequest(scopes=scopes))
    return Caller(program.world, program.tenant, answer.access_token)


async def named(program: Caller) -> str:
    """The name of the account."""
    return str((await program(WHO)).name)


def own(world: World) -> Any:
    """The installation's issuer."""
    return world.kernel.authenticator.issuer


async def audited(world: World, tenant: Any) -> list[tuple[str, str, str]]:
    await world.kernel.refusals.flush()
    rows = await world.owner.fetch("SELECT principal, method, outcome FROM kernel.audit WHERE tenant_id=$1 ORDER BY id", tenant)
    return [(row["principal"], row["method"].rpartition(".")[2], row["outcome"]) for row in rows]


async def test_a_token_acts_as_the_account_of_its_key_and_is_audited(world: World, anna: Caller) -> None:
    program = await keyed(anna)
    answer = await program(pb.IssueTokenRequest())
    assert (answer.token_type, answer.expires_in, answer.scope) == ("Bearer", 900, "*")
    token = Caller(world, anna.tenant, answer.access_token)
    assert await token(WHO) == await program(WHO)
    await token(CREATE)
    account = await named(program)
    assert [(account, "IssueToken", "OK"), (account, "CreateProduct", "OK")] == (await audited(world, anna.tenant))[-2:]
    decoded = jwt.decode(answer.access_token, KeySet([own(world)._tokens.keys.keys[0]]))
    assert decoded.header["typ"] == TYPE
    assert {"iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti"} == set(decoded.claims)
    assert program.token.startswith(f"{decoded.claims['client_id']}_")
    assert program.token.rpartition("_")[2] not in str(decoded.claims)


async def test_a_token_ends_after_15_minutes_or_with_its_key(anna: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    lasting, brief = await keyed(anna), await keyed(anna, expires_in=60)
    tokens = [await tokened(program) for program in (lasting, brief)]
    for later, ended in ((70, [False, True]), (890, [False, True]), (901, [True, True])):
        monkeypatch.setattr(clock, "_OFFSET", timedelta(seconds=later))
        for token, over in zip(tokens, ended, strict=True):
            if over:
                assert (await token.refusal(WHO)).reason == "CREDENTIALS_EXPIRED"
            else:
                await token(WHO)


async def test_only_a_key_gets_a_token(world: World, anna: Caller) -> None:
    token = await tokened(await keyed(anna))
    for other in (anna, token):
        assert (await other.refusal(pb.IssueTokenRequest())).reason == "TOKEN_NEEDS_KEY"


async def test_a_token_stops_within_30_seconds_of_its_key(
    world: World, anna: Caller, root: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted, disabled, gone, narrowed = [await keyed(anna) for _ in range(4)]
    tokens = [await tokened(program) for program in (deleted, disabled, gone, narrowed)]
    for token in tokens:
        await token(CREATE)
    key = (await anna(access.ListApiKeysRequest(parent=await named(deleted)))).api_keys[0]
    await anna(access.DeleteApiKeyRequest(name=key.name))
    off = access.ServiceAccount(name=await named(disabled), disabled=True)
    await anna(access.UpdateServiceAccountRequest(service_account=off, update_mask=FieldMask(paths=["disabled"])))
    await anna(access.DeleteServiceAccountRequest(name=await named(gone)))
    less = access.ServiceAccount(name=await named(narrowed), roles=["viewer"])
    await anna(access.UpdateServiceAccountRequest(service_account=less, update_mask=FieldMask(paths=["roles"])))
    monkeypatch.setattr(clock, "_OFFSET", timedelta(seconds=30))
    for program, token in zip((deleted, disabled, gone), tokens, strict=False):
        assert (await program.refusal(pb.IssueTokenRequest())).reason == "CREDENTIALS_INVALID"
        assert (await token.refusal(LIST)).reason == "CREDENTIALS_INVALID"
    assert (await tokens[3].refusal(CREATE)).reason == "PERMISSION_REQUIRED"
    (tenant,) = (await root(tenants.ListTenantsRequest(filter=f'uid = "{anna.tenant.hex}"'))).tenants
    await root(tenants.SuspendTenantRequest(name=tenant.name))
    monkeypatch.setattr(clock, "_OFFSET", timedelta(seconds=60))
    assert (await narrowed.refusal(pb.IssueTokenRequest())).reason == "TENANT_SUSPENDED"
    assert (await tokens[3].refusal(LIST)).reason == "TENANT_SUSPENDED"


async def test_a_scope_leaves_what_it_names_and_no_more(anna: Caller) -> None:
    program = await keyed(anna, "catalog-manager", "seller")
    token = await tokened(program, "catalog.products.list", "quoting.*")
    permissions = (await token(WHO)).permissions
    assert "catalog.products.list" in permissions
    assert all(each == "catalog.products.list" or each.startswith("quoting.") for each in permissions)
    await token(LIST)
    assert (await token.refusal(CREATE)).metadata == {"permission": "catalog.products.create"}


async def test_what_is_done_later_in_the_name_of_a_token_is_within_its_scopes(world: World, anna: Caller) -> None:
    token = await tokened(await keyed(anna, "catalog-manager"), "catalog.products.*")
    principal = await world.kernel.authenticator.principal(token.arrival())
    job = Operation.begin("operations/a", "m", WHO, WHO, principal).state.job
    later = Identity(principal.name, anna.tenant, tuple(job.roles), service=job.service, scopes=tuple(job.scopes))
    again = await world.kernel.authenticator.resumed(later)
    assert again.permissions == principal.permissions
    assert all(each.startswith("catalog.products.") for each in again.permissions)


async def test_a_scope_beyond_the_account_is_refused(anna: Caller) -> None:
    program = await keyed(anna, "viewer")
    for scope in ("platform.roles.*", "catalog.products.create", "nonsense", "platform.tenants.*"):
        refusal = await program.refusal(pb.IssueTokenRequest(scopes=["catalog.*", scope]))
        assert (refusal.reason, refusal.metadata) == ("TOKEN_SCOPE_EXCEEDED", {"token_scope": scope})
    for malformed in ("*.*.get", "-catalog.*", "catalog.* quoting.*", "", "a" * 101):
        assert (await program.refusal(pb.IssueTokenRequest(scopes=[malformed]))).reason == "FIELD_INVALID"


KNOWN = frozenset(f"{a}.{b}.{c}" for a in ("catalog", "quoting") for b in ("products", "quotes") for c in ("get", "list"))
PATTERNS = st.sampled_from(sorted({"*", *KNOWN, *(".".join(k.split(".")[:n]) + ".*" for k in KNOWN for n in (1, 2)), "a.*"}))


@given(held=st.frozensets(st.sampled_from(sorted(KNOWN))), scopes=st.lists(PATTERNS, max_size=6))
@settings(max_examples=200)
def test_narrowing_never_widens(held: frozenset[str], scopes: list[str]) -> None:
    left = expand(scopes, held)
    assert left <= held
    assert left == held & expand(scopes, KNOWN)


async def test_a_partner_stays_a_partner(anna: Caller) -> None:
    token = await tokened(await keyed(anna, "partner", partner="partners/north"))
    assert (await token(WHO)).partner == "partners/north"
    assert (await token.refusal(access.ListRolesRequest())).reason in {"PERMISSION_REQUIRED", "CLOSED_TO_PARTNERS"}


async def test_a_wrong_secret_is_answered_like_an_unknown_key_and_audited_where_the_key_is(world: World, anna: Caller) -> None:
    program, stranger = await keyed(anna), await world.caller("admin")
    client, _, secret = program.token.rpartition("_")
    _, _, key_id = client.split("_")
    wrong = Caller(world, anna.tenant, f"{client}_{'0' * 64}")
    unknown = Caller(world, anna.tenant, f"rk_{anna.tenant.hex}_{'0' * 26}_{secret}")
    elsewhere = Caller(world, anna.tenant, f"rk_{stranger.tenant.hex}_{key_id}_{secret}")
    refusals = [await caller.refusal(pb.IssueTokenRequest()) for caller in (wrong, unknown, elsewhere)]
    assert len({refusal.status().SerializeToString() for refusal in refusals}) == 1
    assert refusals[0].reason == "CREDENTIALS_INVALID"
    suspect = f"{await named(program)}/apiKeys/{key_id}"
    entries = await audited(world, anna.tenant)
    assert [entry for entry in entries if entry[2] == "CREDENTIALS_INVALID"] == [(suspect, "IssueToken", "CREDENTIALS_INVALID")]
    assert not await audited(world, stranger.tenant)


async def test_whether_a_key_exists_costs_the_same(world: World, anna: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """One statement and one comparison of hashes, with a key and without: counted, because a clock would tell of the machine."""
    from revops_mesh.platform.access import keys

    seen: list[str] = []
    fetch, matches = world.kernel.authenticator._directory._fetch, keys.matches  # type: ignore[attr-defined]

    async def fetched(tenant: Any, sql: str, *arguments: object) -> Any:
        seen.append("statement")
        return await fetch(tenant, sql, *arguments)

    def matched(secret: str, stored: bytes) -> bool:
        seen.append("hash")
        return matches(secret, stored)

    client = (await keyed(anna)).token.rpartition("_")[0]
    monkeypatch.setattr(world.kernel.authenticator._directory, "_fetch", fetched)  # type: ignore[attr-defined]
    monkeypatch.setattr(keys, "matches", matched)
    for credential in (f"{client}_{'0' * 64}", f"rk_{anna.tenant.hex}_{'0' * 26}_{'0' * 64}"):
        seen.clear()
        await Caller(world, anna.tenant, credential).refusal(WHO)
        assert seen == ["statement", "hash"]


async def test_a_loop_of_wrong_secrets_does_not_silence_the_account(world: World, anna: Caller) -> None:
    program = await keyed(anna)
    client = program.token.rpartition("_")[0]
    for n in range(15):
        await Caller(world, anna.tenant, f"{client}_{n:064}").refusal(WHO)
    await program.refusal(access.CreateRoleRequest())
    assert (await named(program), "CreateRole", "PERMISSION_REQUIRED") in await audited(world, anna.tenant)


async def test_an_installation_without_keys_says_so(world: World, monkeypatch: pytest.MonkeyPatch, anna: Caller) -> None:
    program = await keyed(anna)
    monkeypatch.setattr(world.kernel.authenticator, "issuer", None)
    for request in (pb.IssueTokenRequest(), pb.GetKeySetRequest(), pb.GetAuthorizationServerRequest()):
        assert (await program.refusal(request)).reason == "TOKENS_NOT_ISSUED"


async def test_anyone_may_ask_for_the_public_keys(world: World) -> None:
    for request in (pb.GetKeySetRequest(), pb.GetAuthorizationServerRequest()):
        assert await world.kernel.answer(world.kernel.by_request(request).path, request, Arrival({}))


async def test_a_replay_has_no_token(anna: Caller, world: World, forget: Callable[[], None]) -> None:
    program, request = await keyed(anna), pb.IssueTokenRequest(request_id=str(uuid4()))
    token = (await program(request)).access_token
    assert not (await program(request)).access_token
    for table in ("kernel.replay", "kernel.audit"):
        texts = await world.owner.fetch(f"SELECT t::text AS row FROM {table} t WHERE tenant_id=$1", anna.tenant)
        assert not [row for row in texts if token in row["row"] or token.encode().hex() in row["row"]]
