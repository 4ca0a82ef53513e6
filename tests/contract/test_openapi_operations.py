"""What no contract has yet but may have tomorrow: other paths, streams, jobs, partial answers. Over the sample contract."""

from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.contract.sample import documented, edit, write_checkout

GET = 'option (google.api.http) = {get: "/v1/{name=deals/*}"};'
CLOSE = '      post: "/v1/{name=deals/*}:close"\n      body: "*"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    write_checkout(tmp_path)
    return tmp_path


def paths(checkout: Path) -> dict[str, Any]:
    """The paths of a document that is valid."""
    document = documented(checkout)
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    found: dict[str, Any] = document["paths"]
    return found


def test_the_sample_has_its_two_routes(checkout: Path) -> None:
    assert {path: list(item) for path, item in paths(checkout).items()} == {
        "/v1/deals/{deal}": ["get"],
        "/v1/deals/{deal}:close": ["post"],
    }


def test_every_additional_binding_is_an_operation_of_its_own(checkout: Path) -> None:
    edit(checkout, CLOSE, CLOSE + '      additional_bindings: {put: "/v1/closed/deals" body: "*"}\n')
    found = paths(checkout)
    assert found["/v1/deals/{deal}:close"]["post"]["operationId"] == "DealService_CloseDeal"
    assert found["/v1/closed/deals"]["put"]["operationId"] == "DealService_CloseDeal_2"
    first, second = (
        found[path][verb]["requestBody"]["content"]["application/json"]["schema"]
        for path, verb in (("/v1/deals/{deal}:close", "post"), ("/v1/closed/deals", "put"))
    )
    assert first == {"$ref": "#/components/schemas/revops.sales.v1.CloseDealRequest"}
    assert set(second["properties"]) == {"name", "requestId", "validateOnly"}, "nothing of it is in the path"


def test_ids_that_no_resource_pattern_names_have_the_name_of_their_collection(checkout: Path) -> None:
    edit(checkout, "/v1/{name=deals/*}:close", "/v1/{name=regions/*/closedDeals/*}:close")
    assert "/v1/regions/{region}/closedDeals/{closed_deal}:close" in paths(checkout)


def test_a_variable_of_one_segment_has_the_name_of_its_field(checkout: Path) -> None:
    edit(checkout, GET, GET.replace("{name=deals/*}", "deals/{name}"))
    parameter, _ = paths(checkout)["/v1/deals/{name}"]["get"]["parameters"]
    assert "pattern" not in parameter["schema"]


def test_an_anonymous_method_needs_no_credentials(checkout: Path) -> None:
    edit(checkout, 'permission: "sales.deals.get"', "anonymous: true")
    assert paths(checkout)["/v1/deals/{deal}"]["get"]["security"] == []


def test_a_job_says_what_it_answers_and_how_it_goes_on(checkout: Path) -> None:
    edit(checkout, 'import "google/protobuf/empty.proto";', 'import "google/longrunning/operations.proto";')
    edit(checkout, "google.protobuf.Empty", "Deal")
    edit(
        checkout,
        "rpc CloseDeal(CloseDealRequest) returns (Deal) {",
        "rpc CloseDeal(CloseDealRequest) returns (google.longrunning.Operation) {",
    )
    option = 'option (google.longrunning.operation_info) = {response_type: "Deal" metadata_type: "revops.sales.v1.DealWon"};'
    edit(checkout, "    option (google.api.http) = {\n", f"    {option}\n    option (google.api.http) = {{\n")
    answer = paths(checkout)["/v1/deals/{deal}:close"]["post"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    assert schema["$ref"] == "#/components/schemas/google.longrunning.Operation"
    assert schema["properties"] == {
        "response": {"$ref": "#/components/schemas/revops.sales.v1.Deal"},
        "metadata": {"$ref": "#/components/schemas/revops.sales.v1.DealWon"},
    }


def test_messages_inside_themselves_and_fields_that_exclude_each_other(checkout: Path) -> None:
    choice = "  // One.\n  oneof way {\n    // A.\n    string a = 2;\n    // B.\n    string b = 3;\n  }\n"
    edit(checkout, "message Buyer {\n", "message Buyer {\n  // Next.\n  Buyer next = 9;\n" + choice)
    schema = documented(checkout)["components"]["schemas"]["revops.sales.v1.Buyer"]
    assert schema["properties"]["next"]["$ref"] == "#/components/schemas/revops.sales.v1.Buyer"
    assert schema["not"] == {"required": ["a", "b"]}
    assert schema["properties"]["a"]["x-oneof"] == "way"
