"""The life of a member: wait for what it needs, serve until told to stop, drain, and lose nothing.

At the end: NOT_SERVING, serve on for a while, end streams, finish calls, stop workers, write refusals, logs and spans, close.
"""

import asyncio
import ctypes
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import grpc
import uvloop
from grpc_channelz.v1 import channelz, channelz_pb2
from grpc_health.v1 import health_pb2

from revops_mesh.identity import Issuer, Programs, Tokens
from revops_mesh.identity.issuer import check_keys
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.observe import Observer
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.pools import LoginPools

from . import reflection
from .health import SILENT, Health, Status
from .jwks import KeySource
from .logs import AccessLog, JsonHandler, Sink, trace_of_call
from .peers import Peers
from .processes import keep_workers, watchdog
from .readings import Reading
from .server import OPTIONS, Recover, Streams, Table, aliased, kernel_handlers, servicer_handlers
from .settings import Settings, SettingsError
from .tls import ClientCredentials, credentials

T = TypeVar("T")
PR_SET_PDEATHSIG = 1
Job = Callable[[], Awaitable[None]]
Stop = Callable[[float], Awaitable[None]]
"""Closes a door: calls under way may finish for so many seconds."""
_log = logging.getLogger("revops.serve")


class Stopped(Exception):
    """Told to stop before it served."""


class Compose(Protocol):
    """Makes the kernel of a member; `only` names capabilities, all if empty."""

    def __call__(
        self, pools: LoginPools, tokens: Tokens, secrets: Sequence[bytes], *, observer: Observer, only: Collection[str],
        peers: Peers, programs: Programs, issuer: Issuer | None, networks: Collection[str],
    ) -> Kernel: ...  # fmt: skip


@dataclass(frozen=True)
class Background:
    """What a member does beside answering: jobs by role, and an object whose numbers are measured."""

    jobs: Mapping[str, Job]
    counts: object | None = None


@dataclass(frozen=True)
class Parts:
    """What a member is made of; the composition root gives it, because the runtime knows no module."""

    compose: Compose
    background: Callable[[Kernel, Settings], AbstractAsyncContextManager[Background]]
    migrated: Callable[[str], Awaitable[bool]]
    """Whether the database of a DSN is at the newest revision."""
    rest: Callable[[Kernel, Settings, Callable[[], bool], Recover], Awaitable[Stop]] | None = None
    """Opens the REST bridge at `rest_address`; it asks whether the process still serves."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Standard services, and those of ours that answer for them: their messages have the same fields under the same numbers."""


def run(settings: Settings, parts: Parts) -> None:
    """Serves in this process, or in several that it keeps; returns after SIGTERM or SIGINT."""
    sink = Sink(sys.stdout.fileno())
    logging.basicConfig(level=settings.log_level, handlers=[JsonHandler(sink, trace_of_call.get)], force=True)
    try:
        if settings.workers > 1 and settings.worker < 0:
            asyncio.run(keep_workers(settings.workers, settings.drain_seconds + settings.grace_seconds + 10))
            return
        if settings.worker >= 0 and sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # a killed parent leaves no workers behind
        factory = uvloop.new_event_loop if settings.loop == "uvloop" else None
        with asyncio.Runner(loop_factory=factory) as runner, watchdog(runner.get_loop()):
            runner.run(serve(settings, parts, sink))
    finally:
        sink.close()


