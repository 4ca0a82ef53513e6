"""An OpenTelemetry collector to test against: it takes OTLP over gRPC and keeps what it is sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric


class Collector:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.metrics: list[metrics.ExportMetricsServiceRequest] = []
        self.spans: list[Any] = []
        self.address = ""

    async def take_metrics(self, request: Any, context: Any) -> Any:
        self.metrics.append(request)
        return metrics.ExportMetricsServiceResponse()

    async def take_spans(self, request: Any, context: Any) -> Any:
        self.spans += [s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
        return traces.ExportTraceServiceResponse()

    def latest(self) -> dict[str, Metric]:
        """The metrics of the last request, by name."""
        return {metric.name: metric for metric in self.metrics[-1].resource_metrics[0].scope_metrics[0].metrics}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector that listens."""
    collector, server = Collector(), grpc.aio.server()
    for name, handler, module in (
        ("metrics.v1.MetricsService", collector.take_metrics, metrics.ExportMetricsServiceRequest),
        ("trace.v1.TraceService", collector.take_spans, traces.ExportTraceServiceRequest),
    ):
        rpc = grpc.unary_unary_rpc_method_handler(handler, module.FromString, lambda message: message.SerializeToString())
        service = grpc.method_handlers_generic_handler(f"opentelemetry.proto.collector.{name}", {"Export": rpc})
        server.add_generic_rpc_handlers((service,))
    collector.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await server.stop(0)
