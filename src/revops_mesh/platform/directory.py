"""Where the pipeline looks tenants, roles and API keys up: read under the tenant's own walls and kept for at most 30 s."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import access_pb2, tenants_pb2

from revops_mesh.kernel import clock, statements
from revops_mesh.kernel.kinds import kind_of
from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.kernel.principal import Identity, Standing

from .roles import built_in, expand

KEPT_SECONDS = 30.0

_TENANT = "SELECT body FROM platform.tenants WHERE uid=$1 AND delete_time IS NULL"
_ROLES = "SELECT body FROM platform.roles WHERE tenant_id=$1 AND delete_time IS NULL"


class StoredDirectory:
    """Reads from the member's own database with the `app` login."""

    def __init__(self, pool: Any, permissions: frozenset[str]) -> None:
        """`permissions` are all that the contracts declare."""
        self._pool, self._permissions = pool, permissions
        self._built_in = built_in(permissions)
        self._kept: dict[UUID, tuple[float, Standing | None]] = {}

    def forget(self) -> None:
        """Forgets what was looked up."""
        self._kept.clear()

    async def standing(self, tenant: UUID) -> Standing | None:
        """The tenant's edition, state and roles; the platform tenant always stands."""
        if tenant == PLATFORM_TENANT:
            return Standing("platform", True, options.EDITION_ENTERPRISE, 0, self._built_in)
        kept, now = self._kept.get(tenant), clock.unix()
        if kept is not None and kept[0] > now:
            return kept[1]
        standing = await self._read(tenant)
        self._kept[tenant] = (now + KEPT_SECONDS, standing)
        return standing

    async def _read(self, tenant: UUID) -> Standing | None:
        async with self._pool.acquire() as connection:
            async with connection.transaction(readonly=True):
                await connection.execute(f"SET LOCAL app.tenant_id='{tenant}'")
                row = await connection.fetchrow(_TENANT, tenant.hex)
                roles = await connection.fetch(_ROLES, tenant)
        if row is None:
            return None
        state = tenants_pb2.Tenant.FromString(row["body"])
        return Standing(
            slug=state.name.removeprefix("tenants/"),
            active=state.state == tenants_pb2.Tenant.STATE_ACTIVE,
            edition=state.edition,
            epoch=state.edition_changes,
            roles={**self._own(roles), **self._built_in},
        )

    def _own(self, rows: Any) -> Mapping[str, frozenset[str]]:
        roles = (access_pb2.Role.FromString(row["body"]) for row in rows)
        grantable = self._built_in["admin"]
        return {role.name.removeprefix("roles/"): expand(role.permissions, grantable) for role in roles}

    async def api_key(self, tenant: UUID, key_id: str, secret: str) -> Identity | None:
        """The service account of `serviceAccounts/…/apiKeys/{key_id}`, if the key lives and the secret is right."""
        keys, accounts = kind_of(access_pb2.ApiKey), kind_of(access_pb2.ServiceAccount)
        async with self._pool.acquire() as connection:
            async with connection.transaction(readonly=True):
                await connection.execute(f"SET LOCAL app.tenant_id='{tenant}'")
                by_id = f"SELECT body FROM {keys.sql} WHERE tenant_id=$1 AND name LIKE $2 AND delete_time IS NULL"
                row = await connection.fetchrow(by_id, tenant, f"serviceAccounts/%/apiKeys/{key_id}") if key_id.isalnum() else None
                if row is None:
                    return None
                key = access_pb2.ApiKey.FromString(row["body"])
                owner = key.name.split("/apiKeys/")[0]
                sql = statements.select_one(accounts, partner=False, lock=False)
                holder = await connection.fetchrow(sql, tenant, owner)
        if holder is None or not hmac.compare_digest(hashlib.sha256(secret.encode()).digest(), key.secret_hash):
            return None
        account = access_pb2.ServiceAccount.FromString(holder["body"])
        expires = key.expire_time.ToSeconds() if key.HasField("expire_time") else float("inf")
        if account.disabled:
            return None
        return Identity(account.name, tenant, tuple(account.roles), account.partner, float(expires), service=True)
