"""`revops gateway` and `revops serve --rest` as processes: they answer, log, refuse wrong settings, and end without a loss."""

import asyncio
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import pytest

from revops_mesh.gateway.settings import GatewaySettings
from revops_mesh.local.ports import free_port
from revops_mesh.runtime.keys import DevelopmentIssuer
from revops_mesh.runtime.variables import SettingsError
from tests.gateway.calling import CLI, Load, asked, process
from tests.mesh.authorities import Authority
from tests.runtime.calling import ROOT, Running, member_process
from tests.world import World

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
SERVING = '"message":"serving'


def http() -> str:
    return f"127.0.0.1:{free_port()}"


async def token(world: World, issuer: DevelopmentIssuer, tenant: UUID | None = None) -> str:
    return issuer.issue("users/anna", tenant or await world.tenant(), ["admin"])


async def products(world: World, tenant: UUID) -> int:
    return int(await world.owner.fetchval("SELECT count(*) FROM catalog.products WHERE tenant_id=$1", tenant))


async def test_a_gateway_answers_for_its_member_and_logs_with_the_trace(
    serving: Running, world: World, issuer: DevelopmentIssuer
) -> None:
    address, bearer = http(), f"Bearer {await token(world, issuer)}"
    with process(SERVING, {"REVOPS_HTTP_ADDRESS": address, "REVOPS_MEMBER": serving.address}, "gateway") as gateway:
        assert (await asyncio.to_thread(asked, address, "GET", "/healthz"))[::2] == (200, {"status": "SERVING"})
        status, headers, created = await asyncio.to_thread(
            asked, address, "POST", "/v1/products", {"displayName": "Vault"}, authorization=bearer, traceparent=TRACE
        )
        assert (status, headers["etag"], created["displayName"]) == (200, '"1"', "Vault")
        status, _, refusal = await asyncio.to_thread(asked, address, "GET", "/v1/products/none", authorization=bearer)
        assert (status, refusal["error"]["details"][0]["reason"]) == (404, "RESOURCE_NOT_FOUND")
        assert await asyncio.to_thread(gateway.stop) == 0
    lines = [line for line in gateway.records() if line.get("method")]
    assert [(line["method"].rpartition(".")[2], line["outcome"], line["trace"]) for line in lines[1:]] == [
        ("CreateProduct", "OK", TRACE),
        ("GetProduct", "RESOURCE_NOT_FOUND", ""),
    ]
    assert bearer not in "".join(gateway.lines)
    assert any(line.get("trace") == TRACE for line in serving.records()), "the member's line has the same trace"


async def test_without_a_member_the_gateway_says_when_to_repeat(world: World, issuer: DevelopmentIssuer) -> None:
    address = http()
    with process(SERVING, {"REVOPS_HTTP_ADDRESS": address, "REVOPS_MEMBER": http()}, "gateway"):
        assert (await asyncio.to_thread(asked, address, "GET", "/healthz"))[0] == 200, "peers never count"
        status, headers, refusal = await asyncio.to_thread(asked, address, "GET", "/v1/products")
        assert (status, headers["retry-after"]) == (503, "1")
        assert refusal["error"]["details"][0]["reason"] == "MEMBER_UNAVAILABLE"


async def test_a_gateway_reaches_its_member_by_mutual_tls(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "authority")
    for name in ("member", "gateway"):
        authority.issue(name)
    ca, port, address = str(tmp_path / "authority.pem"), free_port(), http()
    tls = {f"REVOPS_TLS_{what}": str(tmp_path / f"member.{suffix}") for what, suffix in (("CERT", "pem"), ("KEY", "key"))}
    shown = {f"REVOPS_MEMBER_{what}": str(tmp_path / f"gateway.{suffix}") for what, suffix in (("CERT", "pem"), ("KEY", "key"))}
    with member_process(environ, **tls, REVOPS_TLS_CLIENT_CA=ca, REVOPS_GRPC_ADDRESS=f"127.0.0.1:{port}"):
        own = {"REVOPS_HTTP_ADDRESS": address, "REVOPS_MEMBER": f"https://localhost:{port}", "REVOPS_MEMBER_CA": ca}
        with process(SERVING, {**own, **shown}, "gateway"):
            bearer = f"Bearer {await token(world, issuer)}"
            assert (await asyncio.to_thread(asked, address, "GET", "/v1/products", authorization=bearer))[0] == 200


