"""Certificates, authorities, keys and members are replaced under load, and no call of an ordinary client is lost."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import msgspec
import pytest
from revops.platform.v1 import access_pb2 as access

from revops_mesh.local.ports import free_port
from revops_mesh.runtime.keys import ISSUER, DevelopmentIssuer
from tests.bench.world import stock
from tests.mesh.authorities import TRUST_DOMAIN, Authority, spiffe, written
from tests.mesh.load import ROOT, Orders, Outcome
from tests.runtime.calling import Running, member_process, secret
from tests.world import World

SELLERS = 4
SERVICES = ",".join(f"ns/revops/sa/{name}=capabilities/{name}" for name in ("quoting", "catalog", "platform"))
READY = 3.0
"""Seconds a member has served before another is stopped: clients look for it again every 2 s."""
STEP = 0.8
"""Seconds of load between two steps; peers look for new files every second."""


class Load:
    """The load process while it runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process, self.outcome = process, Outcome()

    @classmethod
    @asynccontextmanager
    async def under(cls, orders: Orders, folder: Path) -> AsyncIterator["Load"]:
        """Load inside the block; at its end every call is either answered or lost."""
        path = folder / "orders.json"
        path.write_bytes(msgspec.json.encode(orders))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.mesh.load", str(path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        load = cls(process)
        assert process.stdout is not None
        try:
            assert await asyncio.wait_for(process.stdout.readline(), 60) == b"begun\n"
            yield load
            process.send_signal(signal.SIGTERM)
            output, _ = await asyncio.wait_for(process.communicate(), 60)
            load.outcome = Outcome(**json.loads(output))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


class Shop:
    """A tenant with something for sale, and files with the credentials of its sellers."""

    def __init__(self, world: World, tenant: UUID, folder: Path) -> None:
        self.world, self.tenant, self.folder = world, tenant, folder
        self.plans: list[str] = []
        self.files = [folder / f"credential-{n}" for n in range(SELLERS)]
        self.account = ""

    @classmethod
    async def open(cls, world: World, folder: Path) -> "Shop":
        """Made in this process, whatever else serves the database."""
        shop = cls(world, await world.tenant(), folder)
        shop.plans = await stock(await world.caller(tenant=shop.tenant), 2)
        return shop

    def orders(self, address: str, *, secure: bool = False) -> Orders:
        """What the load is told to do, by mutual TLS if `secure`."""
        tls = {"roots": str(self.folder / "trusted.pem"), "pair": str(self.folder / "client.both")} if secure else {}
        return Orders(address, [str(file) for file in self.files], self.plans, **tls)

    def tokens(self, issuer: DevelopmentIssuer, files: int = SELLERS) -> None:
        """Gives the last so many sellers fresh tokens."""
        for n, file in enumerate(self.files[-files:]):
            written(file, issuer.issue(f"users/s{n}", self.tenant, ["seller"]).encode())

    async def key(self) -> str:
        """Gives the first seller a new API key; its name."""
        anna = await self.world.caller(tenant=self.tenant)
        if not self.account:
            account = access.ServiceAccount(display_name="Shop", roles=["seller"])
            self.account = (await anna(access.CreateServiceAccountRequest(service_account=account))).name
        key = await anna(access.CreateApiKeyRequest(parent=self.account, api_key=access.ApiKey()))
        written(self.files[0], key.secret.encode())
        return str(key.name)

    async def quotes(self) -> int:
        """How many there are."""
        return int(await self.world.owner.fetchval("SELECT count(*) FROM quoting.quotes WHERE tenant_id=$1", self.tenant))


def authority_file(folder: Path, *authorities: Authority) -> None:
    """The authorities that everybody trusts from now on."""
    written(folder / "trusted.pem", b"".join(each.pem for each in authorities))


def certificates(authority: Authority, *names: str) -> None:
    """New certificates for members and the client, the two files of a member one after the other."""
    for name in names:
        authority.issue(name, spiffe(f"ns/revops/sa/{name}"))
    pair = authority.issue("client")
    written(authority.directory / "client.both", b"".join(pair))


def environ(folder: Path, world: World, jwks: Path, name: str) -> dict[str, str]:
    """The settings of a member with mutual TLS."""
    files = {"TLS_CERT": f"{name}.pem", "TLS_KEY": f"{name}.key", "TLS_CLIENT_CA": "trusted.pem"}
    return {
        "REVOPS_DATABASE_URL": world.dsn,
        "REVOPS_ISSUER": ISSUER,
        "REVOPS_JWKS": str(jwks),
        "REVOPS_PAGE_TOKEN_SECRETS": secret(),
        "REVOPS_SPIFFE_TRUST_DOMAIN": TRUST_DOMAIN,
        "REVOPS_SERVICES": SERVICES,
        "REVOPS_POOL_SIZE": "10",
        "REVOPS_ADMIN_ADDRESS": "127.0.0.1:0",
        **{f"REVOPS_{key}": str(folder / file) for key, file in files.items()},
    }


