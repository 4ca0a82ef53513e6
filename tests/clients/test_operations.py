"""Long-running operations of the Python client: progress as it comes, the result, failure and cancellation."""

from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2 as longrunning
from google.protobuf.empty_pb2 import Empty
from google.rpc import error_details_pb2, status_pb2
from revops.catalog.v1 import products_pb2 as pb
from revops_client import Revops, RevopsError, Running
from revops_client.catalog.v1 import ListProductsRequest, ListProductsResponse, Product

from revops_rpc.operations import Operations
from tests.clients.scripted import Answer, Scripted, scripted

AT = "/revops.platform.v1.OperationService/"


def operation(progress: int, **end: Any) -> longrunning.Operation:
    """An operation that has got so far; `end` is its response or its error."""
    made = longrunning.Operation(name="operations/o1", done=bool(end))
    made.metadata.Pack(pb.Product(rate_plan_count=progress))
    if "response" in end:
        made.response.Pack(end["response"])
    elif "error" in end:
        made.error.CopyFrom(end["error"])
    return made


async def started(revops: Revops) -> Running[ListProductsResponse, Product]:
    """Starts one, as a generated method does."""
    operations = Operations(revops.calls, AT, cancel_request_id=2)
    at = "/revops.catalog.v1.ExportService/ExportProducts"
    return await operations.starting(at, ListProductsResponse, Product, request_id=9)(ListProductsRequest(), None, {})


async def test_progress_is_told_as_it_changes_and_then_the_result() -> None:
    answer = pb.ListProductsResponse(next_page_token="all")
    states = [operation(1), operation(1), operation(2), operation(2), operation(3, response=answer)]
    async with scripted(*states) as server, Revops(server.address) as revops:
        running = await started(revops)
        assert running.name == "operations/o1"
        assert [progress.rate_plan_count async for progress in running.progress()] == [1, 2, 3]
        assert (await running).next_page_token == "all"
    assert asked(server) == ["ExportProducts"] + ["GetOperation"] * 4


async def test_a_failed_operation_raises_what_a_call_would_raise() -> None:
    failed = status_pb2.Status(code=grpc.StatusCode.FAILED_PRECONDITION.value[0], message="products/p is RETIRED.")
    failed.details.add().Pack(error_details_pb2.ErrorInfo(reason="PRODUCT_STATE", domain="revops.catalog.v1"))
    async with scripted(operation(0), operation(1, error=failed)) as server, Revops(server.address) as revops:
        running = await started(revops)
        with pytest.raises(RevopsError, match=r"PRODUCT_STATE: products/p is RETIRED\.") as raised:
            await running
    assert (raised.value.code, raised.value.domain) == (grpc.StatusCode.FAILED_PRECONDITION, "revops.catalog.v1")


async def test_an_operation_is_cancelled_by_name() -> None:
    cancelled = status_pb2.Status(code=grpc.StatusCode.CANCELLED.value[0], message="cancelled")
    script: list[Answer] = [operation(0), Empty(), operation(0, error=cancelled)]
    async with scripted(*script) as server, Revops(server.address) as revops:
        running = await started(revops)
        await running.cancel()
        with pytest.raises(RevopsError) as raised:
            await running
    assert raised.value.code is grpc.StatusCode.CANCELLED
    assert asked(server) == ["ExportProducts", "CancelOperation", "GetOperation"]
    assert longrunning.CancelOperationRequest.FromString(server.received[1].body).name == "operations/o1"


async def test_an_operation_is_found_again_by_its_name() -> None:
    answer = pb.ListProductsResponse(next_page_token="all")
    async with scripted(operation(2), operation(3, response=answer)) as server, Revops(server.address) as revops:
        running = await Operations(revops.calls, AT, 2).found("operations/o1", ListProductsResponse, Product)
        assert (await running).next_page_token == "all"
    assert asked(server) == ["GetOperation", "GetOperation"]


def asked(server: Scripted) -> list[str]:
    return [call.method.rpartition("/")[2] for call in server.received]
