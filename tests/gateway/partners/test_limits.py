"""Limits on a socket, under load and to the last request; the clock of the buckets stands unless a test moves it."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import tenants_pb2 as tenants

from revops_mesh.gateway.rest import limits
from revops_mesh.gateway.rest.limits import SECOND
from revops_mesh.kernel import clock
from revops_mesh.kernel.names import PLATFORM_TENANT
from tests.gateway.partners import members
from tests.gateway.partners.conftest import Program, program
from tests.gateway.partners.members import Gateway
from tests.world import FREE, TEAM, World

RATES = {
    number: value.GetOptions().Extensions[options.rate]
    for number, value in options.Edition.DESCRIPTOR.values_by_number.items()
    if number
}
FREE_RATE = RATES[FREE]
AT_ONCE = 8
ADDRESS_BURST, ADDRESS_PER_SECOND = 40, 4
"""A fifth of what an address really has, so that it is soon used up."""
ITEM = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ADDRESS_BURST", ADDRESS_BURST)
    monkeypatch.setattr(limits, "ADDRESS_PER_SECOND", ADDRESS_PER_SECOND)


def told(answer: httpx.Response) -> tuple[str, int, int]:
    """Which limit, how many are left, and seconds until it is full."""
    found = ITEM.fullmatch(answer.headers["ratelimit"])
    assert found, answer.headers["ratelimit"]
    return found[1], int(found[2]), int(found[3])


def reason(answer: httpx.Response) -> dict[str, Any]:
    details: list[dict[str, Any]] = answer.json()["error"]["details"]
    return next(each for each in details if each["@type"].endswith("ErrorInfo"))


async def many(client: httpx.AsyncClient, count: int, path: str = "/v1/products") -> Counter[int]:
    """Statuses of so many calls, some of them at the same time."""
    found: Counter[int] = Counter()
    left = iter(range(count))

    async def caller() -> None:
        for _ in left:
            found[(await client.get(path)).status_code] += 1

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return found


def test_every_edition_states_its_rate_and_a_later_one_has_no_less() -> None:
    assert len(RATES) == 4
    ordered = [(r.per_second, r.burst, r.caller_per_second, r.caller_burst) for _, r in sorted(RATES.items())]
    for lower, higher in pairwise(ordered):
        assert all(a <= b for a, b in zip(lower, higher, strict=True))
    for rate in RATES.values():
        assert 0 < rate.caller_per_second <= rate.per_second <= rate.burst
        assert rate.caller_per_second <= rate.caller_burst <= rate.burst
        assert SECOND % rate.per_second == SECOND % rate.caller_per_second == 0, "whole nanoseconds"


async def test_a_caller_gets_exactly_its_burst_and_then_its_rate(gateway: Gateway, world: World) -> None:
    anna = await world.caller(edition=FREE)
    burst, rate = FREE_RATE.caller_burst, FREE_RATE.caller_per_second
    async with gateway.client(anna.token) as client:
        assert await many(client, 3 * burst) == {200: burst, 429: 2 * burst}
        for seconds, more in ((1 / rate, 1), (2 / rate, 2), (0.5 / rate, 0), (0.5 / rate, 1), (3600, burst)):
            gateway.clock.move(seconds)
            assert (await many(client, burst + 5)).get(200, 0) == more


async def test_callers_share_what_their_tenant_has_and_other_tenants_do_not_feel_it(gateway: Gateway, world: World) -> None:
    tenant = await world.tenant(FREE)
    callers = [await world.caller(tenant=tenant, sub=f"users/u{n}") for n in range(4)]
    total: Counter[int] = Counter()
    for caller in callers:
        async with gateway.client(caller.token) as client:
            total += await many(client, FREE_RATE.caller_burst)
    assert total == {200: FREE_RATE.burst, 429: 4 * FREE_RATE.caller_burst - FREE_RATE.burst}
    async with gateway.client(callers[3].token) as client:
        answer = await client.get("/v1/products")
        assert (reason(answer)["reason"], reason(answer)["metadata"]["scope"]) == ("RATE_LIMITED", "tenant")
    async with gateway.client((await world.caller(edition=FREE)).token) as client:
        assert (await client.get("/v1/products")).status_code == 200


async def test_two_credentials_of_one_caller_are_one_caller(gateway: Gateway, world: World, crm: Program) -> None:
    anna = await world.caller(edition=FREE)
    again = world.token(anna.tenant, "admin", expires_in=1800)
    async with gateway.client(anna.token) as client, gateway.client(again) as other:
        await many(client, FREE_RATE.caller_burst)
        assert (await other.get("/v1/products")).status_code == 429
    async with gateway.client(crm.key) as client:
        token = (await client.post("/v1/tokens:issue", json={})).json()["access_token"]
        left = told(await client.get("/v1/products"))[1]
    async with gateway.client(token) as client:
        assert told(await client.get("/v1/products"))[1] == left - 1


async def test_a_refusal_says_when_and_how_much(gateway: Gateway, world: World) -> None:
    anna = await world.caller(edition=FREE)
    async with gateway.client(anna.token) as client:
        await many(client, FREE_RATE.caller_burst)
        answer = await client.get("/v1/products")
    assert answer.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert reason(answer)["metadata"] == {"scope": "caller", "per_second": str(FREE_RATE.caller_per_second)}
    assert answer.headers["retry-after"] == "1"
    retry = next(each for each in answer.json()["error"]["details"] if each["@type"].endswith("RetryInfo"))
    assert retry["retryDelay"] == f"{1 / FREE_RATE.caller_per_second:.3f}s"
    assert told(answer) == ("caller", 0, FREE_RATE.caller_burst // FREE_RATE.caller_per_second)


async def test_every_answer_has_the_headers(gateway: Gateway, world: World) -> None:
    anna = await world.caller(edition=FREE)
    policy = (
        f'"caller";q={FREE_RATE.caller_burst};w={FREE_RATE.caller_burst // FREE_RATE.caller_per_second}, '
        f'"tenant";q={FREE_RATE.burst};w={FREE_RATE.burst // FREE_RATE.per_second}'
    )
    async with gateway.client(anna.token) as client:
        made = await client.post("/v1/products", json={"displayName": "Seat", "family": "core"})
        path = f"/v1/{made.json()['name']}"
        answers = [
            made,
            await client.get(path),
            await client.get(path, headers={"if-none-match": made.headers["etag"]}),
            await client.get("/v1/products/none"),
            await client.get("/v1/products?pageSize=x"),
            await client.get("/nowhere"),
            await client.put("/v1/products"),
            await client.options("/v1/products"),
            await client.head(path),
            await client.get("/v1/auditEntries:stream?stopAtEnd=true"),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 304, 404, 400, 404, 405, 204, 200, 200]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {policy}
    assert [told(answer)[1] for answer in answers] == [FREE_RATE.caller_burst - n for n in range(1, len(answers) + 1)]
    async with gateway.client() as client:
        for path in ("/docs", "/openapi.json", "/oauth2/token", "/v1/products", "/.well-known/jwks.json"):
            answer = await client.get(path)
            assert answer.headers["ratelimit-policy"] == f'"address";q={ADDRESS_BURST};w={ADDRESS_BURST // ADDRESS_PER_SECOND}'
            assert told(answer)[0] == "address"


async def test_health_is_never_refused(gateway: Gateway) -> None:
    async with gateway.client() as client:
        assert await many(client, 2 * ADDRESS_BURST, "/healthz") == {200: 2 * ADDRESS_BURST}
        assert (await many(client, ADDRESS_BURST + 5, "/v1/products"))[429] == 5
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("credential", ["", "garbage", "rk_x", f"rk_{'0' * 32}_x_{'0' * 64}"])
async def test_an_address_without_sound_credentials_is_limited(gateway: Gateway, credential: str, world: World) -> None:
    async with gateway.client(credential) as client:
        assert await many(client, ADDRESS_BURST + 20) == {401: ADDRESS_BURST, 429: 20}
        answer = await client.get("/v1/products")
        assert (answer.headers["retry-after"], reason(answer)["metadata"]["scope"]) == ("1", "address")
        gateway.clock.move(1)
        assert (await many(client, 2 * ADDRESS_PER_SECOND))[401] == ADDRESS_PER_SECOND


async def test_token_requests_count_for_their_address(gateway: Gateway, crm: Program) -> None:
    form = {"grant_type": "client_credentials", "client_id": crm.client, "client_secret": "0" * 64}
    async with gateway.client() as client:
        await many(client, ADDRESS_BURST - 2, "/docs")
        statuses = [(await client.post("/oauth2/token", data=form)).status_code for _ in range(4)]
    assert statuses == [401, 401, 429, 429]


async def test_a_known_caller_is_served_where_strangers_are_not(gateway: Gateway, world: World) -> None:
    anna = await world.caller()
    async with gateway.client(anna.token) as client, gateway.client("garbage") as stranger:
        assert (await client.get("/v1/products")).status_code == 200
        await many(stranger, ADDRESS_BURST)
        assert (await stranger.get("/v1/products")).status_code == 429
        assert (await client.get("/v1/products")).status_code == 200


async def test_sound_credentials_cost_their_address_nothing(gateway: Gateway, world: World) -> None:
    tokens = [(await world.caller(sub=f"users/u{n}")).token for n in range(5)]
    for token in tokens:
        async with gateway.client(token) as client:
            await client.get("/v1/products")
    async with gateway.client() as client:
        assert told(await client.get("/docs"))[1] == ADDRESS_BURST - 1


async def test_forwarded_addresses_count_only_from_trusted_proxies(gateway: Gateway) -> None:
    """The gateway trusts 127.0.0.1, from where the test calls."""

    async def left(*forwarded: str) -> int:
        async with gateway.client() as client:
            headers: Sequence[tuple[str, str]] = [("x-forwarded-for", each) for each in forwarded]
            return told(await client.get("/docs", headers=list(headers)))[1] - ADDRESS_BURST

    assert await left("192.0.2.1") == await left("192.0.2.2") == -1
    assert await left("192.0.2.1") == -2
    assert await left("198.51.100.7, 192.0.2.1") == -3, "what a client itself says of others does not count"
    assert await left("192.0.2.1, 127.0.0.1") == -4, "a chain of trusted proxies"
    assert await left("::ffff:192.0.2.1") == -5
    assert await left("2001:db8:1:2::1") == -1
    assert await left("2001:db8:1:2:ffff::9") == -2, "one customer has 64 bits"
    assert await left("2001:db8:1:3::1") == -1
    assert await left("fe80::1%eth0") == await left("fe80::2%eth1") + 1 == -1, "a zone does not matter"
    assert await left() == -1
    for nonsense in ("", "garbage", "1.2.3.4:80", ",", "127.0.0.1"):
        before = await left()
        assert await left(nonsense) == before - 1, "then it is the proxy's own"


async def test_an_untrusted_neighbour_cannot_speak_for_others(doors: dict[str, Any]) -> None:
    async with members.gateway(doors["channel"], "10.0.0.0/8") as closed, closed.client() as client:
        seen = [told(await client.get("/docs", headers={"x-forwarded-for": f"192.0.2.{n}"}))[1] for n in range(3)]
    assert seen == [ADDRESS_BURST - n for n in (1, 2, 3)]


async def test_a_change_of_edition_is_noticed(gateway: Gateway, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, root = await world.caller(edition=FREE), await world.caller("platform-admin", tenant=PLATFORM_TENANT)
    async with gateway.client(anna.token) as client:
        await many(client, FREE_RATE.caller_burst)
        assert (await client.get("/v1/products")).status_code == 429
        (tenant,) = (await root(tenants.ListTenantsRequest(filter=f'uid = "{anna.tenant.hex}"'))).tenants
        await root(tenants.UpdateTenantRequest(tenant=tenants.Tenant(name=tenant.name, edition=TEAM)))
        monkeypatch.setattr(clock, "_OFFSET", timedelta(seconds=31))
        gateway.clock.move(16)
        answer = await client.get("/v1/products")
    assert answer.status_code == 200
    assert f"q={RATES[TEAM].caller_burst}" in answer.headers["ratelimit-policy"]


async def test_an_outage_is_no_wrong_credential(doors: dict[str, Any], world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: Any) -> Any:
        raise OSError("the store is gone")

    anna = await world.caller()
    async with members.gateway(doors["in process"]) as gateway, gateway.client(anna.token) as client:
        with monkeypatch.context() as outage:
            outage.setattr(world.kernel.authenticator._directory, "_fetch", down)  # type: ignore[attr-defined]
            outage.setattr(world.kernel.authenticator, "_remembered", {})
            outage.setattr(world.kernel.authenticator._directory, "_kept", {})  # type: ignore[attr-defined]
            assert (await client.get("/v1/products")).status_code == 503
        assert told(await client.get("/v1/products")) == ("caller", RATES[4].caller_burst - 1, 1)
        async with gateway.client() as stranger:
            assert told(await stranger.get("/docs"))[1] == ADDRESS_BURST - 1


async def test_a_program_s_limits_are_its_tenant_s(gateway: Gateway, world: World) -> None:
    small = await program(await world.caller("admin", edition=TEAM))
    async with gateway.client(small.key) as client:
        answer = await client.get("/v1/products")
    assert told(answer)[1] == RATES[TEAM].caller_burst - 1
