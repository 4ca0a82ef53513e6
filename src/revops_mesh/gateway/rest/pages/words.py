"""Schemas in words: what type a value has, and what is asked of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from revops_mesh.gateway.rest.pages.references import SCHEMAS, Json

WORDS = {
    "string": "text",
    "int32": "integer",
    "object": "empty",
    "date-time": "instant",
    "uuid": "UUID",
    "field-mask": "field mask",
}
"""Names of types for people."""

SPECIALITIES = {
    "readOnly": "set by the server",
    "writeOnly": "never answered",
    "x-immutable": "set once",
    "x-identifier": "identifies it",
    "uniqueItems": "no duplicates",
    "x-revops-unique": "unique",
    "x-revops-filterable": "can be filtered",
    "x-revops-read-permission": "needs {}",
    "x-revops-scoping": "partners see their own only",
    "x-revops-data-class": "{} data",
}
"""What is special about a field, by keyword."""


@dataclass(frozen=True)
class Kind:
    """A type by name; `target` is the full name of a message or enum that is explained elsewhere on the page."""

    text: str
    target: str = ""
    around: str = "{}"
    """As in `list of {}`."""


def name_of(full_name: str) -> str:
    """A full name without its package: `Quote.State` of `revops.quoting.v1.Quote.State`."""
    parts = full_name.split(".")
    first = next((i for i, part in enumerate(parts) if part[:1].isupper()), 0)
    return ".".join(parts[first:])


def kind_of(schema: Json) -> Kind:
    """The type that a schema asks for."""
    if "$ref" in schema:
        full_name = schema["$ref"].removeprefix(SCHEMAS)
        return Kind(name_of(full_name), full_name)
    if schema.get("type") == "array":
        inner = kind_of(schema.get("items", {}))
        return Kind(inner.text, inner.target, f"list of {inner.around}")
    if isinstance(schema.get("additionalProperties"), Mapping):
        inner = kind_of(schema["additionalProperties"])
        return Kind(inner.text, inner.target, f"map of text to {inner.around}")
    stated = schema.get("format") or schema.get("x-format") or schema.get("contentEncoding") or schema.get("type", "any")
    names: list[str] = stated if isinstance(stated, list) else [stated]
    return Kind(" or ".join(WORDS.get(name, name) for name in names))


def notes(schema: Json) -> Iterator[str]:
    """Bounds and specialities of a schema, in words."""
    yield from _bounds(schema)
    if names := schema.get("not", {}).get("enum"):
        yield "not " + ", ".join(map(str, names))
    if pattern := schema.get("pattern"):
        yield f"pattern `{pattern}`"
    if "enum" in schema:
        yield "one of " + ", ".join(map(str, schema["enum"]))
    if "x-oneof" in schema:
        yield f"at most one field of `{schema['x-oneof']}`"
    if "x-resource" in schema:
        yield f"names a {schema['x-resource'].removeprefix('revops/')}"
    for rule in schema.get("x-validate", {}).get("cel", ()):
        yield rule["message"]
    yield from (text.format(schema[key]) for key, text in SPECIALITIES.items() if schema.get(key))


def _bounds(schema: Json) -> Iterator[str]:
    for low, high, unit in (
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " entries"),
        ("minProperties", "maxProperties", " entries"),
        ("minimum", "maximum", ""),
    ):
        least, most = schema.get(low), schema.get(high)
        if least is not None and most is not None:
            yield f"{least:,} to {most:,}{unit}"
        elif most is not None:
            yield f"at most {most:,}{unit}"
        elif least is not None:
            yield f"at least {least:,}{unit}"
    if (bound := schema.get("exclusiveMinimum")) is not None:
        yield f"above {bound:,}"
    if (bound := schema.get("exclusiveMaximum")) is not None:
        yield f"below {bound:,}"