async def serve(settings: Settings, parts: Parts, sink: Sink) -> None:
    """Serves until SIGTERM or SIGINT; waits for PostgreSQL and the issuer's keys instead of failing.

    Raises `SettingsError` for a capability that does not exist, `RuntimeError` for a port that is taken.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with AsyncExitStack() as stack:
            await _serve(settings, parts, sink, stop, stack)
    except Stopped:
        _log.info("told to stop before it served")


async def _serve(settings: Settings, parts: Parts, sink: Sink, stop: asyncio.Event, stack: AsyncExitStack) -> None:
    keys = _Keys(settings)
    for source in keys.sources:
        await _awaited(f"the keys of {source.tokens.issuer}", source.load, stop)
    where = urlsplit(settings.database_url)
    opened = partial(LoginPools.open, settings.database_url, settings.pool_size)
    pools = await _awaited(f"PostgreSQL at {where.hostname}:{where.port or 5432}{where.path}", opened, stop)
    stack.push_async_callback(pools.close)
    access = AccessLog(sink, quiet=settings.log_level in ("WARNING", "ERROR"))
    stack.callback(access.flush)
    observer = Observer(access, settings.sampled_share if settings.otlp_endpoint else 0.0)
    peers = await stack.enter_async_context(_peers(settings))
    programs = Programs(settings.spiffe_trust_domain, settings.services, keys.tokens)
    kernel = parts.compose(
        pools, keys.tokens, settings.page_token_secrets, observer=observer, only=settings.only,
        peers=peers, programs=programs, issuer=keys.issuer, networks=settings.webhook_allowed_networks,
    )  # fmt: skip
    keys.tell(kernel.authenticator.forget)
    _must_be_whole(kernel, settings)
    background = await stack.enter_async_context(parts.background(kernel, settings))
    health = Health({module.service for module in kernel.modules}, settings.database_url, parts.migrated)
    await health.probe()
    own: dict[str, Job] = {"refusals": kernel.refusals.run, "keys": keys.run, "health": health.run, "peers": peers.run}
    if settings.otlp_endpoint:
        from .telemetry import Telemetry  # only now, for its SDK takes long to load

        readings = partial(_readings, sink, background.counts)
        own["telemetry"] = Telemetry(kernel, peers.observer, readings, settings.otlp_endpoint).run
    await stack.enter_async_context(_running(own))
    await stack.enter_async_context(_running({k: job for k, job in background.jobs.items() if k in settings.roles}))
    if "rpc" in settings.roles:
        await stack.enter_async_context(_doors(settings, parts, kernel, health, keys))
    gc.collect()
    gc.freeze()  # what is loaded by now stays; a full collection that looks at it stops every call for 0.2 s
    await stop.wait()
    _log.info("stopping")


class _Keys:
    """The keys of tokens: the identity provider's, and the installation's own if it issues any."""

    def __init__(self, settings: Settings) -> None:
        provider = KeySource(settings.jwks, settings.issuer, settings.audience)
        self.sources, self.tokens, self.issuer = [provider], provider.tokens, None
        if settings.token_keys is not None:
            own = KeySource(str(settings.token_keys), settings.token_issuer, settings.audience, check_keys)
            self.sources, self.issuer = [provider, own], Issuer(own.tokens)

    def tell(self, changed: Callable[[], None]) -> None:
        """Has somebody told when keys are others."""
        for source in self.sources:
            source.changed = changed

    async def run(self) -> None:
        """Keeps them current until cancelled."""
        await asyncio.gather(*(source.run() for source in self.sources))

    async def recover(self, failure: Failure) -> bool:
        """Whether a refused call may be tried again, because keys have changed."""
        return any(await asyncio.gather(*(source.recover(failure) for source in self.sources)))


@asynccontextmanager
async def _peers(settings: Settings) -> AsyncIterator[Peers]:
    """Channels to the members that serve what this one only asks; by TLS if this one serves by TLS."""
    own = None
    if settings.tls_cert and settings.tls_key:
        own = ClientCredentials(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
    peers = Peers(dict(each.split("=", 1) for each in settings.peers), own, settings.service_token)
    try:
        yield peers
    finally:
        await peers.close()


def _must_be_whole(kernel: Kernel, settings: Settings) -> None:
    """Refuses to serve what does not exist, and what asks where nobody answers."""
    served = {method.capability for method in kernel.methods.values()}
    if unknown := settings.only - served:
        raise SettingsError([f"REVOPS_ONLY: there is no capability {', '.join(sorted(unknown))}"])
    asked = {name.split(".")[1] for method in kernel.methods.values() for name in (*method.asks, *method.policy.reserves)}
    if missing := asked - served - {each.partition("=")[0] for each in settings.peers}:
        raise SettingsError([f"REVOPS_PEERS: what is served here asks {', '.join(sorted(missing))}; name where that is served"])


@asynccontextmanager
async def _doors(settings: Settings, parts: Parts, kernel: Kernel, health: Health, keys: "_Keys") -> AsyncIterator[None]:
    """The open ports, and their drain."""
    streams = Streams()
    names = {module.service for module in kernel.modules} | {"grpc.health.v1.Health"}
    table = dict(kernel_handlers(kernel, streams, keys.recover))
    for standard in [standard for standard, ours in parts.aliases.items() if ours in names]:
        table.update(aliased(table, standard, parts.aliases[standard]))
        names.add(standard)
    mirror = reflection.Reflection(names)
    table.update(servicer_handlers(health_pb2.DESCRIPTOR.services_by_name["Health"], health, streams))
    for name in (reflection.V1, reflection.V1ALPHA):
        table.update(servicer_handlers(reflection.SERVICE, mirror, streams, name))
    server = grpc.aio.server(options=(*OPTIONS, ("grpc.so_reuseport", int(settings.workers > 1))))
    server.add_generic_rpc_handlers((Table(table),))
    if settings.tls_cert and settings.tls_key:
        secure = credentials(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
        port = server.add_secure_port(settings.grpc_address, secure)
    else:
        port = server.add_insecure_port(settings.grpc_address)
    admin = _admin(settings, streams)
    stops: list[Stop] = [server.stop]
    if settings.rest_address and parts.rest is not None:
        stops.append(await parts.rest(kernel, settings, lambda: health.status("") == Status.SERVING, keys.recover))
    await server.start()
    await admin.start()
    _log.info("serving %d methods on %s, port %d", len(table), settings.grpc_address, port)
    try:
        yield
    finally:
        health.drain()
        await asyncio.sleep(max(settings.drain_seconds, 0.1))  # watchers hear of it
        streams.end()
        await asyncio.gather(*(stop(settings.grace_seconds) for stop in stops))
        await admin.stop(0)


def _admin(settings: Settings, streams: Streams) -> grpc.aio.Server:
    """channelz, on loopback, every worker on a port of its own."""
    host, _, port = settings.admin_address.rpartition(":")
    own = int(port) + max(settings.worker, 0) if int(port) else 0
    admin = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    service = channelz_pb2.DESCRIPTOR.services_by_name["Channelz"]
    admin.add_generic_rpc_handlers((Table(dict(servicer_handlers(service, channelz.aio.ChannelzServicer(), streams))),))
    admin.add_insecure_port(f"{host}:{own}")
    return admin


def _readings(sink: Sink, counts: Any) -> Iterator[Reading]:
    """Whole numbers only grow, fractions are gauges."""
    yield Reading("revops.log.dropped", "{batch}", sink.dropped, rising=True)
    for name, count in asdict(counts).items() if counts is not None else ():
        yield Reading(f"revops.messaging.{name}", "1", count, rising=isinstance(count, int))


@asynccontextmanager
async def _running(jobs: Mapping[str, Job]) -> AsyncIterator[None]:
    """Keeps jobs running inside the block; at its end each is cancelled and may finish."""
    tasks = [asyncio.create_task(_kept(name, job), name=name) for name, job in jobs.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _kept(name: str, job: Job) -> None:
    while True:
        try:
            await job()
        except Exception:
            _log.exception("%s failed and begins anew", name)
        await asyncio.sleep(1)


async def _awaited(what: str, attempt: Callable[[], Awaitable[T]], stop: asyncio.Event) -> T:
    """What an attempt gives, however many it takes; raises `Stopped`."""
    delay = 0.2
    while not stop.is_set():
        try:
            return await attempt()
        except (*SILENT, ValueError, Failure) as error:
            _log.warning("waiting for %s: %s", what, str(error) or type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), delay)
        delay = min(delay * 2, 5.0)
    raise Stopped
