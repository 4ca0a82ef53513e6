"""Spans and measurements reach a collector, the histogram is a true one, and the page lists what is sent."""

import asyncio
import re
from collections.abc import AsyncIterator
from time import monotonic

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest
from revops.catalog.v1 import products_pb2 as pb

from revops_mesh.kernel.observe import BOUNDS
from revops_mesh.runtime.keys import DevelopmentIssuer
from tests.runtime.calling import ROOT, Client, Running, member_process, served
from tests.runtime.collector import Collector, collecting
from tests.world import World

CREATE = pb.CreateProductRequest(product=pb.Product(display_name="Vault"))
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as opened:
        yield opened


async def call_and_stop(running: Running, token: str) -> None:
    """Three products, one of them traced, a refusal, and a call that was never sampled."""
    async with grpc.aio.insecure_channel(running.address) as channel:
        await Client(channel, token, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")(CREATE)
        await Client(channel, token, traceparent=f"00-{'0' * 31}1-00f067aa0ba902b7-00")(CREATE)
        anna = Client(channel, token)
        await anna(CREATE)
        await anna.refusal(anna(pb.GetProductRequest(name="products/none")))
        async for _ in served(channel, "grpc.health.v1.Health", "Check", HealthCheckRequest()):
            pass
    assert await asyncio.to_thread(running.stop) == 0


async def test_spans_and_measurements_reach_the_collector_before_the_process_ends(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer, collector: Collector
) -> None:
    token = issuer.issue("users/anna", tenant := await world.tenant(), ["admin"])
    with member_process(environ, REVOPS_OTLP_ENDPOINT=collector.address) as running:
        await call_and_stop(running, token)
    (span,) = collector.spans
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, "00f067aa0ba902b7")
    assert span.name == "revops.catalog.v1.ProductService.CreateProduct"
    said = {attribute.key: attribute.value.string_value for attribute in span.attributes}
    assert (said["revops.tenant"], said["revops.outcome"]) == (tenant.hex, "OK")

    duration = collector.latest()["rpc.server.duration"]
    assert (duration.unit, duration.histogram.aggregation_temporality) == ("s", 2)  # cumulative
    points = {
        tuple(a.value.string_value for a in point.attributes if a.key in ("rpc.method", "revops.outcome")): point
        for point in duration.histogram.data_points
    }
    assert {key: point.count for key, point in points.items()} == {
        ("CreateProduct", "OK"): 3,
        ("GetProduct", "RESOURCE_NOT_FOUND"): 1,
    }
    for point in points.values():
        assert tuple(point.explicit_bounds) == BOUNDS
        assert len(point.bucket_counts) == len(BOUNDS) + 1
        assert sum(point.bucket_counts) == point.count
        assert 0 < point.sum < 10
    assert collector.latest()["revops.refusals.unaudited"].sum.is_monotonic
    assert collector.latest()["revops.pool.limit"].gauge.data_points[0].as_int == 16


async def test_calls_without_a_trace_are_sampled_by_share(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer, collector: Collector
) -> None:
    token = issuer.issue("users/anna", await world.tenant(), ["admin"])
    with member_process(environ, REVOPS_OTLP_ENDPOINT=collector.address, REVOPS_SAMPLED_SHARE="1") as running:
        await call_and_stop(running, token)
    assert len(collector.spans) == 3, "all but the call whose caller decided against it"
    (line,) = [each for each in running.records() if each.get("outcome") == "RESOURCE_NOT_FOUND"]
    assert line["trace"][3:35] in {span.trace_id.hex() for span in collector.spans}


async def test_a_collector_that_is_away_neither_stops_the_service_nor_its_end(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer
) -> None:
    token = issuer.issue("users/anna", await world.tenant(), ["admin"])
    with member_process(environ, REVOPS_OTLP_ENDPOINT="http://127.0.0.1:9", REVOPS_SAMPLED_SHARE="1") as running:
        begun = monotonic()
        await call_and_stop(running, token)
        assert monotonic() - begun < 10


async def test_the_page_lists_what_is_measured(
    environ: dict[str, str], world: World, issuer: DevelopmentIssuer, collector: Collector
) -> None:
    with member_process(environ, REVOPS_OTLP_ENDPOINT=collector.address) as running:
        await call_and_stop(running, issuer.issue("users/anna", await world.tenant(), ["admin"]))
    page = (ROOT / "docs" / "telemetry.md").read_text()
    named = set(re.findall(r"^\| `([a-z_.]+)`", page, re.MULTILINE))
    assert named == {*collector.latest()}
