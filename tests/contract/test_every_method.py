"""Who may not call a method is told so before anything else is looked at, for every method and every kind of caller."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message
from joserfc import jwt
from joserfc.jwk import ECKey
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import tenants_pb2 as tenants

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import PLATFORM_TENANT, new_id
from tests.contract import people
from tests.contract.methods import Method, attempt, each, guarded, of_installation, owner_of, public, refusal, rowless
from tests.contract.stories import STORIES
from tests.world import AUDIENCE, ISSUER, Caller, World

FOREIGN_KEY = ECKey.generate_key("P-256")


async def refused_at_the_door(caller: Caller, method: Method) -> Failure:
    """The refusal of an empty request: only what comes before its shape can refuse it so."""
    return await refusal(caller, method, method.request())


def claims(world: World, caller: Caller, **other: Any) -> dict[str, Any]:
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "users/eve",
        "tenant": caller.tenant.hex,
        "roles": ["admin"],
        "exp": int(clock.unix()) + 3600,
        **other,
    }


def unsigned(payload: dict[str, Any]) -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, payload))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def signed(payload: dict[str, Any], key: Any, alg: str = "ES256") -> str:
    return jwt.encode({"alg": alg}, payload, key, algorithms=[alg])


def of_tenants(method: Method) -> bool:
    return guarded(method) and not of_installation(method)


Forging = Callable[[World, Caller], str]
FORGERIES: dict[str, tuple[Forging, str]] = {
    "nothing": (lambda world, caller: "", "CREDENTIALS_MISSING"),
    "no bearer": (lambda world, caller: f"Basic {caller.token}", "CREDENTIALS_INVALID"),
    "garbage": (lambda world, caller: "Bearer garbage", "CREDENTIALS_INVALID"),
    "huge": (lambda world, caller: "Bearer " + "a" * 100_000, "CREDENTIALS_INVALID"),
    "no such key": (lambda world, caller: f"Bearer rk_{caller.tenant.hex}_{'0' * 26}_{'0' * 64}", "CREDENTIALS_INVALID"),
    "unsigned": (lambda world, caller: f"Bearer {unsigned(claims(world, caller))}", "CREDENTIALS_INVALID"),
    "foreign key": (lambda world, caller: f"Bearer {signed(claims(world, caller), FOREIGN_KEY)}", "CREDENTIALS_INVALID"),
    "expired": (
        lambda world, caller: f"Bearer {signed(claims(world, caller, exp=int(clock.unix()) - 60), world.key)}",
        "CREDENTIALS_EXPIRED",
    ),
    "wrong issuer": (
        lambda world, caller: f"Bearer {signed(claims(world, caller, iss='https://evil.test'), world.key)}",
        "CREDENTIALS_INVALID",
    ),
    "wrong audience": (
        lambda world, caller: f"Bearer {signed(claims(world, caller, aud='other'), world.key)}",
        "CREDENTIALS_INVALID",
    ),
    "no such tenant": (
        lambda world, caller: f"Bearer {signed(claims(world, caller, tenant='0' * 31 + '2'), world.key)}",
        "CREDENTIALS_INVALID",
    ),
    "changed": (lambda world, caller: f"Bearer {caller.token[:-4]}AAAA", "CREDENTIALS_INVALID"),
}


@each(lambda method: not method.policy.anonymous)
async def test_without_sound_credentials_nobody_is_let_in(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    for forgery, (forge, reason) in FORGERIES.items():
        header = forge(world, owner)
        arrival = Arrival({"authorization": header} if header else {})
        with pytest.raises(Failure) as caught:
            await first_answer(world, method, arrival)
        assert caught.value.reason == reason, f"{forgery}: {caught.value}"


async def first_answer(world: World, method: Method, arrival: Arrival) -> Message:
    if method.streams:
        return await anext(world.kernel.stream(method.path, method.request(), arrival))
    return await world.kernel.answer(method.path, method.request(), arrival)


@each(guarded)
async def test_whoever_lacks_the_permission_is_refused_before_shape_and_existence(method: Method, world: World) -> None:
    permission = method.policy.permission
    if of_installation(method):
        other = await world.caller("admin", "seller", tenant=PLATFORM_TENANT)
    else:
        other = await people.lacking(world, await world.tenant(), permission)
    refused = await refused_at_the_door(other, method)
    assert (refused.reason, refused.metadata) == ("PERMISSION_REQUIRED", {"permission": permission})


@each(of_tenants)
async def test_the_permission_alone_lets_a_caller_in(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    only = await people.holding(world, owner.tenant, {method.policy.permission})
    outcome = await attempt(only, method, request)
    if isinstance(outcome, Failure):  # a field of the request, or what it grants, needs a permission too
        assert outcome.reason in {"PERMISSION_REQUIRED", "ROLE_EXCEEDS_CALLER"}, outcome
        assert outcome.metadata["permission"] != method.policy.permission


@each(of_installation)
async def test_what_the_installation_owns_is_closed_to_tenants(method: Method, world: World) -> None:
    tenant_admin = await world.caller("admin", "platform-admin")
    refused = await refused_at_the_door(tenant_admin, method)
    assert (refused.reason, refused.metadata) == ("PERMISSION_REQUIRED", {"permission": method.policy.permission})


@each(lambda method: method.internal)
async def test_nobody_calls_an_internal_method(method: Method, world: World) -> None:
    everybody = [
        await world.caller("admin"),
        await world.caller("admin", "platform-admin", tenant=PLATFORM_TENANT),
        await world.caller("admin", service=True, sub=f"services/{method.capability}"),
    ]
    for caller in everybody:
        request = await STORIES[method.full_name](world, await world.caller("admin"))
        with pytest.raises(Failure) as caught:
            await world.kernel.answer(method.path, request, caller.arrival())
        assert (caught.value.reason, caught.value.metadata) == ("METHOD_INTERNAL", {"method": method.full_name})


def short(edition: int) -> str:
    name: str = options.Edition.Name(edition)  # type: ignore[arg-type]
    return name.removeprefix("EDITION_")


@each(lambda method: method.policy.edition > options.EDITION_FREE)
async def test_a_lower_edition_is_refused_and_told_which_it_needs(method: Method, world: World) -> None:
    for edition in range(options.EDITION_FREE, method.policy.edition):
        refused = await refused_at_the_door(await world.caller(edition=edition), method)
        expected = {"required": short(method.policy.edition), "edition": short(edition)}
        assert (refused.reason, refused.metadata) == ("EDITION_REQUIRED", expected)


@each(lambda method: public(method) and not rowless(method))
async def test_the_least_edition_is_enough(method: Method, world: World) -> None:
    least = max(method.policy.edition, options.EDITION_FREE)
    caller = await owner_of(world, method, least)
    outcome = await attempt(caller, method, method.request())
    assert not isinstance(outcome, Failure) or outcome.reason == "FIELD_INVALID", outcome


@each(of_tenants)
async def test_a_suspended_tenant_is_shut_out(method: Method, world: World) -> None:
    owner = await world.caller(sub=f"users/{new_id()}")
    row = await world.owner.fetchrow("SELECT name, body FROM platform.tenants WHERE uid=$1", owner.tenant.hex)
    state = tenants.Tenant.FromString(row["body"])
    state.state = tenants.Tenant.STATE_SUSPENDED
    await world.owner.execute("UPDATE platform.tenants SET body=$2 WHERE name=$1", row["name"], state.SerializeToString())
    refused = await refused_at_the_door(owner, method)
    assert refused.reason == "TENANT_SUSPENDED"
