"""References inside an OpenAPI document (`{"$ref": "#/…"}`)."""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

SCHEMAS = "#/components/schemas/"


def resolved(stated: Json, document: Json) -> Json:
    """What a reference means, together with what stands beside it; anything else as it is."""
    if (reference := stated.get("$ref")) is None:
        return stated
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return {**found, **{key: value for key, value in stated.items() if key != "$ref"}}


def schemas_in(value: Any) -> Iterator[str]:
    """Names of the schemas that a part of a document refers to, not through others."""
    if isinstance(value, Mapping):
        if (reference := value.get("$ref", "")).startswith(SCHEMAS):
            yield reference.removeprefix(SCHEMAS)
        value = list(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            yield from schemas_in(inner)
