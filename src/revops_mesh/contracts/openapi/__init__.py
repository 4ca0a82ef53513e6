"""The REST API as OpenAPI 3.1, made from descriptors and comments; the same contract gives the same bytes."""

from __future__ import annotations

from typing import Any

import orjson
from google.protobuf.descriptor_pool import DescriptorPool

from revops_mesh.contracts.model import Contract, Service
from revops_mesh.contracts.openapi import refusals
from revops_mesh.contracts.openapi.operations import HEADERS, PARAMETERS, Operations
from revops_mesh.contracts.openapi.schemas import Schemas
from revops_mesh.contracts.reasons import reasons

PATH = "openapi/revops.json"
"""Where the document stands below `generated/`."""

ABOUT = """\
Sales & RevOps over HTTP and JSON. Every method is also reachable over gRPC; both answer the same.

- **Who calls**: `Authorization: Bearer …` with a token of your identity provider, an API key, or a token that an API key got by
  OAuth 2.0 client credentials from `/oauth2/token`. The tenant follows from it.
- **Refusals** have one form (AIP-193): read `reason` in the `ErrorInfo`, and what to do in `x-revops-reasons`.
- **Repeating is safe**: send `Idempotency-Key` with a change; the same key gives the same answer.
- **Nothing is overwritten unseen**: send back the `etag` you read, in the request or as `If-Match`.
- **Lists** come in pages: pass `nextPageToken` as `pageToken`. `filter` is AIP-160, `orderBy` AIP-132, over filterable fields.
- **Limits** follow from the edition: `RateLimit` says what is left, 429 with `Retry-After` when to go on.
- **Deadlines**: say in `X-Request-Timeout` how many seconds you wait; nothing goes on for you after that.
- **Money** is a decimal text with a currency, never a binary float.
"""

SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the identity provider, for people, partners and services.",
    },
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "rk_<tenant>_<key id>_<secret>",
        "description": "A key of a service account, from `ServiceAccountService.CreateApiKey`; sent like a token.",
    },
    "oauth2": {
        "type": "oauth2",
        "description": "`client_id` is an API key up to its last `_`, `client_secret` what follows it. Scopes are permissions, "
        "or patterns of them as in `quoting.*`: they narrow what the account may do.",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": {"*": "All that the account may do."}}},
    },
}


def document(contract: Contract, pool: DescriptorPool) -> bytes:
    """The document as JSON, UTF-8, from a contract and the descriptors of the same image."""
    known = reasons(contract)
    schemas = Schemas(contract)
    paths = _paths(contract, pool, Operations(schemas, known))
    schemas.components["Refusal"] = refusals.refusal_schema(known.values())
    made = {
        "openapi": "3.1.0",
        "info": {"title": "Sales & RevOps", "version": "v1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in SECURITY_SCHEMES],
        "tags": [_tag(service) for service in _served(contract)],
        "x-tagGroups": _groups(contract),
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": {"Refusal": refusals.platform_response(known.values())},
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": SECURITY_SCHEMES,
        },
        "x-revops-reasons": {name: refusals.described(reason) for name, reason in known.items()},
    }
    return orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _paths(contract: Contract, pool: DescriptorPool, operations: Operations) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for service in _served(contract):
        rpcs = pool.FindServiceByName(service.full_name).methods_by_name
        for method in service.methods:
            for path, verb, operation in operations.of(method, rpcs[method.name]):
                paths.setdefault(path, {})[verb] = operation
    return paths


def _served(contract: Contract) -> list[Service]:
    """Services with a route, in the order of names."""
    found = [service for service in contract.services if any(method.routes for method in service.methods)]
    return sorted(found, key=lambda service: service.full_name)


def _tag(service: Service) -> dict[str, str]:
    return {"name": service.name, "description": service.comment, "x-revops-service": service.full_name}


def _groups(contract: Contract) -> list[dict[str, Any]]:
    groups: dict[str, list[str]] = {}
    for service in _served(contract):
        groups.setdefault(service.capability, []).append(service.name)
    return [{"name": capability, "tags": tags} for capability, tags in groups.items()]
