"""The Python client against a member: answers, refusals, pages, streams, request ids, deadlines and tokens."""

from uuid import uuid4

import grpc
import pytest
from revops_client import Revops, RevopsError
from revops_client.catalog.v1 import (
    ActivateProductRequest,
    CreateProductRequest,
    DeleteProductRequest,
    GetProductRequest,
    ListProductsRequest,
    Product,
    ProductReason,
    ProductState,
)
from revops_client.platform.v1 import PlatformReason

from tests.clients.conftest import NewToken
from tests.runtime.calling import Running


async def products(revops: Revops, count: int, prefix: str = "p") -> list[str]:
    """Names of new products."""
    made = []
    for i in range(count):
        request = CreateProductRequest(product=Product(display_name=f"Number {i}"), product_id=f"{prefix}{i:03}")
        made.append((await revops.catalog.products.create_product(request)).name)
    return made


async def test_an_answer_is_a_typed_message(revops: Revops) -> None:
    made = await revops.catalog.products.create_product(
        CreateProductRequest(product=Product(display_name="Cloud"), product_id="cloud")
    )
    assert (made.name, made.etag, made.state) == ("products/cloud", "1", ProductState.DRAFT)
    assert made.create_time is not None
    assert made.create_time.tzinfo is not None
    assert await revops.catalog.products.get_product(GetProductRequest(name="products/cloud")) == made


async def test_a_refusal_says_reason_metadata_and_fields(revops: Revops) -> None:
    with pytest.raises(RevopsError) as unknown:
        await revops.catalog.products.get_product(GetProductRequest(name="products/none"))
    assert unknown.value.code is grpc.StatusCode.NOT_FOUND
    assert unknown.value.because(PlatformReason.RESOURCE_NOT_FOUND)
    assert not unknown.value.because(ProductReason.PRODUCT_STATE)
    assert (unknown.value.domain, unknown.value.metadata) == ("revops.platform.v1", {"name": "products/none"})
    with pytest.raises(RevopsError, match="FIELD_INVALID: product") as invalid:
        await revops.catalog.products.create_product(CreateProductRequest(product=Product(sku="x" * 500)))
    assert {violation.field for violation in invalid.value.violations} == {"product.display_name", "product.sku"}


async def test_a_method_that_answers_nothing_returns_none(revops: Revops) -> None:
    (name,) = await products(revops, 1)
    assert await revops.catalog.products.delete_product(DeleteProductRequest(name=name)) is None


async def test_a_list_is_awaited_for_a_page_and_iterated_to_the_end(revops: Revops) -> None:
    made = await products(revops, 7)
    page = await revops.catalog.products.list_products(ListProductsRequest(page_size=3))
    assert [product.name for product in page.products] == made[:3]
    second = await revops.catalog.products.list_products(ListProductsRequest(page_size=3, page_token=page.next_page_token))
    assert [product.name for product in second.products] == made[3:6]
    request = ListProductsRequest(page_size=3, filter='display_name != "Number 1"')
    met = [product.name async for product in revops.catalog.products.list_products(request)]
    assert met == [made[0], *made[2:]]
    sizes = [len(page.products) async for page in revops.catalog.products.list_products(request).pages()]
    assert sizes == [3, 3]


async def test_iteration_meets_everything_once_while_others_insert(revops: Revops) -> None:
    made = await products(revops, 6, "m")
    met = []
    async for product in revops.catalog.products.list_products(ListProductsRequest(page_size=2)):
        met.append(product.name)
        # One behind the place that was reached and one ahead of it, up to a number.
        if len(met) <= 3:
            await products(revops, 1, f"a{len(met)}")
            await products(revops, 1, f"z{len(met)}")
    ahead = [f"products/z{i}000" for i in (1, 2, 3)]
    assert met == made + ahead


async def test_a_request_id_is_sent_though_none_was_given(revops: Revops) -> None:
    request = CreateProductRequest(product=Product(display_name="Cloud"))
    first, second = [await revops.catalog.products.create_product(request) for _ in range(2)]
    assert first.name != second.name
    assert request.request_id == ""


async def test_the_request_id_of_a_failed_change_is_told_and_repeats_it_once(revops: Revops) -> None:
    (name,) = await products(revops, 1)
    with pytest.raises(RevopsError) as refused:
        await revops.catalog.products.activate_product(ActivateProductRequest(name=name, etag="7"))
    assert refused.value.because(PlatformReason.ETAG_MISMATCH)
    request_id = refused.value.request_id
    request = CreateProductRequest(product=Product(display_name="Once"), request_id=request_id)
    first, second = [await revops.catalog.products.create_product(request) for _ in range(2)]
    assert first == second
    request.product = Product(display_name="Other")
    with pytest.raises(RevopsError) as conflict:
        await revops.catalog.products.create_product(request)
    assert conflict.value.because(PlatformReason.REQUEST_ID_CONFLICT)
    assert conflict.value.metadata == {"request_id": request_id}


async def test_metadata_of_a_call_is_sent(revops: Revops, serving: Running) -> None:
    trace = f"00-{uuid4().hex}-00f067aa0ba902b7-01"
    with pytest.raises(RevopsError):
        await revops.catalog.products.create_product(CreateProductRequest(), metadata={"traceparent": trace})
    serving.await_line(trace.split("-")[1])


async def test_nothing_is_sent_in_the_clear_to_another_machine(token: NewToken) -> None:
    with pytest.raises(ValueError, match=r"credentials: calls to revops\.example:7050 would be readable"):
        Revops("revops.example:7050", "secret")
    async with Revops("revops.example:7050", "secret", plaintext=True):
        pass
