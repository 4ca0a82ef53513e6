"""The issuer's public keys (RFC 7517), from a file or URL, read again every minute and when a token names an unknown one.

Keys stay until the issuer's set no longer has them; a set that cannot be read changes nothing.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from urllib.request import urlopen

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from revops_mesh.identity import Tokens
from revops_mesh.identity.tokens import KEY_UNKNOWN
from revops_mesh.kernel.errors import Failure

REFRESH_SECONDS = 60.0
SHORTEST_SECONDS = 1.0
"""Between two readings, so that forged tokens cannot have the issuer asked at every call."""
ANSWER_SECONDS = 5.0
LARGEST = 1 << 20

_log = logging.getLogger("revops.jwks")


REPLACED_SECONDS = 5.0
"""How long after an exchange of keys a call may still have been verified with the old ones."""


class KeySource:
    """Keeps the keys of `tokens` current; `changed` is called when they are others, so that old verifications are forgotten."""

    def __init__(self, source: str, issuer: str, audience: str, check: Callable[[KeySet], None] = lambda _: None) -> None:
        """`check` raises `ValueError` for keys that are not to be taken."""
        self.tokens = Tokens(KeySet([]), issuer, audience)
        self.changed: Callable[[], None] = lambda: None
        self._source, self._check, self._text = source, check, b""
        self._read_at = self._replaced_at = float("-inf")
        self._turn = asyncio.Lock()

    async def load(self) -> None:
        """Reads the keys. Raises `OSError` when they cannot be read, `ValueError` when they are no key set."""
        self._read_at = monotonic()
        text = await asyncio.to_thread(_read, self._source)
        if text == self._text:
            return
        try:
            keys = KeySet.import_key_set(json.loads(text))
            self._check(keys)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self._source} is no JSON Web Key Set: {error}") from None
        if self._text:
            self._replaced_at = monotonic()
        self.tokens.keys, self._text = keys, text
        self.changed()
        _log.info("keys of the issuer: %s", ", ".join(str(key.kid) for key in keys))

    async def run(self) -> None:
        """Reads the keys every minute until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self._refresh()

    async def recover(self, failure: Failure) -> bool:
        """Whether a refused call may be tried again: its key was unknown and the keys have changed; takes up to a second.

        They may have changed just before, when the call had been verified with the old ones and not yet come here.
        """
        if failure.metadata.get("problem") != KEY_UNKNOWN:
            return False
        known, refused_at = self.tokens.keys, monotonic()
        async with self._turn:
            if self._read_at < refused_at:  # else somebody who waited before has read them
                await asyncio.sleep(self._read_at + SHORTEST_SECONDS - monotonic())
                await self._refresh()
        return self.tokens.keys is not known or monotonic() - self._replaced_at < REPLACED_SECONDS

    async def _refresh(self) -> None:
        try:
            await self.load()
        except (OSError, ValueError) as error:
            _log.warning("the issuer's keys stay as they are: %s", error)


def _read(source: str) -> bytes:
    if "://" not in source:
        return Path(source).read_bytes()
    with urlopen(source, timeout=ANSWER_SECONDS) as answer:
        text: bytes = answer.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ValueError(f"{source} is larger than {LARGEST} bytes")
    return text
