"""The OpenAPI document says of every method what the contract and the bridge say of it, and nothing else."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from google.api import field_behavior_pb2
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.descriptor import MethodDescriptor
from google.rpc import code_pb2
from openapi_spec_validator import OpenAPIV31SpecValidator
from revops.options.v1 import options_pb2 as options

from revops_mesh.contracts import openapi
from revops_mesh.contracts.model import descriptors, read
from revops_mesh.contracts.reasons import reasons
from revops_mesh.gateway.rest.bindings import Binding, bindings
from revops_mesh.gateway.rest.refusals import Refused
from revops_mesh.gateway.rest.routes import Route
from revops_mesh.gateway.rest.statuses import HTTP_STATUS, http_status
from revops_mesh.kernel.contract import Method, described
from tests.contract.methods import METHODS, ROOT, contract, documented_reasons, each, public

IMAGE = ROOT / "generated" / "contract.binpb"
VERBS = {"get", "put", "post", "delete", "patch"}


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "generated" / openapi.PATH).read_bytes())
    return found


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, verb and operation."""
    for path, item in document()["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def operations_of(method: Method) -> list[tuple[str, str, dict[str, Any]]]:
    wanted = method.path.removeprefix("/")
    return [found for found in operations() if found[2]["x-revops-rpc"] == wanted]


def descriptor_of(method: Method) -> MethodDescriptor:
    service = described(method.request).file.pool.FindServiceByName(method.full_name.rpartition(".")[0])
    found: MethodDescriptor = service.methods_by_name[method.name]
    return found


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference means, with what stands beside the reference."""
    if (reference := schema.get("$ref")) is None:
        return schema
    found: Any = document()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def schema_of(body: dict[str, Any]) -> dict[str, Any]:
    return resolved(body["content"]["application/json"]["schema"])


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(inner)


def test_the_document_is_valid_openapi() -> None:
    assert [f"{error.json_path}: {error.message}" for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


def test_the_validator_sees_a_fault() -> None:
    broken = json.loads(json.dumps(document()))
    broken["paths"]["/v1/quotes/{quote}"]["get"]["parameters"] = []
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_every_reference_resolves_and_every_component_is_used() -> None:
    references = {part["$ref"] for part in parts(document()) if "$ref" in part}
    for reference in references:
        resolved({"$ref": reference})
    for kind in ("schemas", "parameters", "headers", "responses"):
        assert {f"#/components/{kind}/{name}" for name in document()["components"][kind]} <= references


def test_the_same_contract_gives_the_same_bytes() -> None:
    image = IMAGE.read_bytes()
    assert openapi.document(read(image), descriptors(image)) == (ROOT / "generated" / openapi.PATH).read_bytes()


def test_there_are_as_many_operations_as_bindings() -> None:
    bound = [binding for method in METHODS for binding in bindings(descriptor_of(method))]
    assert len(list(operations())) == len(bound)
    assert {verb for _, verb, _ in operations()} <= VERBS


@each()
def test_a_method_is_there_once_a_binding_and_an_internal_one_never(method: Method) -> None:
    found = {operation["x-revops-route"] for _, _, operation in operations_of(method)}
    assert found == {f"{binding.verb} {binding.template}" for binding in bindings(descriptor_of(method))}
    assert bool(found) != method.internal


@each(public)
def test_a_path_with_ids_filled_in_reaches_the_method(method: Method) -> None:
    for (path, verb, operation), binding in zip(operations_of(method), bindings(descriptor_of(method)), strict=True):
        ids = [p["name"] for p in operation["parameters"] if p.get("in") == "path"]
        segments, _, action = path.removeprefix("/").partition(":")
        assert (verb.upper(), action) == (binding.verb, binding.action)
        assert [f"{{{name}}}" for name in ids] == [s for s in segments.split("/") if s.startswith("{")]
        assert tuple("*" if s.startswith("{") else s for s in segments.split("/")) == binding.segments


@each(public)
def test_every_field_of_a_request_is_path_query_or_body(method: Method) -> None:
    for (_, _, operation), binding in zip(operations_of(method), bindings(descriptor_of(method)), strict=True):
        query = [p["name"] for p in operation["parameters"] if p.get("in") == "query"]
        assert query == [parameter.name for parameter in binding.parameters]
        assert ("requestBody" in operation) == bool(binding.body)
        if binding.body and "*/*" in operation["requestBody"]["content"]:
            assert operation["requestBody"]["content"]["*/*"]["schema"]["format"] == "binary"
        elif binding.body:
            assert set(schema_of(operation["requestBody"])["properties"]) == in_body(binding)


def in_body(binding: Binding) -> set[str]:
    """JSON names of the fields that the body of a binding holds."""
    request = binding.method.input_type
    if binding.body != "*":
        resource = request.fields_by_name[binding.body].message_type
        assert resource is not None
        return {field.json_name for field in resource.fields}
    return {f.json_name for f in request.fields if f.name not in {variable.path for variable in binding.variables}}


@each(public)
def test_the_headers_are_those_that_the_bridge_reads(method: Method) -> None:
    for (_, _, operation), binding in zip(operations_of(method), bindings(descriptor_of(method)), strict=True):
        headers = {p["$ref"].rpartition("/")[2] for p in operation["parameters"] if "$ref" in p}
        route = Route(binding)
        ids = ["0" for segment in binding.segments if segment == "*"]
        segments = [ids.pop() if segment == "*" else segment for segment in binding.segments]
        required = {b"idempotency-key": b"key", b"if-match": b'"3"'}
        for header, name in ((b"idempotency-key", "IdempotencyKey"), (b"if-match", "IfMatch")):
            if header == b"idempotency-key" and route.request.reads:
                assert name not in headers
                continue
            try:
                route.request.read(segments, b"", ..., {header: required[header]})
            except Refused:
                assert name not in headers
            else:
                assert name in headers
        cached = route.has_etag and route.request.reads and not route.streams
        assert ("IfNoneMatch" in headers, "304" in operation["responses"]) == (cached, cached)


@each(public)
def test_a_policy_is_the_contracts(method: Method) -> None:
    for _, _, operation in operations_of(method):
        edition = options.Edition.Name(method.policy.edition or options.EDITION_FREE).removeprefix("EDITION_")
        assert operation.get("x-revops-permission", "") == method.policy.permission
        assert (operation.get("security") == []) == method.policy.anonymous
        assert operation["x-revops-edition"] == edition
        assert operation.get("x-revops-reads", False) == method.reads
        assert operation.get("x-revops-emits", []) == list(method.policy.emits)
        assert operation.get("x-revops-asks", []) == list(method.policy.asks)
        assert (operation.get("x-revops-scope") == "PLATFORM") == (method.policy.scope == options.SCOPE_PLATFORM)


@each(public)
def test_the_documented_reasons_are_there_under_their_status(method: Method) -> None:
    known = reasons(contract())
    for _, _, operation in operations_of(method):
        found = {
            name: status
            for status, response in operation["responses"].items()
            for name in resolved(response).get("x-revops-reasons", [])
            if status != "default"
        }
        assert set(found) == documented_reasons(method.full_name)
        assert all(int(status) == http_status(known[name].code, name) for name, status in found.items())


def test_every_reason_says_its_domain_status_and_metadata() -> None:
    root = document()["x-revops-reasons"]
    assert set(root) == set(reasons(contract()))
    assert root["QUOTE_STATE"] == {
        "domain": "revops.quoting.v1",
        "code": "FAILED_PRECONDITION",
        "httpStatus": 400,
        "metadata": ["quote", "state", "allowed"],
        "description": "The verb does not fit the state.",
    }
    platform = resolved({"$ref": "#/components/responses/Refusal"})["x-revops-reasons"]
    assert {root[name]["domain"] for name in platform} == {"revops.platform.v1"}


def test_every_canonical_status_has_a_status_over_http() -> None:
    assert set(HTTP_STATUS) == set(code_pb2.Code.keys())


@each(public)
def test_comments_of_methods_and_fields_are_descriptions(method: Method) -> None:
    commented = next(m for m in contract().methods if m.full_name == method.full_name)
    for _, _, operation in operations_of(method):
        assert operation["description"] == commented.comment
        assert operation["summary"]
        for parameter in operation["parameters"]:
            assert resolved(parameter)["description"]


def test_no_field_of_ours_is_without_description() -> None:
    schemas = document()["components"]["schemas"]
    for name, schema in schemas.items():
        if name.startswith("revops."):
            assert schema["description"], name
            for field, property_ in schema.get("properties", {}).items():
                assert property_["description"], f"{name}.{field}"


@pytest.mark.parametrize("name", sorted(n for n in contract().messages if not contract().messages[n].map_entry))
def test_a_field_that_callers_cannot_set_is_read_only_and_never_required(name: str) -> None:
    schema = document()["components"]["schemas"].get(name)
    if schema is None:
        return
    needed = schema.get("required", []) + schema.get("x-required-on-create", [])
    pool = descriptors(IMAGE.read_bytes())
    for field in pool.FindMessageTypeByName(name).fields:
        behaviors = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
        property_ = schema["properties"].get(field.json_name, {})
        assert bool(property_.get("readOnly")) == (field_behavior_pb2.OUTPUT_ONLY in behaviors and bool(property_))
        assert not (property_.get("readOnly") and field.json_name in needed)
        if field_behavior_pb2.REQUIRED in behaviors and property_:
            assert field.json_name in needed


def test_what_an_update_may_leave_out_is_required_only_of_a_creation() -> None:
    paths = document()["paths"]
    create = paths["/v1/quotes"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    update = paths["/v1/quotes/{quote}"]["patch"]["requestBody"]["content"]["application/json"]["schema"]
    assert create["required"] == ["account", "currencyCode"]
    assert "required" not in resolved(update)
    assert "required" in resolved(resolved(create)["properties"]["lines"]["items"])


def test_a_stream_is_lines_or_server_sent_events_unless_it_is_content_as_it_is() -> None:
    for method in filter(lambda method: method.streams, METHODS):
        forms = {"*/*"} if method.response is HttpBody else {"application/x-ndjson", "text/event-stream"}
        for _, _, operation in operations_of(method):
            assert set(operation["responses"]["200"]["content"]) == forms
