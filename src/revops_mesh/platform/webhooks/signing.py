"""Signatures by the Standard Webhooks specification, and the secrets that make them: kept sealed, opened to sign.

A secret is `whsec_` and the base64 of 32 random bytes. It is sealed with the first secret of the installation and opened with
any, so that those can be exchanged. Source: Standard Webhooks 1.0, "Signature scheme" (symmetric, v1).
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from standardwebhooks.webhooks import Webhook

SECRET_BYTES = 32


class Unopened(Exception):
    """A secret was sealed with a secret that the installation no longer has."""


def mint() -> str:
    """A new secret."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sealed(secret: str, installation: Sequence[bytes]) -> bytes:
    """A secret as it is kept."""
    return _seal(installation).encrypt(secret.encode())


def opened(kept: bytes, installation: Sequence[bytes]) -> str:
    """A secret as it signs. Raises `Unopened`."""
    try:
        return _seal(installation).decrypt(kept).decode()
    except InvalidToken:
        raise Unopened("the signing secret was sealed with a secret that is gone: rotate it") from None


def _seal(installation: Sequence[bytes]) -> MultiFernet:
    keys = (hashlib.sha256(b"webhook signing secrets\0" + secret).digest() for secret in installation)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


def headers(event_id: str, now: datetime, body: str, signing: Sequence[str]) -> Mapping[str, str]:
    """The headers of an attempt; every live secret signs."""
    return {
        "content-type": "application/json",
        "user-agent": "revops-webhooks/1",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, now, body) for secret in signing),
    }