@pytest.mark.timeout(180)
async def test_a_rotation_of_everything_under_load_loses_no_call(world: World, tmp_path: Path) -> None:
    """A member that sells asks one that prices; both, the client and the issuer change all they have."""
    old_issuer, new_issuer = DevelopmentIssuer(tmp_path / "old-keys"), DevelopmentIssuer(tmp_path / "new-keys")
    jwks, shop, old = tmp_path / "jwks.json", await Shop.open(world, tmp_path), Authority(tmp_path, "old")
    authority_file(tmp_path, old)
    certificates(old, "quoting", "catalog")
    publish(jwks, old_issuer)
    shop.tokens(old_issuer)
    first_key = await shop.key()
    with two_members(tmp_path, world, jwks) as (pricing, selling):
        async with Load.under(shop.orders(selling.address, secure=True), tmp_path) as load:
            new = Authority(tmp_path, "new")
            for step in (
                lambda: certificates(old, "quoting", "catalog"),
                lambda: authority_file(tmp_path, old, new),
                lambda: certificates(new, "quoting", "catalog"),
                lambda: authority_file(tmp_path, new),
                lambda: publish(jwks, old_issuer, new_issuer),
                lambda: shop.tokens(new_issuer, SELLERS - 1),
                lambda: publish(jwks, new_issuer),
            ):
                await asyncio.sleep(STEP)
                step()
            assert await shop.key() != first_key
            anna = await world.caller(tenant=shop.tenant)
            await anna(access.DeleteApiKeyRequest(name=first_key))
            await asyncio.sleep(2 * STEP)
        with pytest.raises(grpc.aio.AioRpcError):
            await shown(selling.address, old)
        await shown(selling.address, new)
        served = {name: outcomes(running) for name, running in (("selling", selling), ("pricing", pricing))}
    print(f"{load.outcome.answered} calls over {load.outcome.channels} channels; {served}")
    assert load.outcome.lost == []
    assert load.outcome.answered == await shop.quotes() > 100
    assert load.outcome.channels > 3 * SELLERS
    for of in served.values():  # a token of an unknown key has the keys read, and is then let in
        assert of["OK"] == load.outcome.answered
        assert of.keys() <= {"OK", "CREDENTIALS_INVALID"}


@contextmanager
def two_members(folder: Path, world: World, jwks: Path) -> Iterator[tuple[Running, Running]]:
    """One that prices, and one that sells and asks it."""
    pricing = {"REVOPS_ONLY": "catalog,platform", "REVOPS_GRPC_ADDRESS": f"localhost:{free_port()}"}
    asked = ",".join(f"{name}={pricing['REVOPS_GRPC_ADDRESS']}" for name in ("catalog", "platform"))
    selling = {"REVOPS_ONLY": "quoting", "REVOPS_GRPC_ADDRESS": f"localhost:{free_port()}", "REVOPS_PEERS": asked}
    with member_process(environ(folder, world, jwks, "catalog"), **pricing) as first:
        with member_process(environ(folder, world, jwks, "quoting"), **selling) as second:
            yield first, second


async def shown(address: str, authority: Authority) -> None:
    """Shakes hands with what an authority has signed, and trusts it alone."""
    pair = authority.issue("visitor")
    credentials = grpc.ssl_channel_credentials(authority.pem, pair[1], pair[0])
    async with grpc.aio.secure_channel(address, credentials) as channel:
        await channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=10)


def outcomes(running: Running) -> dict[str, int]:
    """How often each outcome of calls was logged; that the use of a key is noted beside them is no call."""
    found: dict[str, int] = {}
    for record in running.records():
        if record.get("message") == "rpc" and not record["method"].endswith(".NoteApiKeyUse"):
            found[record["outcome"]] = found.get(record["outcome"], 0) + 1
    return found


def publish(path: Path, *issuers: DevelopmentIssuer) -> None:
    """The issuer's key set holds the keys of these from now on."""
    keys: list[Any] = [json.loads(issuer.jwks.read_text())["keys"][0] for issuer in issuers]
    written(path, json.dumps({"keys": keys}).encode())


@pytest.mark.timeout(180)
async def test_members_that_are_stopped_and_started_in_turn_under_load_lose_no_call(
    world: World, environ_of_members: dict[str, str], issuer: DevelopmentIssuer, tmp_path: Path
) -> None:
    shop, ports = await Shop.open(world, tmp_path), [free_port(), free_port()]
    shop.tokens(issuer)
    address = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
    own = [{**environ_of_members, "REVOPS_GRPC_ADDRESS": f"127.0.0.1:{port}", "REVOPS_DRAIN_SECONDS": "1"} for port in ports]
    lives: list[Running] = []
    with ExitStack() as stack:
        running = [stack.enter_context(member_process(each)) for each in own]
        lives += running
        async with Load.under(shop.orders(address), tmp_path) as load:
            for turn in range(2):
                for each in running:
                    await asyncio.to_thread(each.await_line, '"outcome":"OK"', 30.0)
                await asyncio.sleep(READY)
                assert await asyncio.to_thread(running[turn % 2].stop) == 0
                started = await asyncio.to_thread(stack.enter_context, member_process(own[turn % 2]))
                running[turn % 2] = started
                lives.append(started)
            await asyncio.to_thread(running[1].await_line, '"outcome":"OK"', 30.0)
    served = [outcomes(each) for each in lives]
    print(f"{load.outcome.answered} calls over {load.outcome.channels} channels; {served}")
    assert load.outcome.lost == []
    assert load.outcome.answered == await shop.quotes() > 100
    assert sum(each["OK"] for each in served) == load.outcome.answered, "none was made twice"
