"""The options that several commands share, and the surroundings that they tell of."""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from revops.platform.v1 import tenants_pb2 as tenants

from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.local.calls import Member, Refusal, member_at
from revops_mesh.local.installation import DEFAULT, Installation, given
from revops_mesh.runtime.keys import DevelopmentIssuer

from .nearness import meant
from .problems import CommandError

T = TypeVar("T")

Data = Annotated[Path, typer.Option("--data", envvar="REVOPS_DATA", help="Data directory of revops up.", show_envvar=True)]
Address = Annotated[
    str,
    typer.Option(
        "--address", envvar="REVOPS_ADDRESS", help="host:port of a member, https://host:port by TLS. Default: that of revops up."
    ),
]
Token = Annotated[
    str,
    typer.Option(
        "--token", envvar="REVOPS_TOKEN", help="Token to call with. Default: one of the development issuer, good for an hour."
    ),
]
Tenant = Annotated[str, typer.Option("--tenant", help="Slug of the tenant, as in acme.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

DATA = DEFAULT
OPERATOR = "users/operator"
MEMBER_PORT = 7050
_ADDRESS = re.compile(r"(https://)?[^/\s]+:\d{1,5}")


@dataclass(frozen=True)
class Surroundings:
    """Where the member is and with whose token it is called; what is empty follows from the data directory."""

    data: Path
    address: str = ""
    token: str = ""

    @property
    def where(self) -> str:
        """Host and port of the member. Raises `CommandError` when it is no address."""
        running = Installation(self.data).running()
        where = self.address or (running.address if running else f"127.0.0.1:{MEMBER_PORT}")
        if not _ADDRESS.fullmatch(where):
            raise CommandError(f"{where} is no address of a member: write host:port, or https://host:port for TLS")
        return where

    @property
    def found(self) -> str:
        """How `where` was found, for somebody who finds nobody there."""
        if self.address:
            return "as --address or REVOPS_ADDRESS says"
        return f"where revops up on {self.data} serves" if Installation(self.data).running() else "the default"

    @property
    def issuer(self) -> DevelopmentIssuer:
        """The development issuer of the data directory. Raises `CommandError` when there is none."""
        keys = Installation(self.data).keys
        if not (keys / "issuer.json").exists():
            raise CommandError(
                f"{self.data} has no development issuer: start revops up once, name another --data, or pass --token"
            )
        return DevelopmentIssuer(keys)

    def call(self, conversation: Callable[[Member], Awaitable[T]], tenant: str = "", roles: tuple[str, ...] = ()) -> T:
        """What a conversation with the member gives; as the operator of the tenant, or of the platform when it is empty."""

        async def talk() -> T:
            token = self.token or await self.issued(tenant, roles)
            async with member_at(self.where, token) as member:
                return await conversation(member)

        return self.run(talk())

    def run(self, talk: Coroutine[Any, Any, T]) -> T:
        """What a conversation gives. Raises `CommandError` when no member answers, which says where it was sought."""
        try:
            return asyncio.run(talk)
        except Refusal as refusal:
            if refusal.reason or refusal.code != "UNAVAILABLE":
                raise
            raise CommandError(
                f"{refusal}, {self.found}: start one with revops up, or name another with --address or --data"
            ) from None

    async def issued(
        self, tenant: str, roles: tuple[str, ...], subject: str = OPERATOR, partner: str = "", seconds: float = 3600
    ) -> str:
        """A token of the development issuer; `tenant` is looked up at the member. Raises `CommandError` if there is none."""
        root = self.issuer.issue(OPERATOR, PLATFORM_TENANT, ["platform-admin"])
        if not tenant:
            return root
        async with member_at(self.where, root) as member:
            try:
                found = await member(tenants.GetTenantRequest(name=f"tenants/{tenant}"))
            except Refusal as refusal:
                if refusal.code != "NOT_FOUND":
                    raise
                slugs = [each.name.removeprefix("tenants/") for each in await listed_tenants(member)]
                raise CommandError(f"there is no tenant {tenant}{meant(tenant, slugs, ': revops tenant list')}") from None
        return self.issuer.issue(subject, UUID(hex=found.uid), roles, partner, seconds)


async def listed_tenants(member: Member) -> list[tenants.Tenant]:
    """All tenants, for a caller of the platform."""
    found: list[tenants.Tenant] = []
    request = tenants.ListTenantsRequest(page_size=1000)
    while True:
        page = await member(request)
        found += page.tenants
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def database_url(data: Path) -> str:
    """`REVOPS_DATABASE_URL`, or the database of a running `revops up`. Raises `CommandError` when there is neither."""
    if url := given(os.environ, "REVOPS_DATABASE_URL"):
        return url
    if running := Installation(data).running():
        return running.database_url
    raise CommandError(f"set REVOPS_DATABASE_URL, or start revops up on {data}")
