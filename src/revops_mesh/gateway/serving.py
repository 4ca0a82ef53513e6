"""The life of a gateway: serve HTTP for a member elsewhere until told to stop, then drain.

At the end: `/healthz` says 503 and connections are closed with their answers, streams end, the port closes, calls finish.
"""

import asyncio
import gc
import logging
import signal
import sys
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import grpc
import uvloop

from revops_mesh.kernel import clock
from revops_mesh.kernel.observe import AccessLine, Observer
from revops_mesh.runtime.logs import AccessLog, JsonHandler, Sink, trace_of_call
from revops_mesh.runtime.processes import watchdog
from revops_mesh.runtime.spans import span_provider

from .contracts import services
from .rest import oauth
from .rest.bridge import Bridge, Note
from .rest.doors import Door
from .rest.limits import Limits
from .rest.over_channel import OPTIONS, ChannelDoor
from .rest.pages import openapi_document, pages
from .rest.server import opened
from .settings import GatewaySettings
from .tracing import TracedDoor

_log = logging.getLogger("revops.gateway")


def run(settings: GatewaySettings) -> None:
    """Serves in this process; returns after SIGTERM or SIGINT."""
    sink = Sink(sys.stdout.fileno())
    logging.basicConfig(level=settings.log_level, handlers=[JsonHandler(sink, trace_of_call.get)], force=True)
    factory = uvloop.new_event_loop if settings.loop == "uvloop" else None
    try:
        with asyncio.Runner(loop_factory=factory) as runner, watchdog(runner.get_loop()):
            runner.run(serve(settings, sink))
    finally:
        sink.close()


async def serve(settings: GatewaySettings, sink: Sink) -> None:
    """Serves until SIGTERM or SIGINT. Raises `OSError` for an address that cannot be bound or a file that cannot be read."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    access = AccessLog(sink, quiet=settings.log_level in ("WARNING", "ERROR"))
    async with AsyncExitStack() as stack:
        stack.callback(access.flush)
        channel = await stack.enter_async_context(_channel(settings))
        door: Door = ChannelDoor(channel)
        if settings.otlp_endpoint:
            spans = span_provider("revops-gateway", settings.otlp_endpoint)
            stack.push_async_callback(asyncio.to_thread, spans.shutdown)
            door = TracedDoor(door, Observer(sampled_share=settings.sampled_share))
        bridge = Bridge(
            services(),
            door,
            origins=settings.cors_origins,
            pages=[*pages(openapi_document()), (oauth.PATH, oauth.TokenEndpoint(door))],
            serving=lambda: not stop.is_set(),
            note=noting(access),
            limits=Limits(door, settings.trusted_proxies),
        )
        server = await opened(bridge, settings, settings.http_address)
        _log.info(
            "serving %d routes on %s, port %d, for %s", len(bridge.routes), settings.http_address, server.port, settings.member
        )
        gc.collect()
        gc.freeze()
        await stop.wait()
        _log.info("stopping")
        await asyncio.sleep(settings.drain_seconds)
        await server.stop(settings.grace_seconds)


def noting(access: AccessLog) -> Note:
    """Has access lines written of what a bridge answers."""

    def note(method: str, outcome: str, seconds: float, peer: str, trace: str) -> None:
        level = "info" if outcome == "OK" else "error" if outcome == "FAULT" else "warning"
        access(AccessLine(clock.now().isoformat(), level, "http", method, outcome, seconds, "", "", peer, trace))

    return note


def _channel(settings: GatewaySettings) -> grpc.aio.Channel:
    where = urlsplit(settings.member) if settings.member.startswith("https://") else None
    if where is None:
        return grpc.aio.insecure_channel(settings.member, options=OPTIONS)
    ca, key, cert = (
        path.read_bytes() if path else None for path in (settings.member_ca, settings.member_key, settings.member_cert)
    )
    return grpc.aio.secure_channel(where.netloc, grpc.ssl_channel_credentials(ca, key, cert), options=OPTIONS)
