"""AIP-158 page sizes and page tokens: the keyset values of the last row, signed and bound to the list they continue.

A token is base64url of a 16-byte HMAC-SHA256 and the values in MessagePack. It is signed, not encrypted: it holds only
values that its reader was just shown.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from msgspec import msgpack

from revops_mesh.aip import BadField

MAX_LENGTH = 16_384  # characters of a token
_BASE64URL = re.compile(r"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?")
_MAC_BYTES = 16
_PURPOSE = b"revops page token 1\0"  # keeps a signature from serving anything else under the same secret
_DECIMAL, _DATE = 1, 2  # extension types


def bind(*parts: str) -> bytes:
    """The binding of a token: method, tenant, parent, filter, order and whatever else it must not outlive."""
    return msgpack.encode(parts)


def encode(secrets: Sequence[bytes], values: Sequence[object], binding: bytes) -> str:
    """A token for values of type str, int, bool, Decimal, date, aware datetime or None, signed by the first secret.

    Raises TypeError for any other value: that is a bug, not bad input.
    """
    payload = msgpack.encode([_pack(value) for value in values])
    return base64.urlsafe_b64encode(_mac(secrets[0], binding, payload) + payload).rstrip(b"=").decode()


def decode(secrets: Sequence[bytes], token: str, binding: bytes) -> list[object]:
    """The values of a token that any of the secrets signed for the same binding; instants come back in UTC.

    Raises BadField("page_token", …) for a token that was changed, made elsewhere, or made for another list.
    """
    raw = b""
    if len(token) <= MAX_LENGTH and _BASE64URL.fullmatch(token):
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    one_spelling = base64.urlsafe_b64encode(raw).decode().rstrip("=") == token  # decoding ignores spare bits
    if not one_spelling or not any(hmac.compare_digest(mac, _mac(secret, binding, payload)) for secret in secrets):
        raise BadField("page_token", "does not belong to this list; pass it back unchanged, with the same parameters")
    values: list[object] = msgpack.decode(payload, type=list, ext_hook=_unpack)
    return values


def page_size(requested: int, default: int = 50, maximum: int = 1000) -> int:
    """Rows of a page: 0 asks for the default, more than the maximum gets the maximum.

    Raises BadField("page_size", …) for a negative size.
    """
    if requested < 0:
        raise BadField("page_size", f"is {requested}; it must be 0 or more")
    return min(requested or default, maximum)


def _mac(secret: bytes, binding: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE + len(binding).to_bytes(4, "big") + binding + payload, "sha256")[:_MAC_BYTES]


def _pack(value: object) -> object:
    match value:
        case Decimal():
            return msgpack.Ext(_DECIMAL, str(value).encode())
        case datetime() if value.tzinfo is not None:
            return value.astimezone(UTC)
        case date() if not isinstance(value, datetime):
            return msgpack.Ext(_DATE, value.isoformat().encode())
        case str() | int() | None:
            return value
    raise TypeError(f"a page token cannot hold {value!r}")


def _unpack(code: int, content: memoryview) -> object:
    text = bytes(content).decode()
    return Decimal(text) if code == _DECIMAL else date.fromisoformat(text)
