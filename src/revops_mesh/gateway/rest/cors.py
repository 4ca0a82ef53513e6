"""Cross-origin calls from browsers: closed unless origins are named. Source: https://fetch.spec.whatwg.org/#http-cors-protocol.

No cookies are involved, so credentials are never allowed: a page has to hold a token itself.
"""

from collections.abc import Collection, Mapping, Sequence

from .refusals import Headers

SENT = b"authorization, content-type, content-encoding, idempotency-key, if-match, if-none-match, traceparent, x-request-timeout"
"""Headers that a page may send."""
SHOWN = b"etag, ratelimit, ratelimit-policy, retry-after"
"""Headers that a page may read."""
KEPT_SECONDS = b"600"


class Cors:
    """What browsers are told; `*` lets every origin in."""

    def __init__(self, origins: Collection[str]) -> None:
        self.origins = frozenset(origin.encode() for origin in origins)

    def headers(self, origin: bytes | None) -> Headers:
        """Of every answer, when origins are named."""
        if b"*" in self.origins:
            return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", SHOWN)]
        if origin not in self.origins or origin is None:
            return [(b"vary", b"origin")]
        return [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", SHOWN), (b"vary", b"origin")]

    def preflight(self, headers: Mapping[bytes, bytes], verbs: Sequence[str]) -> Headers:
        """Of the answer to the question that a browser asks before."""
        if not self.origins or b"access-control-request-method" not in headers:
            return []
        allowed = ", ".join(verbs).encode()
        return [
            (b"access-control-allow-methods", allowed),
            (b"access-control-allow-headers", SENT),
            (b"access-control-max-age", KEPT_SECONDS),
        ]
