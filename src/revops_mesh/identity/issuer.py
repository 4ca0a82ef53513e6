"""Access tokens of this installation: short-lived, perhaps narrowed stand-ins for API keys. Source: RFC 9068. Times are seconds.

A token names its key and says nothing of roles: who may do what is looked up when it is used, as for the key itself.
"""

import json
from base64 import urlsafe_b64decode
from binascii import Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import KeySet

from revops_mesh.kernel import clock
from revops_mesh.kernel.names import new_id
from revops_mesh.kernel.principal import Principal

from .tokens import Tokens, unsound

LIVES_SECONDS = 900
TYPE = "at+jwt"
_ALGORITHMS = {("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "Ed25519"}
"""By type and curve of a key."""
_PUBLIC = ("kid", "kty", "crv", "x", "y")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for."""

    tenant: UUID
    key_id: str
    scopes: tuple[str, ...]
    """Patterns of permissions."""
    expires: float
    """Unix seconds."""


class Issuer:
    """Signs tokens with the first of the keys and recognises those that any of them signed."""

    def __init__(self, tokens: Tokens) -> None:
        """Takes over keys, name and audience; without private keys it only recognises."""
        self._tokens = tokens

    @property
    def name(self) -> str:
        """`iss` of its tokens, and where it is reached."""
        return self._tokens.issuer

    @property
    def signs(self) -> bool:
        """Whether it can issue tokens."""
        return bool(self._tokens.keys.keys) and self._tokens.keys.keys[0].is_private

    def issue(self, principal: Principal, scopes: Sequence[str]) -> str:
        """A token for the API key that a principal calls with."""
        key, now = self._tokens.keys.keys[0], int(clock.unix())
        claims = {
            "iss": self.name,
            "aud": self._tokens.audience,
            "sub": principal.name,
            "client_id": principal.key,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + LIVES_SECONDS,
            "jti": new_id(),
        }
        algorithm = _algorithm(key.as_dict(private=False))
        return jwt.encode({"alg": algorithm, "kid": key.kid, "typ": TYPE}, claims, key, algorithms=[algorithm])

    def public_keys(self) -> list[Mapping[str, str]]:
        """The public halves of its keys, as in a JSON Web Key Set."""
        shown = [key.as_dict(private=False) for key in self._tokens.keys]
        return [{**{n: str(key[n]) for n in _PUBLIC if n in key}, "alg": _algorithm(key), "use": "sig"} for key in shown]

    def issued(self, token: str) -> bool:
        """Whether a token says that it comes from here, which is to be verified."""
        try:
            body = token.split(".")[1]
            return bool(json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))["iss"] == self.name)
        except (Error, ValueError, IndexError, TypeError, KeyError, RecursionError):
            return False

    def grant(self, token: str) -> Grant:
        """What a token stands for; refused with CREDENTIALS_INVALID or CREDENTIALS_EXPIRED."""
        claims = self._tokens.claims(token, TYPE)
        try:
            _, tenant, key_id = claims["client_id"].split("_")
            return Grant(UUID(hex=tenant), key_id, tuple(claims["scope"].split()), float(claims["exp"]))
        except (ValueError, AttributeError, KeyError) as error:
            raise unsound(error) from None


def check_keys(keys: KeySet) -> None:
    """Raises `ValueError` for a key that tokens cannot be signed with."""
    for key in keys.keys:
        _algorithm(key.as_dict(private=False))


def _algorithm(key: Mapping[str, object]) -> str:
    found = _ALGORITHMS.get((str(key["kty"]), str(key.get("crv"))))
    if found is None:
        raise ValueError(f"key {key.get('kid')} is neither on P-256 nor on Ed25519")
    return found
