"""The options that several commands share, and the surroundings that they tell of."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from revops.platform.v1 import tenants_pb2 as tenants

from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.local.calls import Member, member_at
from revops_mesh.local.installation import DEFAULT, Installation, given
from revops_mesh.runtime.keys import DevelopmentIssuer

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
    str, typer.Option("--token", envvar="REVOPS_TOKEN", help="Token to call with. Default: one of the development issuer.")
]
Tenant = Annotated[str, typer.Option("--tenant", help="Slug of the tenant, as in acme.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

DATA = DEFAULT
OPERATOR = "users/operator"


@dataclass(frozen=True)
class Surroundings:
    """Where the member is and with whose token it is called; what is empty follows from the data directory."""

    data: Path
    address: str = ""
    token: str = ""

    @property
    def where(self) -> str:
        """Host and port of the member."""
        running = Installation(self.data).running()
        return self.address or (running.address if running else "127.0.0.1:7050")

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

        return asyncio.run(talk())

    async def issued(
        self, tenant: str, roles: tuple[str, ...], subject: str = OPERATOR, partner: str = "", seconds: float = 3600
    ) -> str:
        """A token of the development issuer; `tenant` is looked up at the member. Raises `Refusal` if there is none."""
        root = self.issuer.issue(OPERATOR, PLATFORM_TENANT, ["platform-admin"])
        if not tenant:
            return root
        async with member_at(self.where, root) as member:
            found = await member(tenants.GetTenantRequest(name=f"tenants/{tenant}"))
        return self.issuer.issue(subject, UUID(hex=found.uid), roles, partner, seconds)


def database_url(data: Path) -> str:
    """`REVOPS_DATABASE_URL`, or the database of a running `revops up`. Raises `CommandError` when there is neither."""
    if url := given(os.environ, "REVOPS_DATABASE_URL"):
        return url
    if running := Installation(data).running():
        return running.database_url
    raise CommandError(f"set REVOPS_DATABASE_URL, or start revops up on {data}")
