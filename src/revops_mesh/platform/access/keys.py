"""API keys as they are shown and kept: `rk_<tenant hex>_<key id>_<secret>`, of which only the secret's SHA-256 is stored.

The secret is 32 random bytes in hex: enough that a fast hash keeps it safe, unlike a password.
"""

import hashlib
import hmac
import secrets
from uuid import UUID

SECRET_BYTES = 32
NOBODYS = bytes(32)
"""The hash of no known secret: what a secret is compared with when there is no key."""


def mint() -> str:
    """A new secret: 64 hex digits."""
    return secrets.token_hex(SECRET_BYTES)


def credential(tenant: UUID, key_id: str, secret: str) -> str:
    """What the caller sends as a bearer token. The tenant stands in it, so that no lookup precedes the tenant."""
    return f"rk_{tenant.hex}_{key_id}_{secret}"


def hashed(secret: str) -> bytes:
    """What is stored of a secret: 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


def matches(secret: str, stored: bytes) -> bool:
    """Whether a presented secret is the stored one, in time that does not depend on where they differ."""
    return hmac.compare_digest(hashed(secret), stored)
