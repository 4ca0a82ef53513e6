"""A curl call of a method: what must be sent, filled with values that keep the rules of their fields."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson

from revops_mesh.gateway.rest.pages.references import Json, resolved

CANDIDATES = (
    "example", "EUR", "DE", "1", "0.1", "de-DE", "Europe/Berlin", "catalog.products.get", "2030-01-31", "partners/example", "a",
    "0123456789abcdef" * 2, "https://example.com/hooks", "revops.quoting.v1.*",
)  # fmt: skip
"""Texts tried in turn where a pattern asks for a form."""
BY_FORMAT = {"date-time": "2030-01-31T12:00:00Z", "email": "anna@example.com", "uuid": "7d0c6e1b-2a90-4b5c-9f0e-6f2c4d3e1a52"}
ID = "[a-z0-9-]{1,63}"
DEEPEST = 6
"""Levels of required messages inside each other that are filled; a message that requires itself cannot be filled at all."""


def curl(path: str, verb: str, operation: Json, document: Json) -> str:
    """A shell command. It expects `REVOPS_URL` and `TOKEN` in the environment."""
    parameters = [resolved(parameter, document) for parameter in operation["parameters"]]
    for parameter in parameters:
        path = path.replace(f"{{{parameter['name']}}}", _id(parameter))
    updates = any(parameter["name"] == "updateMask" for parameter in parameters)
    raw = "application/json" not in operation.get("requestBody", {}).get("content", {"application/json": {}})
    body = None if raw else _body(operation, document, updates)
    query = [(p["name"], value(p["schema"], document)) for p in parameters if p["in"] == "query" and p.get("required")]
    query += [("updateMask", ",".join(body))] if updates and body else []
    asked = "&".join(f"{name}={quote(str(given), safe=',/:')}" for name, given in query)
    lines = [f'curl -X {verb.upper()} "$REVOPS_URL{path}{"?" + asked if asked else ""}"', '-H "Authorization: Bearer $TOKEN"']
    if any(parameter["name"] == "Idempotency-Key" for parameter in parameters):
        lines.append('-H "Idempotency-Key: example-$(date +%s)"')
    if raw:
        lines += ['-H "Content-Type: text/csv"', "--data-binary @example.csv"]
    if body is not None:
        written = orjson.dumps(body, option=orjson.OPT_INDENT_2).decode().replace("'", "'\\''")
        lines += ['-H "Content-Type: application/json"', f"-d '{written}'"]
    return " \\\n  ".join(lines)


def _id(parameter: Json) -> str:
    """An id for a path that says what it is of: `my-quote`."""
    telling = f"my-{parameter['name'].replace('_', '-')}"
    schema = parameter["schema"]
    return telling if re.search(schema.get("pattern", ""), telling) else _text(schema)


def _body(operation: Json, document: Json, updates: bool) -> dict[str, Any] | None:
    """What must be set; of an update, one field that may change."""
    if "requestBody" not in operation:
        return None
    schema = resolved(operation["requestBody"]["content"]["application/json"]["schema"], document)
    if not updates:
        return _message(schema, document, 0)
    changeable = [(name, stated) for name, stated in schema["properties"].items() if name != "etag" and not _fixed(stated)]
    changeable.sort(key=lambda field: (field[0] != "displayName", field[1].get("type") != "string"))
    return {name: value(stated, document) for name, stated in changeable[:1]}


def _fixed(schema: Json) -> bool:
    return any(schema.get(key) for key in ("readOnly", "x-immutable", "x-identifier"))


def _message(schema: Json, document: Json, depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        return {}
    properties = schema.get("properties", {})
    return {name: value(properties[name], document, depth + 1) for name in schema.get("required", ())}


def value(schema: Json, document: Json, depth: int = 0) -> Any:
    """A value that keeps a schema."""
    stated = resolved(schema, document)
    if "examples" in stated:
        return stated["examples"][0]
    if "const" in stated:
        return stated["const"]
    if "enum" in stated:
        refused = schema.get("not", {}).get("enum", ())
        return next(name for name in (*stated["enum"][1:], *stated["enum"]) if name not in refused)
    match stated.get("type"):
        case "array":
            return [value(stated["items"], document, depth + 1) for _ in range(stated.get("minItems", 1))]
        case "boolean":
            return True
        case "integer" | "number":
            return max(stated.get("minimum", 1), stated.get("exclusiveMinimum", 0) + 1)
        case "string":
            return _text(stated)
        case _:
            return _message(stated, document, depth)


def _text(schema: Json) -> str:
    if (form := schema.get("format")) in BY_FORMAT:
        return BY_FORMAT[form]
    patterns = [schema["pattern"], *(each["pattern"] for each in schema.get("allOf", ()))] if "pattern" in schema else []
    fitting = (text for text in _candidates(patterns) if all(re.search(pattern, text) for pattern in patterns))
    return next(fitting, "…")[: schema.get("maxLength")]


def _candidates(patterns: list[str]) -> Iterator[str]:
    """Texts that may fit, a resource name first where the pattern is one."""
    for pattern in patterns:
        if ID in pattern:
            named = re.sub(r"(\w+)/" + re.escape(ID), lambda m: f"{m[1]}/example", pattern).replace(ID, "example")
            yield re.sub(r"^\^(?:\(\?:)?|(?:\)\?)?\$$", "", named)
    yield from CANDIDATES
