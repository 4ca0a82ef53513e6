"""Signing keys in files: the development issuer, which gives tokens to whom one likes, and the installation's own issuer.

Sources: RFC 7517, RFC 7519; the claims are those that `identity.Tokens` reads. Times are seconds.
"""

import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from revops_mesh.kernel import clock

ISSUER = "https://issuer.revops.localhost"


class DevelopmentIssuer:
    """Issues ES256 tokens; refuses to where `REVOPS_ENV` says that this is no development."""

    def __init__(self, directory: Path, audience: str = "revops") -> None:
        """Creates the key (mode 0600) and `jwks.json` if they are absent."""
        if (env := os.environ.get("REVOPS_ENV", "development")) != "development":
            raise ValueError(f"the development issuer works with REVOPS_ENV=development only, not {env!r}")
        directory.mkdir(parents=True, exist_ok=True)
        self.jwks, self._audience, self._key = directory / "jwks.json", audience, _stored_key(directory / "issuer.json")
        self.jwks.write_text(json.dumps(KeySet([self._key]).as_dict(private=False)))

    def issue(self, subject: str, tenant: UUID, roles: Collection[str], partner: str = "", seconds: float = 86_400) -> str:
        """A token for `subject`, as in "users/anna", and for somebody of `partner`, as in "partners/acme"."""
        return self._signed(seconds, {"sub": subject, "tenant": tenant.hex, "roles": list(roles), "partner": partner})

    def issue_for_program(self, spiffe_id: str, seconds: float = 86_400) -> str:
        """A token that proves to other members which program its bearer is (JWT-SVID)."""
        return self._signed(seconds, {"sub": spiffe_id})

    def _signed(self, seconds: float, who: Mapping[str, object]) -> str:
        now = int(clock.unix())
        claims = {"iss": ISSUER, "aud": self._audience, **who, "iat": now, "exp": int(now + seconds)}
        return jwt.encode({"alg": "ES256", "kid": self._key.kid}, claims, self._key)


def _stored_key(path: Path) -> ECKey:
    """The key of a file; the first of several processes to get there creates it."""
    if not path.exists():
        fresh = _written(path, _fresh_key())
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return ECKey.import_key(json.loads(path.read_text()))


def add_token_key(path: Path) -> str:
    """Adds a fresh key behind those of a private key set in a file, which is created if absent (mode 0600); gives its id.

    Raises `OSError`, and `ValueError` when the file is no key set.
    """
    try:
        keys = json.loads(path.read_text())["keys"] if path.exists() else []
        added = _fresh_key()
        _written(path, {"keys": [*keys, added]}).replace(path)
    except (KeyError, TypeError):
        raise ValueError(f"{path} is no JSON Web Key Set") from None
    return str(added["kid"])


def _fresh_key() -> dict[str, Any]:
    return ECKey.generate_key("P-256", auto_kid=True).as_dict(private=True)


def _written(path: Path, content: object) -> Path:
    """A file beside a path that only its owner may read."""
    fresh = path.with_suffix(f".{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=1)
    return fresh
