"""Telemetry: measurements over OTLP/gRPC. What is measured is listed in docs/telemetry.md.

Measurements are the kernel's plain counters, read when they are sent; the SDK's instruments cost 5 µs each a call.
Sources: OpenTelemetry metrics data model, semantic conventions for RPC.
"""

import asyncio
from collections.abc import Callable, Iterable

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from revops_mesh.kernel import clock
from revops_mesh.kernel.observe import BOUNDS, Observer
from revops_mesh.kernel.pipeline import Kernel

from .readings import Reading, kernel_readings
from .spans import ANSWER_SECONDS, span_provider

EXPORT_SECONDS = 15.0
CUMULATIVE = export.AggregationTemporality.CUMULATIVE


class Telemetry:
    """Sends what a process measures; `more` gives what is counted beside the kernel."""

    def __init__(self, kernel: Kernel, asked: Observer, more: Callable[[], Iterable[Reading]], endpoint: str) -> None:
        """`asked` observes the questions to peers."""
        self._kernel, self._more, self._started = kernel, more, _nanoseconds()
        self._calls = {"rpc.server.duration": kernel.observer, "rpc.client.duration": asked}
        self._spans = span_provider("revops-member", endpoint)
        self._resource = self._spans.resource
        insecure = endpoint.startswith("http://")
        self._exporter = OTLPMetricExporter(endpoint=endpoint, insecure=insecure, timeout=ANSWER_SECONDS)

    async def run(self) -> None:
        """Sends every 15 s until cancelled, and then what is left."""
        try:
            while True:
                await asyncio.sleep(EXPORT_SECONDS)
                await asyncio.to_thread(self._exporter.export, self.snapshot())
        finally:
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._exporter.export(self.snapshot())
        self._exporter.shutdown()
        self._spans.shutdown()

    def snapshot(self) -> export.MetricsData:
        """All measurements at this moment, cumulative since the start of the process."""
        now = _nanoseconds()
        read: dict[str, list[Reading]] = {}
        for reading in (*kernel_readings(self._kernel), *self._more()):
            read.setdefault(reading.name, []).append(reading)
        metrics = [self._durations(name, observer, now) for name, observer in self._calls.items()]
        for name, of in read.items():
            points = [export.NumberDataPoint(each.attributes, self._started, now, each.value) for each in of]
            data = export.Sum(points, CUMULATIVE, True) if of[0].rising else export.Gauge(points)
            metrics.append(export.Metric(name, "", of[0].unit, data))
        scope = export.ScopeMetrics(InstrumentationScope("revops"), metrics, "")
        return export.MetricsData([export.ResourceMetrics(self._resource, [scope], "")])

    def _durations(self, metric: str, observer: Observer, now: int) -> export.Metric:
        points, inf = [], float("inf")
        for (method, outcome), of in observer.series.copy().items():
            service, _, name = method.rpartition(".")
            who = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": name, "revops.outcome": outcome}
            counts = tuple(of.buckets)
            points.append(export.HistogramDataPoint(who, self._started, now, sum(counts), of.seconds, counts, BOUNDS, inf, -inf))
        return export.Metric(metric, "", "s", export.Histogram(points, CUMULATIVE))


def _nanoseconds() -> int:
    return int(clock.unix() * 1e9)
