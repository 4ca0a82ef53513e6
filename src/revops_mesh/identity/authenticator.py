"""Turns what a request brings into a principal: a token, an API key, or the proof of which program calls.

A verification costs 50 to 100 µs, so a verified credential is remembered for a while, and never past its expiry; a change
of roles, edition or keys is noticed within 30 s.
"""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.errors import refuse
from revops_mesh.kernel.peers import ASKING, PRINCIPAL, TENANT
from revops_mesh.kernel.principal import EVERYTHING, Directory, Identity, Impostor, Principal

from .issuer import Issuer
from .patterns import expand
from .programs import Programs
from .tokens import LONGEST_CREDENTIAL, MOST_REMEMBERED, Tokens, invalid_credentials, remembered_until

KEY_PREFIX = "rk_"
PROGRAMS = ("services/", "spiffe://")
"""How the names of programs begin; no capability may ask in the name of a person without that person's token."""


class Authenticator:
    """Turns the credentials of a request into a principal, remembering the answer for a short while."""

    def __init__(
        self, tokens: Tokens, directory: Directory, programs: Programs | None = None, issuer: Issuer | None = None
    ) -> None:
        """`tokens` are the identity provider's, `issuer` is the installation's own; without `programs` there are none."""
        self._tokens, self._directory, self.issuer = tokens, directory, issuer
        self._programs = programs or Programs("", (), tokens)
        self._remembered: dict[str, tuple[float, Principal]] = {}

    def forget(self) -> None:
        """Forgets every verified credential, after keys were rotated."""
        self._remembered.clear()
        self._programs.forget()

    async def principal(self, arrival: Arrival) -> Principal:
        """The caller; refused with CREDENTIALS_MISSING, CREDENTIALS_INVALID, CREDENTIALS_EXPIRED or TENANT_SUSPENDED."""
        header = arrival.metadata.get("authorization", "")
        if not header or TENANT in arrival.metadata:
            return await self._program(arrival.metadata, arrival)
        known, now = self._remembered.get(header), clock.unix()
        if known is not None and known[0] > now:
            return known[1]
        scheme, _, credential = header.partition(" ")
        if scheme.lower() != "bearer" or not credential or len(credential) > LONGEST_CREDENTIAL:
            raise invalid_credentials("expected `Bearer` and a token")
        identity = await self._identity(credential)
        if identity.expires <= now:
            raise refuse(platform.CREDENTIALS_EXPIRED, "The credential has expired: get a new one.")
        principal = await self._admitted(identity, credential)
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[header] = (remembered_until(now, identity.expires), principal)
        return principal

    def proven(self, arrival: Arrival) -> frozenset[str]:
        """The capabilities that the calling program proves to be; refused with CREDENTIALS_INVALID or CREDENTIALS_EXPIRED."""
        program = self._programs.calling(arrival)
        return program.capabilities if program is not None else frozenset()

    async def _program(self, metadata: Mapping[str, str], arrival: Arrival) -> Principal:
        """The principal of a program that calls without a token: it says for which tenant, and who it is is proven."""
        if TENANT not in metadata:
            raise refuse(platform.CREDENTIALS_MISSING, "Send credentials as `authorization: Bearer …`.")
        program = self._programs.calling(arrival)
        if program is None or "authorization" in metadata:
            raise invalid_credentials(f"{TENANT} is for known programs, without a token")
        try:
            tenant = UUID(hex=metadata[TENANT])
        except ValueError:
            raise invalid_credentials(f"{TENANT} is no UUID") from None
        if program.capabilities and ASKING in metadata and (name := metadata.get(PRINCIPAL, "")):
            if not name.startswith(PROGRAMS):
                raise invalid_credentials(f"{PRINCIPAL} names no program")
            return await self._named(name[:300], tenant)
        return await self._admitted(Identity(program.spiffe_id, tenant, program.roles, service=True), "")

    async def _identity(self, credential: str) -> Identity:
        if credential.startswith(KEY_PREFIX):
            return await self._holder(credential)
        if self.issuer is not None and self.issuer.issued(credential):
            grant = self.issuer.grant(credential)
            holder = await self._directory.holder(grant.tenant, grant.key_id)
            if holder is None:
                raise invalid_credentials("the API key of the token is no more")
            return replace(holder, scopes=grant.scopes, expires=min(holder.expires, grant.expires))
        return self._tokens.verify(credential)

    async def _holder(self, credential: str) -> Identity:
        """Whose an API key is. A wrong secret is refused like a key that there is not, and told to the audit of its tenant."""
        client_id, _, secret = credential.rpartition("_")
        refused = invalid_credentials("no such API key")
        try:
            _, tenant, key_id = client_id.split("_")
            identity = await self._directory.api_key(UUID(hex=tenant), key_id, secret)
        except ValueError:
            raise refused from None
        except Impostor as impostor:
            refused.suspect = impostor.suspect
            raise refused from None
        if identity is None:
            raise refused
        return replace(identity, key=client_id)

    async def _admitted(self, identity: Identity, credential: str) -> Principal:
        if identity.partner and not _is_partner(identity.partner):
            raise invalid_credentials("malformed partner")
        standing = await self._directory.standing(identity.tenant)
        if standing is None:
            raise invalid_credentials("no such tenant")
        if not standing.active:
            raise refuse(platform.TENANT_SUSPENDED, "The tenant {tenant} is suspended.", tenant=standing.slug)
        permissions = frozenset[str]().union(*(standing.roles.get(role, frozenset()) for role in identity.roles))
        if identity.scopes != EVERYTHING:
            permissions = expand(identity.scopes, permissions)
        return Principal(
            name=identity.name,
            tenant=identity.tenant,
            permissions=permissions,
            edition=standing.edition,
            partner=identity.partner,
            epoch=standing.epoch,
            service=identity.service,
            token=credential,
            roles=identity.roles,
            scopes=identity.scopes,
            key=identity.key,
        )

    async def resumed(self, identity: Identity) -> Principal:
        """Who was verified before, with what its roles permit by now; refused with TENANT_SUSPENDED."""
        return await self._admitted(identity, "")

    async def service(self, capability: str, tenant: UUID) -> Principal:
        """The principal of a capability's reactions and timers in a tenant."""
        return await self._named(f"services/{capability}", tenant)

    async def _named(self, name: str, tenant: UUID) -> Principal:
        """A program without permissions of its own, which acts on the grants of contracts, also in a suspended tenant."""
        standing = await self._directory.standing(tenant)
        if standing is None:
            raise invalid_credentials("no such tenant")
        return Principal(name, tenant, frozenset(), standing.edition, epoch=standing.epoch, service=True)


def _is_partner(name: str) -> bool:
    """The name goes into SQL as a literal: nothing but letters, digits and "-" behind its collection."""
    collection, _, own = name.partition("/")
    return collection == "partners" and 0 < len(own) <= 63 and own.isascii() and own.replace("-", "a").isalnum()
