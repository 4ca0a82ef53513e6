"""What operators see of calls: counts and durations per method and outcome, one access line a call, a span if sampled.

Histogram buckets are seconds. Instruments are plain arrays, read by the exporter; an OpenTelemetry histogram costs ten
times as much a call.
"""

import random
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the duration buckets, seconds."""


class AccessLine(msgspec.Struct):
    """One line of the access log. It never holds a request."""

    time: str
    level: str
    message: str
    method: str
    outcome: str
    seconds: float
    tenant: str
    principal: str
    peer: str
    trace: str
    problem: str = ""


@dataclass(slots=True)
class Series:
    """Calls of one method with one outcome."""

    count: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    def add(self, seconds: float) -> None:
        """Counts one call."""
        self.count += 1
        self.seconds += seconds
        self.buckets[bisect_left(BOUNDS, seconds)] += 1


class Observer:
    """Collects the measurements of a process."""

    def __init__(self, write: Callable[[AccessLine], None] | None = None, sampled_share: float = 0.0) -> None:
        """`write` takes access lines; `sampled_share` of the calls that arrive without a trace get one, 0 to 1."""
        self.series: dict[tuple[str, str], Series] = {}
        self.write = write
        self.sampled_share = sampled_share
        self._tracer = trace.get_tracer("revops")

    def count(self, method: str, outcome: str, seconds: float) -> None:
        """Counts a call; `outcome` is OK or a reason."""
        series = self.series.get((method, outcome))
        if series is None:
            series = self.series[method, outcome] = Series()
        series.add(seconds)

    def span(self, method: str, traceparent: str, kind: SpanKind) -> Span | None:
        """The span of a call if it is sampled, else None: an unsampled call costs nothing."""
        if traceparent.endswith("-01") and len(traceparent) == 55:
            try:
                parent = SpanContext(int(traceparent[3:35], 16), int(traceparent[36:52], 16), True, TraceFlags(1))
            except ValueError:
                return None
            context = trace.set_span_in_context(NonRecordingSpan(parent))
        elif not traceparent and self.sampled_share and random.random() < self.sampled_share:
            context = None
        else:
            return None
        service, _, name = method.rpartition(".")
        attributes = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": name}
        return self._tracer.start_span(method, context, kind, attributes)


def traceparent(span: Span) -> str:
    """The W3C form of a span, to be sent along."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def end(span: Span, outcome: str, tenant: str) -> None:
    """Closes a span with its outcome."""
    span.set_attribute("revops.outcome", outcome)
    span.set_attribute("revops.tenant", tenant)
    if outcome != "OK":
        span.set_status(Status(StatusCode.ERROR if outcome == "FAULT" else StatusCode.UNSET, outcome))
    span.end()
