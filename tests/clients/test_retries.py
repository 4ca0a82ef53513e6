"""What the Python client does when calls fail: it repeats what may be repeated, so that a change happens once."""

import asyncio
from collections.abc import Mapping
from uuid import uuid4

import grpc
import pytest
from revops.catalog.v1 import products_pb2 as pb
from revops_client import Revops, RevopsError
from revops_client.catalog.v1 import (
    ActivateProductRequest,
    CreateProductRequest,
    GetProductRequest,
    ListProductsRequest,
    Product,
)

from tests.clients.conftest import NewToken
from tests.clients.relay import relay
from tests.clients.scripted import Answer, scripted
from tests.runtime.calling import Running, member_process

UNAVAILABLE, EXHAUSTED, ABORTED = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED
PUSHBACK = "grpc-retry-pushback-ms"


async def test_calls_outlive_a_member_that_is_killed(environ: Mapping[str, str], serving: Running, token: NewToken) -> None:
    with member_process(environ) as doomed:
        async with relay(doomed.address) as way, Revops(way.address, await token()) as revops:
            request = CreateProductRequest(product=Product(display_name="Before"), product_id="before")
            await revops.catalog.products.create_product(request)
            doomed.process.kill()
            doomed.process.wait()
            changes = [
                revops.catalog.products.create_product(
                    CreateProductRequest(product=Product(display_name="D"), product_id=f"d{i}")
                )
                for i in range(5)
            ]
            under_way = asyncio.gather(*changes)
            await asyncio.sleep(0.3)
            assert not under_way.done()
            way.backend = serving.address
            await under_way
            met = [product.name async for product in revops.catalog.products.list_products(ListProductsRequest())]
    assert met == ["products/before", *(f"products/d{i}" for i in range(5))]


async def test_a_change_whose_answer_was_lost_happens_once(serving: Running, token: NewToken) -> None:
    credentials = await token()
    async with relay(serving.address) as way, Revops(way.address, credentials) as revops:
        async with Revops(serving.address, credentials) as witness:
            assert [product async for product in revops.catalog.products.list_products(ListProductsRequest())] == []
            way.deaf = True
            change = asyncio.create_task(
                revops.catalog.products.create_product(CreateProductRequest(product=Product(display_name="Once")))
            )
            kept: list[Product] = []
            while not kept:
                kept = (await witness.catalog.products.list_products(ListProductsRequest())).products
            way.deaf = False
            way.cut()
            assert (await change).name == kept[0].name
            met = [product async for product in witness.catalog.products.list_products(ListProductsRequest())]
    assert met == kept


@pytest.mark.parametrize(
    "answers",
    [
        [UNAVAILABLE] * 4,
        [(EXHAUSTED, {PUSHBACK: "10"}), (EXHAUSTED, {PUSHBACK: "10"})],
        [(ABORTED, {PUSHBACK: "10"})],
    ],
    ids=["a member that is away", "a member that is busy", "contention"],
)
async def test_what_was_not_done_is_sent_again_as_it_was(answers: list[Answer]) -> None:
    async with scripted(*answers, pb.Product(name="products/p")) as server, Revops(server.address) as revops:
        await revops.catalog.products.create_product(CreateProductRequest(product=Product(display_name="P")))
    sent = [pb.CreateProductRequest.FromString(call.body) for call in server.received]
    assert len(sent) == len(answers) + 1
    assert sent.count(sent[0]) == len(sent)
    assert sent[0].request_id


@pytest.mark.parametrize(
    "answer",
    [(ABORTED, {PUSHBACK: "-1"}), (EXHAUSTED, {PUSHBACK: "-1"}), grpc.StatusCode.INTERNAL, grpc.StatusCode.FAILED_PRECONDITION],
    ids=str,
)
async def test_what_cannot_succeed_is_sent_once(answer: Answer) -> None:
    async with scripted(answer) as server, Revops(server.address) as revops:
        with pytest.raises(RevopsError):
            await revops.catalog.products.get_product(GetProductRequest(name="products/p"))
    assert len(server.received) == 1


async def test_the_member_says_that_a_stale_etag_is_not_to_be_repeated(serving: Running, revops: Revops) -> None:
    made = await revops.catalog.products.create_product(CreateProductRequest(product=Product(display_name="P")))
    trace = uuid4().hex
    request = ActivateProductRequest(name=made.name, etag="7")
    with pytest.raises(RevopsError) as stale:
        await revops.catalog.products.activate_product(request, metadata={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert stale.value.code is ABORTED
    serving.await_line(trace)
    assert sum(trace in line for line in serving.lines) == 1


async def test_a_call_ends_at_its_deadline_and_has_one_if_it_says_nothing() -> None:
    async def never(_: bytes) -> pb.Product:
        await asyncio.Event().wait()
        raise AssertionError

    async with scripted(pb.Product(), pb.Product(), pb.Product(), never) as server:
        async with Revops(server.address) as revops, Revops(server.address, timeout=100.0) as patient:
            request = GetProductRequest(name="products/p")
            await revops.catalog.products.get_product(request)
            await revops.catalog.products.get_product(request, timeout=60.0)
            await patient.catalog.products.get_product(request)
            with pytest.raises(RevopsError) as late:
                await revops.catalog.products.get_product(request, timeout=0.2)
    assert late.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    default, own, connections, short = [call.remaining or 0.0 for call in server.received]
    # The wire rounds up.
    assert short < default < 12.0 < own < 65.0 < connections < 105.0
