"""Where the spans of a process go: to a collector, over OTLP/gRPC."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from opentelemetry import trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ANSWER_SECONDS = 3.0
"""How long a collector may take."""
MOST_SPANS_WAITING = 8192


@contextmanager
def traced(command: str, endpoint: str) -> Iterator[None]:
    """A trace of a command that ends, sent to an endpoint; without one there is none."""
    if not endpoint:
        yield
        return
    spans = span_provider("revops", endpoint)
    try:
        with trace.get_tracer("revops").start_as_current_span(command):
            yield
    finally:
        spans.shutdown()


def span_provider(service: str, endpoint: str) -> "TracerProvider":
    """Where the spans of this process go from now on. The SDK is loaded here, for most processes send none."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    who = {"service.name": service, "service.instance.id": f"{socket.gethostname()}-{os.getpid()}"}
    with suppress(PackageNotFoundError):  # run from its sources
        who["service.version"] = version("revops-mesh")
    provider = TracerProvider(resource=Resource.create(who))
    exporter = OTLPSpanExporter(endpoint=endpoint, insecure=endpoint.startswith("http://"), timeout=ANSWER_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=MOST_SPANS_WAITING))
    trace.set_tracer_provider(provider)
    return provider
