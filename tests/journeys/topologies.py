"""The installations in which every journey is made: one process for everything, and one for each capability with wires between.

Callers have one entry, which finds the process of a service as a mesh's routes do.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from revops_mesh import member
from revops_mesh.local.calls import Member, Refusal
from revops_mesh.local.nats import Nats
from revops_mesh.local.ports import free_port
from revops_mesh.local.postgres import Postgres
from revops_mesh.runtime.keys import ISSUER, DevelopmentIssuer
from tests.mesh.authorities import TRUST_DOMAIN, Authority, spiffe
from tests.runtime.calling import Running, member_process, secret

TOGETHER, CERTIFICATES, TOKENS = "together", "certificates", "tokens"
"""One process; one for each capability, which prove themselves by certificates, or by tokens without TLS."""
CAPABILITIES = sorted({module.service.split(".")[1] for module in member.MODULES})
SERVICES = ",".join(f"ns/revops/sa/{name}=capabilities/{name}" for name in CAPABILITIES)

VARYING = (
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)"), "<time>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<hash>"),
    (re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b0[0-9a-hjkmnp-tv-z]{25}\b"), "<id>"),
    (re.compile(r"\brk_\w+"), "<key>"),
)
"""What differs from one run to the next, whatever the installation."""
OPAQUE = frozenset({"nextPageToken", "trace", "digest"})


@dataclass
class Said:
    """One call of a journey and what came of it."""

    request: str
    outcome: Any


@dataclass
class Installation:
    """Processes that serve one database, the channels to them by capability, and what was said to them."""

    issuer: DevelopmentIssuer
    database: str
    channels: Mapping[str, grpc.aio.Channel]
    running: Mapping[str, Running]
    said: list[Said] = field(default_factory=list)

    def entry(self, token: str, *, noted: bool = True) -> "Entry":
        """A caller with a token; `noted` calls become part of what was said."""
        return Entry(self, token, noted=noted)


class Entry(Member):
    """The one entry to an installation."""

    def __init__(self, installation: Installation, token: str, *, noted: bool) -> None:
        self._installation, self._token, self._noted = installation, token, noted

    def as_(self, token: str) -> "Entry":
        return Entry(self._installation, token, noted=self._noted)

    async def __call__(self, request: Message) -> Any:
        capability = request.DESCRIPTOR.full_name.split(".")[1]
        to = Member(self._installation.channels[capability], capability, self._token)
        try:
            answer = await to(request)
        except Refusal as refusal:
            told = [refusal.code, refusal.reason, refusal.domain, refusal.metadata, str(refusal)]
            self._note(request, told)
            raise
        self._note(request, MessageToDict(answer))
        return answer

    def _note(self, request: Message, outcome: Any) -> None:
        if self._noted:
            self._installation.said.append(
                Said(f"{request.DESCRIPTOR.full_name} {comparable(MessageToDict(request))}", comparable(outcome))
            )


def comparable(value: Any) -> Any:
    """A value without what differs from run to run."""
    if isinstance(value, dict):
        return {key: "<opaque>" if key in OPAQUE else comparable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    if isinstance(value, str):
        for pattern, instead in VARYING:
            value = pattern.sub(instead, value)
    return value


@asynccontextmanager
async def installation(kind: str, postgres: Postgres, template: str, folder: Path, **more: str) -> AsyncIterator[Installation]:
    """An installation of one kind, over a database and a broker of its own; `more` are settings of all its processes."""
    database = f"journey_{abs(hash((kind, folder))) % 10**8}"
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute(f"CREATE DATABASE {database} TEMPLATE {template} OWNER revops_owner")
    await admin.close()
    async with AsyncExitStack() as stack:
        nats, issuer = stack.enter_context(Nats(folder / "nats", durable=False)), DevelopmentIssuer(folder / "keys")
        shared = {
            "REVOPS_DATABASE_URL": postgres.dsn(database),
            "REVOPS_NATS_URL": nats.url,
            "REVOPS_ISSUER": ISSUER,
            "REVOPS_JWKS": str(issuer.jwks),
            "REVOPS_PAGE_TOKEN_SECRETS": secret(),
            "REVOPS_POOL_SIZE": "6",
            "REVOPS_ADMIN_ADDRESS": "127.0.0.1:0",
            **more,
        }
        authority = Authority(folder, "authority") if kind == CERTIFICATES else None
        addresses = {name: f"localhost:{free_port()}" for name in (CAPABILITIES if kind != TOGETHER else ["member"])}
        running = {}
        for name, address in addresses.items():
            own = dict(_settings(kind, name, addresses, folder, issuer, authority))
            started = member_process({**shared, **own, "REVOPS_GRPC_ADDRESS": address}, "tests.journeys.workers")
            running[name] = stack.enter_context(started)
        opened = {name: await stack.enter_async_context(_channel(address, authority)) for name, address in addresses.items()}
        channels = {name: opened.get(name) or opened["member"] for name in CAPABILITIES}
        yield Installation(issuer, postgres.dsn(database), channels, running)


def _settings(
    kind: str, name: str, addresses: Mapping[str, str], folder: Path, issuer: DevelopmentIssuer, authority: Authority | None
) -> Iterator[tuple[str, str]]:
    """What a process of a split installation is told beside what all are told."""
    if kind == TOGETHER:
        return
    yield "REVOPS_ONLY", name
    yield "REVOPS_PEERS", ",".join(f"{other}={address}" for other, address in addresses.items() if other != name)
    yield "REVOPS_SPIFFE_TRUST_DOMAIN", TRUST_DOMAIN
    yield "REVOPS_SERVICES", SERVICES
    own = spiffe(f"ns/revops/sa/{name}")
    if authority is None:
        token = folder / f"{name}.token"
        token.write_text(issuer.issue_for_program(own))
        yield "REVOPS_SERVICE_TOKEN", str(token)
    else:
        authority.issue(name, own)
        files = {"CERT": f"{name}.pem", "KEY": f"{name}.key", "CLIENT_CA": "authority.pem"}
        yield from ((f"REVOPS_TLS_{what}", str(folder / file)) for what, file in files.items())


def _channel(address: str, authority: Authority | None) -> grpc.aio.Channel:
    if authority is None:
        return grpc.aio.insecure_channel(address)
    cert, key = authority.issue("caller")
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(authority.pem, key, cert))
