"""Reflection answers v1 and v1alpha alike, so that tools need no files."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ExtensionRequest, ServerReflectionRequest, ServerReflectionResponse
from revops.catalog.v1 import products_pb2 as pb
from revops.options.v1 import options_pb2

from revops_mesh import member
from revops_mesh.runtime.keys import DevelopmentIssuer
from tests.runtime.calling import Running
from tests.world import World

BUF = Path(sys.executable).with_name("buf")
VERSIONS = pytest.mark.parametrize("version", ["v1", "v1alpha"])


async def ask(channel: grpc.aio.Channel, version: str, *requests: ServerReflectionRequest) -> list[ServerReflectionResponse]:
    """Answers to hand-written requests; both versions are alike on the wire."""
    call = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=ServerReflectionRequest.SerializeToString,
        response_deserializer=ServerReflectionResponse.FromString,
    )(iter(requests), timeout=20)
    return [answer async for answer in call]


def files(answer: ServerReflectionResponse) -> list[str]:
    return [FileDescriptorProto.FromString(each).name for each in answer.file_descriptor_response.file_descriptor_proto]


@VERSIONS
async def test_everything_that_is_served_is_listed(channel: grpc.aio.Channel, version: str) -> None:
    (answer,) = await ask(channel, version, ServerReflectionRequest(list_services=""))
    listed = {service.name for service in answer.list_services_response.service}
    own = {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}
    assert listed == {module.service for module in member.MODULES} | set(member.ALIASES) | own
    for name in sorted(listed):
        (described,) = await ask(channel, version, ServerReflectionRequest(file_containing_symbol=name))
        assert files(described), name


@VERSIONS
@pytest.mark.parametrize(
    "symbol",
    [
        "revops.catalog.v1.ProductService",
        "revops.catalog.v1.ProductService.CreateProduct",
        "revops.catalog.v1.Product",
        "revops.catalog.v1.Product.State",
        "revops.catalog.v1.ProductReason",
    ],
)
async def test_a_symbol_leads_to_its_file_and_what_that_needs(channel: grpc.aio.Channel, version: str, symbol: str) -> None:
    (answer,) = await ask(channel, version, ServerReflectionRequest(file_containing_symbol=symbol))
    found = files(answer)
    assert found[0] == "revops/catalog/v1/products.proto"
    assert {"revops/options/v1/options.proto", "google/protobuf/descriptor.proto"} <= {*found}


@VERSIONS
async def test_what_does_not_exist_is_not_found_and_the_stream_goes_on(channel: grpc.aio.Channel, version: str) -> None:
    wrong: Iterable[ServerReflectionRequest] = (
        ServerReflectionRequest(file_containing_symbol="revops.catalog.v1.ProductService.Nothing"),
        ServerReflectionRequest(file_containing_symbol="revops.catalog.v1.Nothing"),
        ServerReflectionRequest(file_by_filename="nothing.proto"),
        ServerReflectionRequest(file_containing_extension=ExtensionRequest(containing_type="nothing", extension_number=1)),
    )
    *answers, last = await ask(channel, version, *wrong, ServerReflectionRequest(list_services=""))
    assert [answer.error_response.error_code for answer in answers] == [grpc.StatusCode.NOT_FOUND.value[0]] * 4
    assert last.list_services_response.service


@VERSIONS
async def test_extensions_of_the_contract_are_found(channel: grpc.aio.Channel, version: str) -> None:
    of = "google.protobuf.MethodOptions"
    (numbers,) = await ask(channel, version, ServerReflectionRequest(all_extension_numbers_of_type=of))
    number = options_pb2.policy.number
    assert number in numbers.all_extension_numbers_response.extension_number
    extension = ExtensionRequest(containing_type=of, extension_number=number)
    (answer,) = await ask(channel, version, ServerReflectionRequest(file_containing_extension=extension))
    assert files(answer)[0] == "revops/options/v1/options.proto"
    (by_name,) = await ask(channel, version, ServerReflectionRequest(file_by_filename="revops/type/v1/money.proto"))
    assert files(by_name)[0] == "revops/type/v1/money.proto"


@pytest.mark.skipif(not BUF.exists(), reason="buf is not installed beside Python")
@pytest.mark.parametrize("version", ["grpc-v1", "grpc-v1alpha"])
async def test_buf_curl_lists_calls_and_shows_a_refusal(
    serving: Running, world: World, issuer: DevelopmentIssuer, version: str
) -> None:
    token, url = issuer.issue("users/anna", await world.tenant(), ["admin"]), f"http://{serving.address}"

    def buf(*arguments: str) -> subprocess.CompletedProcess[str]:
        plain = [str(BUF), "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--reflect-protocol", version]
        return subprocess.run([*plain, *arguments], capture_output=True, text=True, timeout=60)

    header, products = f"authorization: Bearer {token}", f"{url}/revops.catalog.v1.ProductService"
    assert "revops.catalog.v1.ProductService/CreateProduct" in buf("--list-methods", url).stdout.split()
    called = buf("-H", header, "-d", '{"product":{"displayName":"Vault"}}', f"{products}/CreateProduct")
    assert json.loads(called.stdout)["state"] == pb.Product.State.Name(pb.Product.STATE_DRAFT), called.stderr
    refused = buf("-H", header, "-d", '{"name":"products/none"}', f"{products}/GetProduct")
    problem = json.loads(refused.stderr)
    assert (refused.returncode, problem["code"]) == (40, "not_found")
    assert [detail["type"] for detail in problem["details"]] == ["google.rpc.ErrorInfo"]
