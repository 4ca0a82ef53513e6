"""The HTTP status of a refusal. Source: google/rpc/code.proto.

Imports nothing, so that the contract toolchain can use it before any code is generated.
"""

HTTP_STATUS = {
    "OK": 200,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
}
"""By the name of a `google.rpc.Code`."""

OF_REASON = {"HTTP_VERB_UNKNOWN": 405, "HTTP_BODY_TOO_LARGE": 413, "HTTP_MEDIA_TYPE_UNKNOWN": 415}
"""Reasons for which HTTP has a status of its own."""


def http_status(code: str, reason: str) -> int:
    """The status of a refusal with a canonical status, by name, and a reason."""
    return OF_REASON.get(reason) or HTTP_STATUS.get(code, 500)
