"""JSON Web Tokens (RFC 7519) of one issuer, verified against its key set (RFC 7517)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import Failure, refuse
from revops_mesh.kernel.principal import Identity

REMEMBERED_SECONDS = 15.0
"""With as long again in the directory, a change is noticed within 30 s."""
MOST_REMEMBERED = 50_000
ALGORITHMS = ["ES256", "RS256", "Ed25519", "EdDSA"]
LONGEST_CREDENTIAL = 8192
# What is said of a token whose key may be newer than the keys that were read.
KEY_UNKNOWN = "the key is unknown"


class Tokens:
    """Verifies tokens of one issuer for one audience against a key set that may be replaced at any time."""

    def __init__(self, keys: KeySet, issuer: str, audience: str) -> None:
        self.keys, self.issuer, self.audience = keys, issuer, audience

    def verify(self, token: str) -> Identity:
        """The identity in a token; refused with CREDENTIALS_INVALID or CREDENTIALS_EXPIRED.

        Claims: `sub` ("users/anna"), `tenant` (UUID hex), `roles` (ids), `partner` (optional name), `service` (optional bool).
        """
        try:
            return _identity(self.claims(token))
        except (ValueError, TypeError, KeyError) as error:
            raise unsound(error) from None

    def subject(self, token: str) -> tuple[str, float]:
        """`sub` and `exp` (Unix seconds) of a token that only says who; refused likewise."""
        claims = self.claims(token)
        return str(claims["sub"])[:300], float(claims["exp"])

    def claims(self, token: str, kind: str = "") -> Mapping[str, Any]:
        """What a token claims; `kind` is the `typ` that its header must have, if any. Refused likewise."""
        if len(token) > LONGEST_CREDENTIAL:
            raise invalid_credentials("expected a token")
        try:
            decoded = jwt.decode(token, self.keys, algorithms=ALGORITHMS)
            jwt.JWTClaimsRegistry(
                now=lambda: int(clock.unix()),
                leeway=5,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self.audience},
                exp={"essential": True},
                sub={"essential": True},
            ).validate(decoded.claims)
        except (JoseError, ValueError, TypeError, KeyError, UnicodeError) as error:
            raise unsound(error) from None
        if kind and decoded.header.get("typ") != kind:
            raise invalid_credentials(f"its typ is not {kind}")
        return decoded.claims


def remembered_until(now: float, expires: float) -> float:
    """How long a verified credential is remembered, never past its expiry."""
    return min(now + REMEMBERED_SECONDS, expires)


def unsound(error: Exception) -> Failure:
    """The refusal of a token that a library did not take, in words of ours: its own are names of its code."""
    if isinstance(error, ExpiredTokenError):
        return refuse(platform.CREDENTIALS_EXPIRED, "The token has expired: get a new one.")
    return invalid_credentials(KEY_UNKNOWN if isinstance(error, InvalidKeyIdError) else "forged, or no token of this form")


def invalid_credentials(problem: str) -> Failure:
    """The refusal of credentials that are malformed, forged, revoked or of somebody unknown."""
    return refuse(platform.CREDENTIALS_INVALID, "The credentials are not valid: {problem}.", problem=problem)


def _identity(claims: Mapping[str, Any]) -> Identity:
    return Identity(
        name=str(claims["sub"])[:300],
        tenant=UUID(hex=claims["tenant"]),
        roles=tuple(str(role) for role in claims.get("roles", ())),
        partner=str(claims.get("partner", "")),
        expires=float(claims["exp"]),
        service=bool(claims.get("service", False)),
    )