async def test_a_gateway_that_stops_under_load_loses_no_call(serving: Running, world: World, issuer: DevelopmentIssuer) -> None:
    tenant, addresses = await world.tenant(), [http(), http()]
    own = {"REVOPS_MEMBER": serving.address, "REVOPS_DRAIN_SECONDS": "1"}
    with process(SERVING, {**own, "REVOPS_HTTP_ADDRESS": addresses[0]}, "gateway") as first:
        with process(SERVING, {**own, "REVOPS_HTTP_ADDRESS": addresses[1]}, "gateway"):
            load = Load(addresses, await token(world, issuer, tenant))
            async with load.running():
                await load.grow()
                assert await asyncio.to_thread(first.stop) == 0
                await load.grow()
    assert await products(world, tenant) == load.answered, "every answered call is there exactly once"
    codes = {line["outcome"] for line in first.records() if line.get("method")}
    assert codes == {"OK"}, "none that arrived was refused"


async def test_a_member_that_stops_behind_a_gateway_loses_no_call(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer
) -> None:
    """The gateway says 503 while nobody is there, and its clients repeat with the same key."""
    tenant, address, port = await world.tenant(), http(), free_port()
    where = {"REVOPS_GRPC_ADDRESS": f"127.0.0.1:{port}"}
    with ExitStack() as running:
        running.enter_context(process(SERVING, {"REVOPS_HTTP_ADDRESS": address, "REVOPS_MEMBER": f"127.0.0.1:{port}"}, "gateway"))
        first = running.enter_context(member_process(environ, **where))
        load = Load([address], await token(world, issuer, tenant))
        async with load.running():
            await load.grow()
            assert await asyncio.to_thread(first.stop) == 0
            running.enter_context(member_process(environ, **where))
            await load.grow()
    assert load.repeated > 0
    assert await products(world, tenant) == load.answered, "every answered call is there exactly once"


async def test_a_member_serves_rest_in_its_own_process_and_drains_both_doors(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer
) -> None:
    tenant, address = await world.tenant(), http()
    own = {"REVOPS_GRPC_ADDRESS": http(), "REVOPS_ADMIN_ADDRESS": http(), "REVOPS_ROLES": "rpc", "REVOPS_DRAIN_SECONDS": "1"}
    with process("methods on", {**environ, **own}, "serve", "--rest", address) as member:
        bearer = f"Bearer {await token(world, issuer, tenant)}"
        status, _, created = await asyncio.to_thread(
            asked, address, "POST", "/v1/products", {"displayName": "Vault"}, authorization=bearer, traceparent=TRACE
        )
        assert (status, created["displayName"]) == (200, "Vault")
        assert (await asyncio.to_thread(asked, address, "GET", "/healthz"))[0] == 200
        stopping = asyncio.create_task(asyncio.to_thread(member.stop))
        await asyncio.sleep(0.3)
        status, headers, _ = await asyncio.to_thread(asked, address, "GET", "/healthz")
        assert (status, headers["connection"]) == (503, "close")
        assert (await asyncio.to_thread(asked, address, "GET", "/v1/products", authorization=bearer))[0] == 200
        assert await stopping == 0
    lines = [line for line in member.records() if line.get("method")]
    assert [line["trace"] for line in lines if line["method"].endswith("CreateProduct")] == [TRACE]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"REVOPS_HTTP_ADDRESS": "8080"}, "REVOPS_HTTP_ADDRESS: expected host:port, got '8080'"),
        ({"REVOPS_MEMBER": "http://x:1"}, "REVOPS_MEMBER: expected host:port, or https://host:port for TLS"),
        ({"REVOPS_CORS_ORIGINS": "app.example"}, "REVOPS_CORS_ORIGINS: expected origins as in https://app.example"),
        ({"REVOPS_TLS_KEY": __file__}, "REVOPS_TLS_CERT: required"),
        ({"REVOPS_MEMBER_CERT": __file__, "REVOPS_MEMBER_KEY": __file__}, "REVOPS_MEMBER: must start with https://"),
    ],
)  # fmt: skip
def test_wrong_settings_are_told_in_words(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        GatewaySettings.read(wrong)
    (problem,) = refused.value.problems
    assert problem.startswith(told)


def test_an_address_that_cannot_be_served_is_told_in_one_line() -> None:
    environ = {**os.environ, "PYTHONPATH": "src:generated", "REVOPS_HTTP_ADDRESS": "192.0.2.1:80"}
    argv = [sys.executable, "-m", CLI, "gateway"]
    ran = subprocess.run(argv, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert ran.stderr.startswith("revops: cannot serve HTTP on 192.0.2.1:80: ")
    assert "Traceback" not in ran.stderr
