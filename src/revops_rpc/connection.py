"""A connection to a member: one channel with its credentials, and how calls on it behave unless they say otherwise.

Sources: gRFC A6 for retries by service config, W3C Trace Context for `traceparent`. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, ClassVar, Self

import grpc

from revops_rpc.calls import Calls
from revops_rpc.tokens import Token, Tokens

try:
    from opentelemetry import propagate
except ImportError:
    propagate = None  # type: ignore[assignment]

LOOPBACK = ("localhost", "127.", "[::1]", "ipv4:127.", "ipv6:[::1]", "unix:")
OPTIONS = (
    ("grpc.enable_retries", 1),
    # A call that is larger than this buffer is not retried; the member takes 4 MB.
    ("grpc.per_rpc_retry_buffer_size", 4 << 20),
    # A member that restarts is back within seconds: look for it as often as calls are retried.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)


class Connection:
    """An open channel. Use it as an async context manager, or close it."""

    SERVICE_CONFIG: ClassVar[str]
    """Which methods are retried, and when; in JSON."""

    def __init__(
        self,
        target: str,
        token: Token | None = None,
        *,
        timeout: float = 10.0,
        credentials: grpc.ChannelCredentials | None = None,
        plaintext: bool = False,
        interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        """Connects when the first call is made.

        `target` is `host:port`. `token` is a text or an async function that gets one. `timeout` is what a call may take that
        says nothing itself. `credentials` are for TLS, as of `grpc.ssl_channel_credentials`; without them nothing is encrypted,
        which is refused for other machines unless `plaintext` says that something else encrypts. `interceptors` and `options`
        are those of grpc.aio.
        """
        if credentials is None and not plaintext and not target.startswith(LOOPBACK):
            raise ValueError(
                f"credentials: calls to {target} would be readable on the way: give the TLS credentials, "
                "or plaintext=True where a proxy encrypts"
            )
        settings = [*OPTIONS, ("grpc.service_config", self.SERVICE_CONFIG), *options]
        channel = (
            grpc.aio.insecure_channel(target, settings, interceptors=list(interceptors))
            if credentials is None
            else grpc.aio.secure_channel(target, credentials, settings, interceptors=list(interceptors))
        )
        self.calls = Calls(channel, Tokens(token), timeout, _trace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends calls under way and the connection."""
        await self.calls.channel.close()


def _trace() -> Iterable[tuple[str, str]]:
    """The trace that the caller is in, if OpenTelemetry is installed: the member's spans become part of it."""
    if propagate is None:
        return ()
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.items()
