"""`revops up`: PostgreSQL, NATS, member and gateway on one machine, migrated, with demo data, kept running until told to stop.

With `REVOPS_DATABASE_URL` and `REVOPS_NATS_URL` it embeds nothing: the same member runs on servers elsewhere.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.local import ports
from revops_mesh.local.calls import Refusal, member_at
from revops_mesh.local.demo import story
from revops_mesh.local.errors import LocalError
from revops_mesh.local.installation import Installation, Running, given
from revops_mesh.local.nats import Nats
from revops_mesh.local.postgres import Postgres
from revops_mesh.local.process import last_lines
from revops_mesh.local.supervisor import Supervisor
from revops_mesh.migrations.logins import bootstrap
from revops_mesh.migrations.tree import migrate
from revops_mesh.runtime.keys import ISSUER, DevelopmentIssuer

DATABASE = "revops"
MEMBER, GATEWAY = "member", "gateway"
READY_SECONDS = 60.0
GIVE_UP = 2
"""Restarts of a server that never served, after which another one would not help."""
PROBED = "revops.platform.v1.TenantService"
"""The service whose health says that the member has its database."""


@dataclass(frozen=True)
class Ready:
    """What is told once everything runs."""

    running: Running
    seconds: float
    """From the start until the member served and the demo data stood."""
    token: str
    """Of the demo tenant's administrator; empty without demo data."""
    problem: str
    """Why the demo data is incomplete; empty if it is not."""


@dataclass(frozen=True)
class Up:
    """One start of everything on a data directory."""

    installation: Installation
    port: int
    """Of the member's gRPC."""
    http_port: int
    """Of the gateway."""
    demo: bool
    environ: Mapping[str, str]
    tell: Callable[[str], None]
    """Takes one line of progress, or about something that died."""
    ready: Callable[[Ready], None]

    async def run(self) -> None:
        """Returns after SIGTERM or SIGINT, when everything has ended in reverse order.

        Raises `LocalError` when something cannot be started; what was started is stopped first.
        """
        started = perf_counter()
        issuer = DevelopmentIssuer(self.installation.keys)
        with self.installation.held():
            ports.require_free(self.port, "the member's gRPC")
            ports.require_free(self.http_port, "the gateway")
            async with Supervisor(self.installation.logs, report=self.tell) as supervisor:
                running = await self._servers(supervisor)
                await self._member(supervisor, running, issuer)
                await self._gateway(supervisor, running)
                token, problem = await self._demo(running, issuer) if self.demo else ("", "")
                with self.installation.announced(running):
                    self.ready(Ready(running, perf_counter() - started, token, problem))
                    await supervisor.wait()
                    self.tell("stopping")

    async def _servers(self, supervisor: Supervisor) -> Running:
        """Where PostgreSQL and NATS are, embedded unless the environment names them; the database is migrated."""
        database_url, nats_url = given(self.environ, "REVOPS_DATABASE_URL"), given(self.environ, "REVOPS_NATS_URL")
        admin_url = given(self.environ, "REVOPS_ADMIN_URL")
        if not database_url:
            self.tell("starting PostgreSQL")
            postgres = Postgres(self.installation.postgres)
            await supervisor.adopt("postgres", postgres)
            database_url, admin_url = postgres.dsn(DATABASE), postgres.dsn()
        if not nats_url:
            self.tell("starting NATS")
            nats = Nats(self.installation.nats)
            await supervisor.adopt("nats", nats)
            nats_url = nats.url
        self.tell("migrating")
        if admin_url:
            await asyncio.to_thread(bootstrap, admin_url, DATABASE)
        await asyncio.to_thread(migrate, database_url)
        address, http = f"{ports.LOOPBACK}:{self.port}", f"http://{ports.LOOPBACK}:{self.http_port}"
        return Running(os.getpid(), address, http, database_url, nats_url)

    async def _member(self, supervisor: Supervisor, running: Running, issuer: DevelopmentIssuer) -> None:
        self.tell("starting the member")
        own = {
            "REVOPS_DATABASE_URL": running.database_url,
            "REVOPS_NATS_URL": running.nats_url,
            "REVOPS_GRPC_ADDRESS": running.address,
            "REVOPS_ADMIN_ADDRESS": f"{ports.LOOPBACK}:{ports.free_port()}",
            "REVOPS_ISSUER": ISSUER,
            "REVOPS_JWKS": str(issuer.jwks.absolute()),
            "REVOPS_TOKEN_ISSUER": running.http,
            "REVOPS_TOKEN_KEYS": str(self.installation.token_keys().absolute()),
            "REVOPS_PAGE_TOKEN_SECRETS_FILE": str(self.installation.page_token_secret().absolute()),
        }
        await self._child(supervisor, MEMBER, "serve", own, partial(_serves, running.address))

    async def _gateway(self, supervisor: Supervisor, running: Running) -> None:
        self.tell("starting the gateway")
        own = {"REVOPS_HTTP_ADDRESS": running.http.removeprefix("http://"), "REVOPS_MEMBER": running.address}
        await self._child(supervisor, GATEWAY, "gateway", own, partial(_answers, self.http_port))

    async def _child(
        self, supervisor: Supervisor, name: str, command: str, own: Mapping[str, str], serves: Callable[[], Awaitable[bool]]
    ) -> None:
        """Starts one of our own servers, with `own` settings over those of the environment, and waits until it serves."""
        names = {variable.removesuffix("_FILE") for variable in own}
        rest = {variable: text for variable, text in self.environ.items() if variable.removesuffix("_FILE") not in names}

        async def ready() -> bool:
            if any(status.name == name and status.restarts >= GIVE_UP for status in supervisor.statuses()):
                log = self.installation.logs / f"{name}.log"
                raise LocalError(f"the {name} cannot start; its log {log} ends:\n{last_lines(log, 5)}")
            return await serves()

        argv = [sys.executable, "-m", "revops_mesh.cli", command]
        await supervisor.start(name, argv, env={**rest, **own}, ready=ready, ready_timeout=READY_SECONDS)

    async def _demo(self, running: Running, issuer: DevelopmentIssuer) -> tuple[str, str]:
        """The token of the demo tenant's administrator, and what went wrong; a fault of the data does not stop the servers."""
        self.tell("telling the demo's story")
        root = issuer.issue("users/root", PLATFORM_TENANT, ["platform-admin"])
        async with member_at(running.address, root) as member:
            try:
                tenants = await story.tell(member, issuer)
            except Refusal as refusal:
                return "", f"{refusal.reason or refusal.code}: {refusal}"
        return issuer.issue("users/anna", tenants["acme"], ["admin"]), ""


async def _serves(address: str) -> bool:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        check = stub.Check(health_pb2.HealthCheckRequest(service=PROBED), timeout=2)  # type: ignore[attr-defined]
        try:
            answer = await check
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def _answers(port: int) -> bool:
    return await asyncio.to_thread(ports.answers, port)


def data_directory(path: Path) -> Installation:
    """The installation in a directory. Raises `LocalError` when something else is there."""
    if path.exists() and not path.is_dir():
        raise LocalError(f"{path} is not a directory: choose another --data")
    return Installation(path)
