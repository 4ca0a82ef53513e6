"""What a client of the gRPC door sees: answers, and refusals of every kind."""

import grpc
import pytest
from google.rpc import error_details_pb2 as details
from revops.catalog.v1 import price_books_pb2
from revops.catalog.v1 import products_pb2 as pb
from revops.platform.v1 import audit_pb2

from tests.runtime.calling import METHODS, Client
from tests.runtime.conftest import NewClient

FROM_THE_START = audit_pb2.StreamAuditEntriesRequest(start_time={"seconds": 1})
CREATE = pb.CreateProductRequest(product=pb.Product(display_name="Vault"))


async def test_a_call_is_answered(client: NewClient) -> None:
    anna = await client()
    created = await anna(CREATE)
    assert (await anna(pb.GetProductRequest(name=created.name))).display_name == "Vault"


async def test_binary_metadata_is_left_alone(client: NewClient) -> None:
    anna = await client(**{"trace-bin": b"\xff\x00"})
    assert (await anna(CREATE)).name


async def test_a_refusal_carries_exactly_one_error_info(client: NewClient) -> None:
    anna = await client()
    refused = await anna.refusal(anna(pb.GetProductRequest(name="products/none")))
    (info,) = refused.details(details.ErrorInfo)
    assert refused.code == grpc.StatusCode.NOT_FOUND
    assert (info.reason, info.domain, info.metadata["name"]) == ("RESOURCE_NOT_FOUND", "revops.platform.v1", "products/none")
    assert refused.status.code == refused.code.value[0]
    assert refused.status.message == refused.text


async def test_a_malformed_field_is_named_in_bad_request(client: NewClient) -> None:
    anna = await client()
    refused = await anna.refusal(anna(pb.CreateProductRequest(product=pb.Product())))
    (bad,) = refused.details(details.BadRequest)
    assert refused.code == grpc.StatusCode.INVALID_ARGUMENT
    assert [each.field for each in bad.field_violations] == ["product.display_name"]
    assert len(refused.details(details.ErrorInfo)) == 1


async def test_many_violations_still_fit_into_a_trailer(client: NewClient) -> None:
    anna = await client()
    product = pb.Product(display_name="ü" * 300, sku="x" * 200, family="x" * 200, tax_code="x" * 90, description="x" * 5000)
    many = pb.CreateProductRequest(product=product, product_id="é" * 4000, request_id="no uuid")
    items = [price_books_pb2.PriceQuery(rate_plan="é" * 900, quantity="ö" * 900)] * 200
    prices = price_books_pb2.ResolvePricesRequest(items=items, currency_code="ü" * 900)
    for call in (anna(many), anna(prices)):
        refused = await anna.refusal(call)
        assert refused.code == grpc.StatusCode.INVALID_ARGUMENT, refused.text
        (bad,) = refused.details(details.BadRequest)
        assert bad.field_violations
        assert len(refused.details(details.ErrorInfo)) == 1


async def test_without_credentials_nothing_is_answered(channel: grpc.aio.Channel) -> None:
    nobody = Client(channel)
    refused = await nobody.refusal(nobody(CREATE))
    assert refused.code == grpc.StatusCode.UNAUTHENTICATED
    assert refused.details(details.ErrorInfo)[0].reason == "CREDENTIALS_MISSING"


@pytest.mark.parametrize(
    "path", ["/revops.catalog.v1.ProductService/Nothing", "/nothing", "/a/b", "/grpc.channelz.v1.Channelz/GetServers"]
)
async def test_an_unknown_method_is_unimplemented(client: NewClient, path: str) -> None:
    anna = await client()
    assert (await anna.refusal(anna.raw(path, b""))).code == grpc.StatusCode.UNIMPLEMENTED


async def test_bytes_that_are_no_message_are_the_callers_fault(client: NewClient) -> None:
    anna = await client()
    for name in ("revops.catalog.v1.GetProductRequest", "revops.platform.v1.StreamAuditEntriesRequest"):
        refused = await anna.refusal(anna.raw(METHODS[name].path, b"\xff\xff\xff"))
        assert refused.code == grpc.StatusCode.INVALID_ARGUMENT
        assert refused.details(details.ErrorInfo)[0].reason == "FIELD_INVALID"


async def test_an_internal_method_is_closed_on_the_wire(client: NewClient) -> None:
    anna = await client()
    for method in (method for method in METHODS.values() if method.internal):
        refused = await anna.refusal(anna.raw(method.path, b""))
        assert refused.code == grpc.StatusCode.PERMISSION_DENIED, method.full_name


async def test_a_message_above_four_megabytes_is_refused(client: NewClient) -> None:
    anna = await client()
    large = pb.CreateProductRequest(product=pb.Product(description="x" * (5 << 20)))
    assert (await anna.refusal(anna(large))).code == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_stream_answers_and_its_refusal_is_one_too(client: NewClient) -> None:
    anna, viewer = await client(), await client("catalog-manager")
    await anna(CREATE)
    call = anna.stream(FROM_THE_START)
    assert (await call.read()).method == "revops.catalog.v1.ProductService.CreateProduct"
    call.cancel()
    refused = await viewer.refusal(viewer.stream(FROM_THE_START).read())
    assert refused.details(details.ErrorInfo)[0].reason == "PERMISSION_REQUIRED"
