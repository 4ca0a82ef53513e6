"""A value keeps the JSON Schema of its field exactly when it keeps the rules of the contract, which protovalidate judges."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import protovalidate
import pytest
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor
from jsonschema import Draft202012Validator

from revops_mesh.contracts import openapi
from revops_mesh.contracts.model import RULES, Contract, descriptors
from tests.contract.methods import ROOT, contract
from tests.contract.sample import documented, edit, write_checkout

POOL = descriptors((ROOT / "generated" / "contract.binpb").read_bytes())
TEXTS = (
    "", "a", "A", "EUR", "eur", "DE", "0", "1", "-1", "0.5", "1.0", "1.5", "-0.5", "1204.50", "1e3", "12,5", "00",
    "0.0000000", "007",
    "partners/acme", "partners/", "partners/ACME", "products/a", "products/a/ratePlans/b", "a-b", "a_b", "a b", "Ä",
    "0b0e2d6c-54fb-4f2a-9d5e-6a1f0a2b3c4d", "x" * 63, "x" * 64, "x" * 200, "x" * 201, "x" * 1000, "x" * 1001, "9" * 18, "9" * 19,
    "Europe/Berlin", "2024-02-29", "catalog.products.get", "*", "a.b.c", "SHA-256",
)  # fmt: skip
NUMBERS = (-1, 0, 1, 2, 6, 7, 8, 12, 31, 60, 119, 120, 121, 1439, 1440, 1441, 525_600, 525_601, 2**31 - 1)
LENGTHS = (0, 1, 2, 7, 8, 9, 10, 11, 20, 21, 50, 51, 100, 101, 366, 367, 500, 501, 1000, 1001)


@cache
def schemas() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "generated" / openapi.PATH).read_bytes())["components"]["schemas"]
    return found


def ruled(contract: Contract) -> list[str]:
    """Fields with rules whose message is a component, by full name."""
    return [f.full_name for m in contract.messages.values() if m.full_name in schemas() for f in m.fields if RULES in f.options]


def probes(field: FieldDescriptor) -> Iterator[Any]:
    """Values of a field in JSON: inside, at and beyond every bound of the contract."""
    if field.message_type is not None and not field.is_repeated:
        return
    if field.enum_type is not None:
        one: tuple[Any, ...] = tuple(value.name for value in field.enum_type.values)
    elif field.message_type is not None:
        one = ({},)
    else:
        one = TEXTS if field.type == FieldDescriptor.TYPE_STRING else NUMBERS
    if not field.is_repeated:
        yield from one
        return
    yield from ([value] for value in one)
    yield from ([one[0], one[-1], one[0]], [one[0]] * 2)
    yield from (list(distinct(one, length)) for length in LENGTHS)


def distinct(values: tuple[Any, ...], length: int) -> Iterator[Any]:
    """So many values, different ones if they are texts."""
    for i in range(length):
        yield f"v{i}" if isinstance(values[0], str) and "" in values else values[i % len(values)]


def keeps_rules(field: FieldDescriptor, value: Any) -> bool:
    """Whether protovalidate finds nothing wrong with the field itself, messages inside it aside; False if it cannot be read."""
    message = message_factory.GetMessageClass(field.containing_type)()
    try:
        json_format.ParseDict({field.json_name: value}, message)
    except json_format.ParseError:
        return False
    for violation in protovalidate.collect_violations(message):
        place = violation.proto.field
        inside = field.is_repeated and field.message_type is not None and not violation.proto.rule_id.startswith("repeated.")
        if place is not None and len(place.elements) == 1 and place.elements[0].field_name == field.name and not inside:
            return False
    return True


def keeps_schema(field: FieldDescriptor, value: Any) -> bool:
    schema = schemas()[field.containing_type.full_name]["properties"].get(field.json_name)
    if field.is_repeated and field.message_type is not None:
        schema = {key: keyword for key, keyword in schema.items() if key != "items"}
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(schema | {"components": {"schemas": schemas()}}, format_checker=checker).is_valid(value)


def looser(field: FieldDescriptor, value: Any) -> bool:
    """Where the schema is known to say less, or more, than the rules: e-mail addresses, and empty texts beside a format."""
    schema = schemas()[field.containing_type.full_name]["properties"][field.json_name]
    return "format" in schema and (value == "" or schema["format"] == "email")


@pytest.mark.parametrize("name", ruled(contract()))
def test_a_value_keeps_the_schema_exactly_when_it_keeps_the_rules(name: str) -> None:
    message, _, own = name.rpartition(".")
    field = POOL.FindMessageTypeByName(message).fields_by_name[own]
    if field.json_name not in schemas()[message]["properties"]:
        return
    for value in probes(field):
        if not looser(field, value):
            assert keeps_schema(field, value) == keeps_rules(field, value), f"{name}: {value!r}"


def deal(checkout: Path, field: str) -> Any:
    """The schema of a field that is added to the sample's deal."""
    edit(checkout, "  // How warm it is.\n", f"  // New.\n  {field};\n  // How warm it is.\n")
    properties = documented(checkout)["components"]["schemas"]["revops.sales.v1.Deal"]["properties"]
    return next(schema for schema in properties.values() if schema["description"] == "New.")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes key = 20", {"type": "string", "contentEncoding": "base64"}),
        ("int64 size = 20", {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}),
        ("uint32 size = 20 [(buf.validate.field).uint32.gt = 3]", {"exclusiveMinimum": 3, "minimum": 0}),
        ("double share = 20 [(buf.validate.field).double = {gte: 0, lt: 1}]", {"minimum": 0.0, "exclusiveMaximum": 1.0}),
        ('string tag = 20 [(buf.validate.field).string.prefix = "a.b"]', {"pattern": "^a\\.b"}),
        ('string tag = 20 [(buf.validate.field).string = {in: ["a", "b"]}]', {"enum": ["a", "b"]}),
        ('string tag = 20 [(buf.validate.field).string = {max_len: 9, example: ["a"]}]', {"maxLength": 9, "examples": ["a"]}),
        ("string tag = 20 [(buf.validate.field).string.len = 4]", {"minLength": 4, "maxLength": 4}),
        (
            "map<string, int32> sizes = 20 [(buf.validate.field).map = "
            "{max_pairs: 3, keys: {string: {max_len: 5}}, values: {int32: {gte: 1}}}]",
            {
                "type": "object",
                "maxProperties": 3,
                "propertyNames": {"maxLength": 5},
                "additionalProperties": {"type": "integer", "format": "int32", "minimum": 1},
            },
        ),
        ("repeated Warmth past = 20 [(buf.validate.field).repeated = {unique: true}]", {"uniqueItems": True}),
        ("Warmth next = 20 [(buf.validate.field).enum = {in: [1]}]", {"enum": ["WARMTH_WARM"]}),
        (
            "int32 size = 20 [(buf.validate.field) = {ignore: IGNORE_IF_ZERO_VALUE, int32: {gte: 5}}]",
            {"anyOf": [{"const": 0}, {"minimum": 5}]},
        ),
    ],
)
def test_types_and_rules_have_keywords(field: str, expected: dict[str, Any], tmp_path: Path) -> None:
    write_checkout(tmp_path)
    found = deal(tmp_path, field)
    assert {key: found[key] for key in expected} == expected
    assert "x-validate" not in found


def test_a_rule_without_a_keyword_is_kept_in_words(tmp_path: Path) -> None:
    write_checkout(tmp_path)
    rule = 'cel = {id: "deal.tag", message: "must be odd", expression: "size(this) % 2 == 1"}'
    found = deal(tmp_path, f"string tag = 20 [(buf.validate.field).{rule}]")
    assert found["x-validate"]["cel"][0]["message"] == "must be odd"
