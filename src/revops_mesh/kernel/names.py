"""Resource names (AIP-122) and the ids inside them.

Server-assigned ids are UUIDv7 in lower-case Crockford base32, 26 characters, so that names sort by time.
"""

import re
from uuid import UUID, uuid5

import uuid_utils

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_NAMESPACE = UUID("6f2c4d3e-1a52-5c1b-9f0e-7d0c6e1b2a90")
_VARIABLE = re.compile(r"\\\{[a-z_]+\\\}")

PLATFORM_TENANT = UUID(int=1)
"""The tenant that owns the installation itself: its callers administer tenants."""


def new_uuid() -> UUID:
    """A UUIDv7."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def new_id() -> str:
    """An id for a resource name."""
    value = uuid_utils.uuid7().int
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


def derived(*parts: object) -> UUID:
    """The UUIDv5 that equal parts always give: ids of replays, principals and reservations."""
    return uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts))


class Pattern:
    """One resource name pattern, as in `quotes/{quote}/versions/{version}`."""

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.collection = pattern.rsplit("/", 2)[-2]
        self.nested = pattern.count("/") > 1
        self.matches = re.compile(_VARIABLE.sub("[a-z0-9-]{1,63}", re.escape(pattern))).fullmatch

    def name(self, resource_id: str, parent: str = "") -> str:
        """The name of a resource; `resource_id` empty means a new id."""
        own = f"{self.collection}/{resource_id or new_id()}"
        return f"{parent}/{own}" if parent else own


def parent_of(name: str) -> str:
    """The parent's name of a nested resource, "" for a top-level one."""
    return name.rsplit("/", 2)[0] if name.count("/") > 1 else ""
