"""What stories send and get keeps the document: each method's request and each of its answers, as JSON."""

from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format
from jsonschema import Draft202012Validator

from revops_mesh.gateway.rest.bindings import bindings
from tests.contract.methods import Method, each, owner_of, public, send
from tests.contract.stories import STORIES
from tests.contract.test_openapi import descriptor_of, document, operations_of
from tests.world import World


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": document()["components"]}
    errors = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in errors]


@each(public)
async def test_a_story_keeps_the_schemas_of_its_method(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    ((_, _, operation),) = operations_of(method)
    (binding,) = bindings(descriptor_of(method))
    sent: Any = json_format.MessageToDict(request)
    if binding.body and "application/json" in operation["requestBody"]["content"]:
        in_path = {variable.path for variable in binding.variables}
        body = sent if binding.body == "*" else sent[binding.method.input_type.fields_by_name[binding.body].json_name]
        body = {name: value for name, value in body.items() if name not in in_path}
        assert problems(operation["requestBody"]["content"]["application/json"]["schema"], body) == []
    (schema,) = {str(c["schema"]): c["schema"] for c in operation["responses"]["200"]["content"].values()}.values()
    for answer in await send(owner, method, request):
        if isinstance(answer, HttpBody):
            assert schema["format"] == "binary"
            continue
        assert problems(schema, json_format.MessageToDict(answer)) == []


def test_a_schema_that_does_not_fit_is_noticed() -> None:
    quote = {"$ref": "#/components/schemas/revops.quoting.v1.Quote"}
    assert problems(quote, {"state": "STATE_DRAFT", "lines": []}) == []
    assert problems(quote, {"state": "DRAFT"})
    assert problems(quote, {"lines": [{"lineId": "a"}]})
