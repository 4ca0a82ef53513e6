"""The world that tests act in: a real PostgreSQL, a composed member, and callers with real tokens.

Every test founds tenants of its own, so tests share a database without seeing each other.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from google.protobuf.message import Message
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import reasons_pb2, tenants_pb2

from revops_mesh import member
from revops_mesh.identity import Issuer, Tokens
from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import PLATFORM_TENANT, new_id, new_uuid
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.pools import LoginPools

FREE, TEAM, BUSINESS, ENTERPRISE = (
    options.EDITION_FREE,
    options.EDITION_TEAM,
    options.EDITION_BUSINESS,
    options.EDITION_ENTERPRISE,
)
ISSUER, AUDIENCE = "https://issuer.test", "revops"
SECRETS = [b"secrets of tests" * 2]
"""With which page tokens are signed and secrets of webhooks sealed."""
OWN_ISSUER = "https://api.test"
"""Of the tokens that the installation issues itself."""


@dataclass
class Caller:
    """Somebody of one tenant who calls methods by sending their requests."""

    world: "World"
    tenant: UUID
    token: str
    metadata: dict[str, str] = field(default_factory=dict)

    async def __call__(self, request: Message, **metadata: str) -> Any:
        """The answer of the method that takes this request; a refusal is raised as `Failure`."""
        kernel = self.world.kernel
        return await kernel.answer(kernel.by_request(request).path, request, self.arrival(**metadata))

    def stream(self, request: Message) -> AsyncIterator[Any]:
        """The answers of a streaming method."""
        kernel = self.world.kernel
        return kernel.stream(kernel.by_request(request).path, request, self.arrival())

    def arrival(self, **metadata: str) -> Arrival:
        """A fresh arrival with this caller's credentials."""
        return Arrival({"authorization": f"Bearer {self.token}", **self.metadata, **metadata})

    async def refusal(self, request: Message) -> Failure:
        """The refusal of a request; fails if it is answered."""
        try:
            answer = await self(request)
        except Failure as failure:
            return failure
        raise AssertionError(f"{type(request).__name__} was answered: {answer}")


class World:
    """A member over a database, and the keys of its issuer."""

    def __init__(self, kernel: Kernel, pools: LoginPools, key: ECKey, owner: asyncpg.Connection, dsn: str) -> None:
        self.kernel, self.pools, self.key, self.owner, self.dsn = kernel, pools, key, owner, dsn

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str, size: int = 8, networks: Collection[str] = ()) -> AsyncIterator["World"]:
        """A world over a migrated database, whose webhooks may go to some networks beside the public ones."""
        key = ECKey.generate_key("P-256")
        pools = await LoginPools.open(dsn, size)
        owner = await asyncpg.connect(dsn, user="revops_owner")
        own = Issuer(Tokens(KeySet([ECKey.generate_key("P-256", auto_kid=True)]), OWN_ISSUER, AUDIENCE))
        provider = Tokens(KeySet([key]), ISSUER, AUDIENCE)
        kernel = member.compose(pools, provider, SECRETS, networks=networks, issuer=own)
        try:
            yield cls(kernel, pools, key, owner, dsn)
        finally:
            await owner.close()
            await pools.close()

    def token(self, tenant: UUID, *roles: str, sub: str = "users/anna", expires_in: float = 3600, **claims: object) -> str:
        """A signed token."""
        payload = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": sub,
            "tenant": tenant.hex,
            "roles": list(roles),
            "exp": int(clock.unix() + expires_in),
            **claims,
        }
        return jwt.encode({"alg": "ES256"}, payload, self.key)

    async def tenant(self, edition: int = ENTERPRISE) -> UUID:
        """A new tenant, founded behind the contract's back so that a test of anything needs only that."""
        tenant = new_uuid()
        state = tenants_pb2.Tenant(name=f"tenants/{new_id()}", uid=tenant.hex, edition=edition, state=1, display_name="Test")
        await self.owner.execute(
            "INSERT INTO platform.tenants(tenant_id,name,revision,body,create_time,update_time,uid,edition,state)"
            " VALUES($1,$2,1,$3,now(),now(),$4,$5,1)",
            PLATFORM_TENANT, state.name, state.SerializeToString(), tenant.hex, edition,
        )  # fmt: skip
        return tenant

    async def caller(self, *roles: str, edition: int = ENTERPRISE, tenant: UUID | None = None, **claims: Any) -> Caller:
        """A caller with roles, of a new tenant unless one is given; `partner="partners/x"` makes it a partner's."""
        tenant = tenant or await self.tenant(edition)
        return Caller(self, tenant, self.token(tenant, *(roles or ("admin",)), **claims))

    async def events(self, tenant: UUID) -> list[tuple[str, int, Message]]:
        """What waits in the outbox of a tenant: aggregate, revision and event, in the order of aggregate and revision."""
        from revops_mesh.kernel.contract import message_class

        rows = await self.owner.fetch(
            "SELECT aggregate, revision, type, payload FROM kernel.outbox WHERE tenant_id=$1 ORDER BY aggregate, revision, n",
            tenant,
        )
        return [(r["aggregate"], r["revision"], message_class(r["type"]).FromString(r["payload"])) for r in rows]

    async def rows(self, tenant: UUID, tables: Collection[str]) -> dict[str, int]:
        """Number of rows a tenant has in each of some tables."""
        return {t: await self.owner.fetchval(f"SELECT count(*) FROM {t} WHERE tenant_id=$1", tenant) for t in tables}


def reason(value: int) -> str:
    """The name of a platform reason."""
    return reasons_pb2.PlatformReason.Name(value)
