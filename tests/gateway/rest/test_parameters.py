"""What path and query say becomes fields of the request: nested, repeated, of every kind, and never twice differently."""

from typing import Any

import pytest
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message import Message

from revops_mesh.gateway.protojson import Unreadable
from revops_mesh.gateway.rest.bindings import bindings
from revops_mesh.gateway.rest.requests import RequestReader
from tests.gateway.protojson.everything import PACKAGE, everything
from tests.gateway.rest.calling import binding

EVERYTHING: Any = everything()


def lab(verb: str, template: str, body: str = "") -> RequestReader:
    """Reads requests of a method that takes everything."""
    package = f"lab{abs(hash((verb, template, body)))}"
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package)
    file.dependency.append("revops/everything/v1/everything.proto")
    kind = f".{PACKAGE}.Everything"
    method = file.service.add(name="Service").method.add(name="Do", input_type=kind, output_type=kind)
    rule = method.options.Extensions[annotations_pb2.http]
    setattr(rule, verb, template)
    rule.body = body
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return RequestReader(bindings(pool.FindServiceByName(f"{package}.Service").methods_by_name["Do"])[0])


SEARCH = lab("get", "/v1/everything")


def searched(query: str) -> Message:
    return SEARCH.read(["v1", "everything"], query.encode(), ..., {})


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("oneString=a%20b%2Bc&one_int32=-5", {"one_string": "a b+c", "one_int32": -5}),
        ("oneString=", {}),
        ("oneString=%C3%A4", {"one_string": "ä"}),
        ("manyString=a&manyString=b", {"many_string": ["a", "b"]}),
        ("manyInt64=1&manyInt64=9223372036854775807", {"many_int64": [1, 2**63 - 1]}),
        ("oneBool=true&manyBool=false", {"one_bool": True, "many_bool": [False]}),
        ("oneColor=COLOR_RED&manyColor=2&manyColor=-5", {"one_color": 1, "many_color": [2, -5]}),
        ("oneDouble=1.5e3&manyDouble=-Infinity", {"one_double": 1500.0, "many_double": [float("-inf")]}),
        ("oneBytes=-_8%3D", {"one_bytes": b"\xfb\xff"}),
        ("oneTimestamp=1970-01-01T00:00:01Z", {"one_timestamp": {"seconds": 1}}),
        ("oneDuration=1.5s", {"one_duration": {"seconds": 1, "nanos": 500_000_000}}),
        ("oneFieldmask=a.b,cD", {"one_fieldmask": {"paths": ["a.b", "c_d"]}}),
        ("oneFieldmask=c_d,a", {"one_fieldmask": {"paths": ["c_d", "a"]}}),
        ("oneBoolvalue=false", {"one_boolvalue": {"value": False}}),
        ("oneInt64value=5&oneStringvalue=x", {"one_int64value": {"value": 5}, "one_stringvalue": {"value": "x"}}),
        ("eitherString=x", {"either_string": "x"}),
        ("maybeString=", {"maybe_string": ""}),
    ],
)  # fmt: skip
def test_parameters_are_read(query: str, fields: dict[str, Any]) -> None:
    assert searched(query) == EVERYTHING(**fields)


@pytest.mark.parametrize(
    ("query", "field", "problem"),
    [
        ("colour=red", "colour", "is no parameter"),
        ("oneInt32=x", "oneInt32", "whole number"),
        ("oneInt32=1_000", "oneInt32", "whole number"),
        ("oneInt32=2147483648", "oneInt32", "must be from"),
        ("oneBool=1", "oneBool", "true or false"),
        ("oneString=a&oneString=b", "oneString", "given twice"),
        ("oneString=a&one_string=b", "one_string", "given twice"),
        ("oneString=%FF", "query", "UTF-8"),
        ("oneString=\xff", "query", "UTF-8"),
        ("oneColor=COLOR_PINK", "oneColor", "must be one of"),
        ("oneTimestamp=now", "oneTimestamp", "instant"),
        ("oneStruct={}", "oneStruct", "is no parameter"),
        ("byNameString=x", "byNameString", "is no parameter"),
        ("&".join(f"manyString={n}" for n in range(1001)), "query", "more than 1000"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(query: str, field: str, problem: str) -> None:
    with pytest.raises(Unreadable) as refused:
        searched(query)
    assert refused.value.field == field
    assert problem in refused.value.description


def test_nested_fields_are_reached_with_dots() -> None:
    prices = RequestReader(binding("revops.platform.v1.ExchangeRateService.ResolveExchangeRate"))
    request: Any = prices.read([], b"fromCurrency=EUR&toCurrency=USD&date.year=2026&date.month=3&date.day=1", ..., {})
    assert (request.date.year, request.date.month, request.date.day) == (2026, 3, 1)


def test_a_path_fills_numbers_enums_and_several_segments() -> None:
    reader = lab("get", "/v1/{one_int32}/{one_color}/{one_string=things/*}")
    request = reader.read(["v1", "7", "COLOR_BLUE", "things", "a%20b%2Fc"], b"", ..., {})
    assert request == EVERYTHING(one_int32=7, one_color=2, one_string="things/a b%2Fc")
    with pytest.raises(Unreadable, match="one_int32"):
        reader.read(["v1", "x", "1", "things", "a"], b"", ..., {})
    with pytest.raises(Unreadable, match="UTF-8"):
        reader.read(["v1", "1", "1", "things", "%ff"], b"", ..., {})


def test_path_and_body_may_say_the_same_and_nothing_else() -> None:
    reader = lab("post", "/v1/{one_string=things/*}", "*")
    segments = ["v1", "things", "a"]
    assert reader.read(segments, b"", {"oneString": "things/a", "oneInt32": 1}, {}) == EVERYTHING(
        one_string="things/a", one_int32=1
    )
    with pytest.raises(Unreadable, match="differs from what the path says"):
        reader.read(segments, b"", {"oneString": "things/b"}, {})


def test_a_body_where_none_is_expected_is_refused() -> None:
    with pytest.raises(Unreadable, match="not expected"):
        SEARCH.read(["v1", "everything"], b"", {}, {})


def test_a_resource_in_the_body_leaves_the_rest_to_the_query() -> None:
    reader = lab("post", "/v1/everything", "one_everything")
    request = reader.read([], b"oneInt32=1", {"oneInt32": 2}, {})
    assert request == EVERYTHING(one_int32=1, one_everything=EVERYTHING(one_int32=2))
    with pytest.raises(Unreadable) as refused:
        reader.read([], b"", {"oneInt32": "x"}, {})
    assert refused.value.field == "one_everything.oneInt32"
