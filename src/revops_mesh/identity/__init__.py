"""Who calls: JSON Web Tokens (RFC 7519) against a key set (RFC 7517), and API keys.

A verification costs 50 to 100 µs, so a verified credential is remembered for a while, and never past its expiry; a change
of roles, edition or keys is noticed within 30 s.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import Failure, refuse
from revops_mesh.kernel.principal import Directory, Identity, Principal

REMEMBERED_SECONDS = 15.0
"""With as long again in the directory, a change is noticed within 30 s."""
MOST_REMEMBERED = 50_000
ALGORITHMS = ["ES256", "RS256", "Ed25519", "EdDSA"]
LONGEST_CREDENTIAL = 8192
KEY_PREFIX = "rk_"


class Tokens:
    """Verifies tokens of one issuer for one audience against a key set that may be replaced at any time."""

    def __init__(self, keys: KeySet, issuer: str, audience: str) -> None:
        self.keys, self.issuer, self.audience = keys, issuer, audience

    def verify(self, token: str) -> Identity:
        """The identity in a token; refused with CREDENTIALS_INVALID or CREDENTIALS_EXPIRED.

        Claims: `sub` ("users/anna"), `tenant` (UUID hex), `roles` (ids), `partner` (optional name), `service` (optional bool).
        """
        try:
            claims = jwt.decode(token, self.keys, algorithms=ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                now=lambda: int(clock.unix()),
                leeway=5,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self.audience},
                exp={"essential": True},
                sub={"essential": True},
            ).validate(claims)
            return _identity(claims)
        except ExpiredTokenError:
            raise refuse(platform.CREDENTIALS_EXPIRED, "The token has expired: get a new one.") from None
        except (JoseError, ValueError, TypeError, KeyError, UnicodeError) as error:
            raise _bad(type(error).__name__) from None


def _identity(claims: Mapping[str, Any]) -> Identity:
    return Identity(
        name=str(claims["sub"])[:300],
        tenant=UUID(hex=claims["tenant"]),
        roles=tuple(str(role) for role in claims.get("roles", ())),
        partner=str(claims.get("partner", "")),
        expires=float(claims["exp"]),
        service=bool(claims.get("service", False)),
    )


def _is_partner(name: str) -> bool:
    """The name goes into SQL as a literal: nothing but letters, digits and "-" behind its collection."""
    collection, _, own = name.partition("/")
    return collection == "partners" and 0 < len(own) <= 63 and own.isascii() and own.replace("-", "a").isalnum()


def _bad(problem: str) -> Failure:
    return refuse(platform.CREDENTIALS_INVALID, "The credentials are not valid: {problem}.", problem=problem)


class Authenticator:
    """Turns the credentials of a request into a principal, remembering the answer for a short while."""

    def __init__(self, tokens: Tokens, directory: Directory) -> None:
        self._tokens, self._directory = tokens, directory
        self._remembered: dict[str, tuple[float, Principal]] = {}

    def forget(self) -> None:
        """Forgets every verified credential, after keys were rotated."""
        self._remembered.clear()

    async def principal(self, metadata: Mapping[str, str]) -> Principal:
        """The caller; refused with CREDENTIALS_MISSING, CREDENTIALS_INVALID, CREDENTIALS_EXPIRED or TENANT_SUSPENDED."""
        header = metadata.get("authorization", "")
        if not header:
            raise refuse(platform.CREDENTIALS_MISSING, "Send credentials as `authorization: Bearer …`.")
        known, now = self._remembered.get(header), clock.unix()
        if known is not None and known[0] > now:
            return known[1]
        scheme, _, credential = header.partition(" ")
        if scheme.lower() != "bearer" or not credential or len(credential) > LONGEST_CREDENTIAL:
            raise _bad("expected `Bearer` and a token")
        identity = await self._identity(credential)
        if identity.expires <= now:
            raise refuse(platform.CREDENTIALS_EXPIRED, "The credential has expired: get a new one.")
        principal = await self._admitted(identity, credential)
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[header] = (min(now + REMEMBERED_SECONDS, identity.expires), principal)
        return principal

    async def _identity(self, credential: str) -> Identity:
        if not credential.startswith(KEY_PREFIX):
            return self._tokens.verify(credential)
        parts: Sequence[str] = credential.split("_")
        try:
            _, tenant, key_id, secret = parts
            identity = await self._directory.api_key(UUID(hex=tenant), key_id, secret)
        except ValueError:
            identity = None
        if identity is None:
            raise _bad("no such API key")
        return identity

    async def _admitted(self, identity: Identity, credential: str) -> Principal:
        if identity.partner and not _is_partner(identity.partner):
            raise _bad("malformed partner")
        standing = await self._directory.standing(identity.tenant)
        if standing is None:
            raise _bad("no such tenant")
        if not standing.active:
            raise refuse(platform.TENANT_SUSPENDED, "The tenant {tenant} is suspended.", tenant=standing.slug)
        permissions = frozenset[str]().union(*(standing.roles.get(role, frozenset()) for role in identity.roles))
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
        )

    async def resumed(self, identity: Identity) -> Principal:
        """Who was verified before, with what its roles permit by now; refused with TENANT_SUSPENDED."""
        return await self._admitted(identity, "")

    async def service(self, capability: str, tenant: UUID) -> Principal:
        """The principal of a capability's reactions and timers in a tenant."""
        standing = await self._directory.standing(tenant)
        if standing is None:
            raise _bad("no such tenant")
        name = f"services/{capability}"
        return Principal(name, tenant, frozenset(), standing.edition, epoch=standing.epoch, service=True)
