"""Where the pipeline looks tenants, roles and API keys up: read under the tenant's own walls and kept for a short while."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import access_pb2, tenants_pb2

from revops_mesh.identity.patterns import expand
from revops_mesh.kernel import clock, statements
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.kernel.principal import Identity, Impostor, Principal, Standing

from .access import keys
from .access.domain import USE_BEHIND
from .roles import built_in, grantable

KEPT_SECONDS = 15.0
"""With as long again in the authenticator, a change is noticed within 30 s."""
MOST_KEPT = 50_000

# Unique fields have partial indexes: `<>''` lets a plan for any value use them.
_STANDING = (
    "SELECT 0 AS kind, body FROM platform.tenants WHERE tenant_id=$2 AND uid=$3 AND uid<>'' AND delete_time IS NULL"
    " UNION ALL SELECT 1, body FROM platform.roles WHERE tenant_id=$1 AND delete_time IS NULL ORDER BY 1"
)
_KEY = (
    "SELECT k.body AS key, a.body AS account FROM platform.api_keys k"
    " JOIN platform.service_accounts a ON a.tenant_id=k.tenant_id AND a.name=k.parent"
    " WHERE k.tenant_id=$1 AND k.key_id=$2 AND k.key_id<>'' AND k.delete_time IS NULL AND a.delete_time IS NULL"
)

Lookup = asyncio.Task[Standing | None]
NoteUse = Callable[[UUID, str, datetime], Awaitable[None]]
"""Takes tenant, name of a key and when it was used."""

_log = logging.getLogger("revops.directory")


class StoredDirectory:
    """Reads from the member's own database with the `app` login."""

    def __init__(self, pool: Any, permissions: frozenset[str]) -> None:
        """`permissions` are all that the contracts declare."""
        self._pool = pool
        self._known = {platform: grantable(permissions, on_platform=platform) for platform in (False, True)}
        self._built_in = {platform: built_in(known) for platform, known in self._known.items()}
        self._kept: dict[UUID, tuple[float, Lookup]] = {}
        self.note_use: NoteUse | None = None
        """Has the use of a key noted; called beside the calls that use it, at most once an hour of a key if it succeeds."""
        self._noting: set[asyncio.Task[None]] = set()

    def forget(self) -> None:
        """Forgets what was looked up."""
        self._kept.clear()

    async def standing(self, tenant: UUID) -> Standing | None:
        """The tenant's edition, state and roles; the platform tenant always stands.

        Callers that come while it is being read wait for the same reading.
        """
        kept, now = self._kept.get(tenant), clock.unix()
        if kept is None or kept[0] <= now:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            kept = self._kept[tenant] = (now + KEPT_SECONDS, asyncio.create_task(self._read(tenant)))
            kept[1].add_done_callback(partial(self._drop_failed, tenant))
        lookup = kept[1]
        return lookup.result() if lookup.done() else await asyncio.shield(lookup)

    def _drop_failed(self, tenant: UUID, lookup: Lookup) -> None:
        failed = lookup.cancelled() or lookup.exception() is not None
        if failed and self._kept.get(tenant, (0, None))[1] is lookup:
            del self._kept[tenant]

    async def _read(self, tenant: UUID) -> Standing | None:
        rows = await self._fetch(tenant, _STANDING, PLATFORM_TENANT, tenant.hex)
        found = next((tenants_pb2.Tenant.FromString(row["body"]) for row in rows if row["kind"] == 0), None)
        roles = self._roles(tenant, (access_pb2.Role.FromString(row["body"]) for row in rows if row["kind"] == 1))
        if tenant == PLATFORM_TENANT:
            return Standing("platform", True, options.EDITION_ENTERPRISE, 0, roles)
        if found is None:
            return None
        return Standing(
            slug=found.name.removeprefix("tenants/"),
            active=found.state == tenants_pb2.Tenant.STATE_ACTIVE,
            edition=found.edition,
            epoch=found.edition_changes,
            roles=roles,
        )

    def _roles(self, tenant: UUID, own: Iterable[access_pb2.Role]) -> Mapping[str, frozenset[str]]:
        platform = tenant == PLATFORM_TENANT
        named = {role.name.removeprefix("roles/"): expand(role.permissions, self._known[platform]) for role in own}
        return {**named, **self._built_in[platform]}

    async def api_key(self, tenant: UUID, key_id: str, secret: str) -> Identity | None:
        """The service account of a key, None if the key is no more or its account is disabled. Raises `Impostor`.

        An expired key still has an identity, so that its caller is told to get a new one. A wrong secret and a key that there is
        not cost the same statement and the same hash.
        """
        found = await self._found(tenant, key_id)
        right = keys.matches(secret, found[0].secret_hash if found else keys.NOBODYS)
        if found is not None and not right:
            raise Impostor(Principal(found[0].name, tenant, frozenset(), options.EDITION_UNSPECIFIED))
        return self._used(tenant, *found) if found is not None else None

    async def holder(self, tenant: UUID, key_id: str) -> Identity | None:
        """The same for a caller who has proven otherwise to have the key."""
        found = await self._found(tenant, key_id)
        return self._used(tenant, *found) if found is not None else None

    async def _found(self, tenant: UUID, key_id: str) -> tuple[access_pb2.ApiKey, access_pb2.ServiceAccount] | None:
        rows = await self._fetch(tenant, _KEY, key_id) if key_id.isascii() and key_id.isalnum() else ()
        if not rows:
            return None
        return access_pb2.ApiKey.FromString(rows[0]["key"]), access_pb2.ServiceAccount.FromString(rows[0]["account"])

    def _used(self, tenant: UUID, key: access_pb2.ApiKey, account: access_pb2.ServiceAccount) -> Identity | None:
        """Whose a key is, None if the account is disabled; that it was used is noted beside."""
        if account.disabled:
            return None
        if self.note_use is not None and clock.now() - key.last_used_time.ToDatetime(tzinfo=UTC) >= USE_BEHIND:
            noting = asyncio.create_task(self._note(self.note_use(tenant, key.name, clock.now())))
            self._noting.add(noting)
            noting.add_done_callback(self._noting.discard)
        expires = float(key.expire_time.ToSeconds()) if key.HasField("expire_time") else float("inf")
        return Identity(account.name, tenant, tuple(account.roles), account.partner, expires, service=True)

    async def _note(self, noted: Awaitable[None]) -> None:
        try:
            await noted
        except Failure as failure:
            _log.warning("the use of an API key was not noted: %s", failure)

    async def _fetch(self, tenant: UUID, sql: str, *arguments: object) -> Any:
        """Rows of a statement under the walls of a tenant; the transaction ends with the connection if it fails."""
        async with self._pool.acquire() as connection:
            await connection.execute(statements.begin(tenant, "", None, read_only=True))
            rows = await connection.fetch(sql, tenant, *arguments)
            await connection.execute("COMMIT")
        return rows
