"""Streams of requests of the Python client: one id, the refusal in the middle, and what the source raises."""

from collections.abc import AsyncIterator
from uuid import UUID

import grpc
import pytest
from revops.catalog.v1 import products_pb2 as pb
from revops_client import Revops, RevopsError
from revops_client.catalog.v1 import CreateProductRequest, Product

from tests.clients.scripted import scripted

AT = "/revops.catalog.v1.ProductService/CreateStream"
NUMBER = pb.CreateProductRequest.DESCRIPTOR.fields_by_name["request_id"].number


async def pieces(count: int) -> AsyncIterator[CreateProductRequest]:
    """So many requests; only the first can have an id."""
    for i in range(count):
        yield CreateProductRequest(product=Product(), product_id=f"p{i}")


async def test_the_first_request_of_a_stream_gets_an_id() -> None:
    async with scripted(pb.Product(name="products/p")) as server, Revops(server.address) as revops:
        made = await revops.calls.sending(AT, Product, NUMBER)(pieces(3), None, {"x": "1"})
    assert made.name == "products/p"
    (call,) = server.received
    sent = pb.CreateProductRequest.FromString(call.body)
    assert (sent.product_id, UUID(sent.request_id).version) == ("p2", 4)
    assert call.body.count(sent.request_id.encode()) == 1


async def test_a_refusal_in_the_middle_ends_the_stream_and_tells_the_id() -> None:
    async with scripted(grpc.StatusCode.FAILED_PRECONDITION) as server, Revops(server.address) as revops:
        with pytest.raises(RevopsError, match="FAILED_PRECONDITION: scripted") as refused:
            await revops.calls.sending(AT, Product, NUMBER)(pieces(100_000), 30, {})
    assert pb.CreateProductRequest.FromString(server.received[0].body).request_id == refused.value.request_id


async def test_what_the_source_raises_is_raised() -> None:
    async def broken() -> AsyncIterator[CreateProductRequest]:
        yield CreateProductRequest(product_id="p0")
        raise OSError("the file is gone")

    async with scripted(pb.Product()) as server, Revops(server.address) as revops:
        with pytest.raises(OSError, match="the file is gone"):
            await revops.calls.sending(AT, Product, NUMBER)(broken(), 30, {})
    assert server.received == []
