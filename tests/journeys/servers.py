"""The servers of a fault journey: PostgreSQL, NATS, a member and its workers, each a process that may be killed and comes back.

Times are seconds.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from revops.catalog.v1 import price_books_pb2 as books
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import tenants_pb2 as tenants

from revops_mesh.kernel import clock
from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.local import ports
from revops_mesh.local.calls import Member, member_at
from revops_mesh.local.cluster import is_alive
from revops_mesh.local.installation import Installation
from revops_mesh.local.nats import Nats
from revops_mesh.local.postgres import Postgres
from revops_mesh.local.process import Process
from revops_mesh.local.supervisor import Backoff, Server, Supervisor
from revops_mesh.migrations.logins import bootstrap
from revops_mesh.migrations.tree import migrate
from revops_mesh.runtime.keys import ISSUER, DevelopmentIssuer
from tests.bench.world import stock

ROOT = Path(__file__).parents[2]
DATABASE = "revops"
MEMBER, WORKERS, NATS, POSTGRES = VICTIMS = ("member", "workers", "nats", "postgres")
PLANS = 6
BACKENDS = 0.3
"""Share of PostgreSQL's kills that meet one backend, after which the server restarts itself."""
SERVED = [sys.executable, "-m", "revops_mesh.cli", "serve"]
SELLER = "users/anna"
"""Whose calls are reconciled with the journal; the catalogue is made by somebody else."""
OFTEN = Backoff(first=0.1, longest=0.4, healthy=5.0)
_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE usename='revops_app' ORDER BY state='idle' LIMIT 1"
_WORKERS = "SELECT count(*) FROM pg_stat_activity WHERE usename='revops_relay' AND backend_start>to_timestamp({:f})"


@dataclass
class Stage:
    """Everything that runs, under a supervisor that starts again what dies."""

    folder: Path
    supervisor: Supervisor
    postgres: Postgres
    nats: Nats
    issuer: DevelopmentIssuer
    port: int
    environ: dict[str, dict[str, str]]
    """Of the processes that are ours, by name; a change holds from the next life on."""
    processes: dict[str, Server] = field(default_factory=dict)
    killed_at: dict[str, float] = field(default_factory=dict)
    """Unix seconds of each victim's last death; a backend may outlive the client that it served."""

    @property
    def address(self) -> str:
        """Where the member serves."""
        return f"{ports.LOOPBACK}:{self.port}"

    def token(self, subject: str, tenant: UUID, role: str = "admin") -> str:
        """A token for a day."""
        return self.issuer.issue(subject, tenant, [role])

    async def asked(self, sql: str) -> Any:
        """One value of the database, None while it does not answer."""
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            connection = await asyncpg.connect(self.postgres.dsn(DATABASE), timeout=5)
            try:
                return await connection.fetchval(sql)
            finally:
                connection.terminate()
        return None

    async def up(self, name: str) -> bool:
        """Whether a victim does its work, as far as can be seen from outside."""
        if not self.processes[name].running:
            return False
        if name in (WORKERS, POSTGRES):
            sql = _WORKERS.format(self.killed_at.get(name, 0)) if name == WORKERS else "SELECT 1"
            return bool(await self.asked(sql))
        return ports.answers(self.port if name == MEMBER else self.nats.port)

    async def kill(self, name: str, chance: random.Random) -> str:
        """SIGKILL for a victim, of PostgreSQL now and then for a backend only; what has died, "" if it was down already."""
        pid, what = None, name
        if name == POSTGRES and chance.random() < BACKENDS:
            pid, what = await self.asked(_BACKENDS), "a backend of postgres"
        if pid is None:
            if not (process := self.processes[name]).running:
                return ""
            pid, what = process.pid, name
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        await until(partial(_gone, pid), 10, f"{what} has ended")
        self.killed_at[name] = clock.unix()
        return what


async def _gone(pid: int) -> bool:
    return not is_alive(pid)


@asynccontextmanager
async def stage(folder: Path, workers: list[str]) -> AsyncIterator[Stage]:
    """Starts everything; `workers` is the command of the process that works in the background."""
    installation = Installation(folder)
    issuer, log = DevelopmentIssuer(installation.keys), (folder / "supervisor.log").open("a")
    async with Supervisor(installation.logs, report=lambda line: print(line, file=log, flush=True), backoff=OFTEN) as supervisor:
        found = Stage(
            folder, supervisor, Postgres(installation.postgres), Nats(installation.nats), issuer, ports.free_port(), {}
        )  # fmt: skip
        await _adopt(found, POSTGRES, found.postgres)
        await _adopt(found, NATS, found.nats)
        await asyncio.to_thread(bootstrap, found.postgres.dsn(), DATABASE)
        await asyncio.to_thread(migrate, found.postgres.dsn(DATABASE))
        settings = _settings(found, installation)
        for name, roles, argv in ((MEMBER, "rpc", SERVED), (WORKERS, "relay,reactions,timers", workers)):
            found.environ[name] = {**settings, "REVOPS_ROLES": roles}
            log_file = installation.logs / f"{name}.log"
            await _adopt(found, name, Process(name, argv, log=log_file, env=found.environ[name], cwd=ROOT))
        for name in VICTIMS:
            await until(partial(found.up, name), 60, f"{name} is up")
        yield found
    log.close()


async def _adopt(found: Stage, name: str, server: Server) -> None:
    await found.supervisor.adopt(name, server)
    found.processes[name] = server


def _settings(found: Stage, installation: Installation) -> dict[str, str]:
    return {
        **environ(),
        "REVOPS_DATABASE_URL": found.postgres.dsn(DATABASE),
        "REVOPS_NATS_URL": found.nats.url,
        "REVOPS_GRPC_ADDRESS": found.address,
        "REVOPS_ADMIN_ADDRESS": f"{ports.LOOPBACK}:{ports.free_port()}",
        "REVOPS_ISSUER": ISSUER,
        "REVOPS_JWKS": str(found.issuer.jwks.absolute()),
        "REVOPS_PAGE_TOKEN_SECRETS_FILE": str(installation.page_token_secret().absolute()),
        "REVOPS_LOG_LEVEL": "WARNING",
    }


def environ() -> Mapping[str, str]:
    """The environment of our processes: no settings of ours but those that are given, and the tree on the path."""
    paths = [str(ROOT), str(ROOT / "src"), str(ROOT / "generated"), os.environ.get("PYTHONPATH", "")]
    kept = {name: text for name, text in os.environ.items() if not name.startswith("REVOPS_") or name == "REVOPS_PG_BINDIR"}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@dataclass(frozen=True)
class Market:
    """A tenant with something for sale."""

    tenant: UUID
    plans: list[str]
    book: str


async def market(found: Stage) -> Market:
    """Founds a tenant and its catalogue through the contracts, before anything is killed."""
    async with member_at(found.address, found.token("users/root", PLATFORM_TENANT, "platform-admin")) as root:
        wanted = tenants.Tenant(display_name="Chaos", edition=options.EDITION_ENTERPRISE)
        tenant = UUID(hex=(await root(tenants.CreateTenantRequest(tenant_id="chaos", tenant=wanted))).uid)
        carl: Member = root.as_(found.token("users/carl", tenant))
        plans = await stock(carl, PLANS)
        (book,) = (await carl(books.ListPriceBooksRequest())).price_books
    return Market(tenant, plans, book.name)


async def until(condition: Callable[[], Awaitable[object]], seconds: float, what: str) -> None:
    """Waits for something to become true. Raises `TimeoutError`."""
    passed = asyncio.get_running_loop().time
    deadline = passed() + seconds
    while not await condition():
        if passed() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.03)
