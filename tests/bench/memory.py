"""What a member weighs: the process of `revops serve` with all modules and all its background work, after load."""

import asyncio
import json
import os
import sys
from pathlib import Path

from joserfc.jwk import KeySet

from revops_mesh.local.installation import Installation
from revops_mesh.local.nats import Nats
from revops_mesh.local.ports import free_port
from tests.bench import synthetic
from tests.bench.measure import Line
from tests.bench.quotes import CREATES, GETS, LISTS, reads, stored
from tests.bench.server import SERVICE
from tests.bench.world import DATABASE, Bench, Server, stop

MOST = 150.0
"""MB."""
TOKENS = 300
READY_SECONDS = 30.0


async def memory(bench: Bench, rounds: int) -> list[Line]:
    """Resident memory when it serves, and after some thousand calls with several hundred tokens."""
    tenant = await bench.world.tenant()
    creates = await stored(bench, tenant)
    member = await whole_member(bench)
    before = resident(member.pid)
    callers = [bench.headers(tenant) for _ in range(TOKENS)]
    gets, lists, _ = await reads(member, callers[0])
    load = [
        (member.variant("creates", f"{SERVICE}/CreateQuote", creates, *callers), CREATES),
        (member.variant("gets", f"{SERVICE}/GetQuote", gets, *callers), GETS),
        (member.variant("lists", f"{SERVICE}/ListQuotes", lists, *callers), LISTS),
    ]
    for _ in range(rounds):
        for each, calls in load:
            await each.round(calls)
    after, calls = resident(member.pid), sum(calls for _, calls in load) * rounds
    detail = f"{after:.0f} MB  ({before:.0f} MB before {calls} calls)"
    return [Line("resident memory of a whole member after load", detail, f"≤ {MOST:.0f} MB", after <= MOST)]


async def whole_member(bench: Bench, **settings: str) -> Server:
    """A member as operators start it, with what else is set."""
    port = free_port()
    nats, keys = bench.stack.enter_context(Nats(bench.folder / f"nats-{port}")), bench.folder / "jwks.json"
    keys.write_text(json.dumps(KeySet([bench.key]).as_dict(private=False)))
    own = {
        "REVOPS_DATABASE_URL": bench.postgres.dsn(DATABASE),
        "REVOPS_NATS_URL": nats.url,
        "REVOPS_GRPC_ADDRESS": f"127.0.0.1:{port}",
        "REVOPS_ADMIN_ADDRESS": f"127.0.0.1:{free_port()}",
        "REVOPS_ISSUER": synthetic.ISSUER,
        "REVOPS_AUDIENCE": synthetic.AUDIENCE,
        "REVOPS_JWKS": str(keys),
        "REVOPS_PAGE_TOKEN_SECRETS_FILE": str(Installation(bench.folder).page_token_secret()),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "revops_mesh.cli", "serve", env=os.environ | own | settings, stdout=asyncio.subprocess.DEVNULL
    )
    server = Server(process, f"127.0.0.1:{port}", float)
    bench.stack.push_async_callback(stop, process, server.channel)
    async with asyncio.timeout(READY_SECONDS):
        await server.channel.channel_ready()
    return server


def resident(pid: int) -> float:
    """Resident memory of a process, MB of 1,000,000 bytes."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) * 1024 / 1e6
