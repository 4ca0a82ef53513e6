"""What an operation may refuse: its reasons by HTTP status, and the form of a refusal (AIP-193)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from revops_mesh.contracts.reasons import Reason
from revops_mesh.gateway.rest.statuses import HTTP_STATUS

_TYPE = "type.googleapis.com/google.rpc."


def responses(found: Iterable[Reason]) -> dict[str, Any]:
    """The responses of an operation that refuses with these reasons, beside those of the platform that hold for all."""
    by_status: dict[int, list[Reason]] = {}
    for reason in found:
        by_status.setdefault(reason.http_status, []).append(reason)
    own = {
        str(status): {
            "description": "\n".join(f"- `{reason.name}`: {reason.meaning}" for reason in sharing),
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
            "x-revops-reasons": [reason.name for reason in sharing],
        }
        for status, sharing in sorted(by_status.items())
    }
    return own | {"default": {"$ref": "#/components/responses/Refusal"}}


def described(reason: Reason) -> dict[str, Any]:
    """A reason as an entry of `x-revops-reasons` at the root."""
    return {
        "domain": reason.domain,
        "code": reason.code,
        "httpStatus": reason.http_status,
        "metadata": list(reason.metadata),
        "description": reason.meaning,
    }


def platform_response(known: Iterable[Reason]) -> dict[str, Any]:
    """The response that every operation has: the platform's own reasons."""
    shown = [reason for reason in known if reason.platform]
    lines = [f"- `{reason.name}` ({reason.http_status}): {reason.meaning}" for reason in shown]
    return {
        "description": "Any method may also be refused with:\n\n" + "\n".join(lines),
        "headers": {
            "Retry-After": {"$ref": "#/components/headers/RetryAfter"},
            "RateLimit": {"$ref": "#/components/headers/RateLimit"},
        },
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
        "x-revops-reasons": [reason.name for reason in shown],
    }


def refusal_schema(known: Iterable[Reason]) -> dict[str, Any]:
    """The form of every refusal: `error` with one `ErrorInfo` among its details."""
    error = {
        "type": "object",
        "required": ["code", "message", "status"],
        "properties": {
            "code": {"type": "integer", "description": "HTTP status."},
            "message": {"type": "string", "description": "What happened, for people."},
            "status": {
                "type": "string",
                "description": "Canonical status.",
                "enum": [code for code in HTTP_STATUS if code != "OK"],
            },
            "details": {
                "type": "array",
                "description": "One `ErrorInfo`; `BadRequest` if fields are at fault; `RetryInfo` if repeating helps.",
                "items": {"anyOf": [_error_info(known), _bad_request(), _retry_info()]},
            },
        },
    }
    return {"type": "object", "description": "A refusal (AIP-193).", "required": ["error"], "properties": {"error": error}}


def _error_info(known: Iterable[Reason]) -> dict[str, Any]:
    domains = sorted({reason.domain for reason in known})
    text = {"type": "string"}
    return _detail(
        "ErrorInfo",
        {
            "reason": text | {"description": "Why, for programs: a key of `x-revops-reasons`."},
            "domain": text | {"description": "Package of the reason.", "enum": domains},
            "metadata": {
                "type": "object",
                "description": "What the reason's metadata keys say.",
                "additionalProperties": text,
            },
        },
    )


def _bad_request() -> dict[str, Any]:
    text = {"type": "string"}
    violation = {
        "type": "object",
        "properties": {
            "field": text | {"description": "Path of the field."},
            "description": text | {"description": "Its problem."},
        },
    }
    return _detail("BadRequest", {"fieldViolations": {"type": "array", "items": violation}})


def _retry_info() -> dict[str, Any]:
    delay = {"type": "string", "description": "Seconds to wait before repeating, as in `0.5s`."}
    return _detail("RetryInfo", {"retryDelay": delay})


def _detail(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    kind = {"@type": {"const": f"{_TYPE}{name}"}}
    return {"type": "object", "title": name, "required": ["@type"], "properties": kind | properties}
