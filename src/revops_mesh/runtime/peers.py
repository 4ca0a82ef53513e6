"""Other members, asked over gRPC for what this process does not serve. Durations are seconds.

A question takes its caller's remaining time along, and never more than five seconds. gRPC itself repeats a question once whose
peer was out of reach, within that time and within a budget. Sources: gRFC A6 (retries, pushback, throttling), gRFC A17 (health),
W3C Trace Context.
"""

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.message import Message
from grpc_status.rpc_status import from_call
from opentelemetry.trace import SpanKind
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.kernel import observe
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.contract import Method
from revops_mesh.kernel.errors import Broken, Failure, refuse
from revops_mesh.kernel.peers import ASKING, PRINCIPAL, PROOF, TENANT
from revops_mesh.kernel.pipeline import LONGEST_SECONDS

from .tls import ClientCredentials, Renewed

ANSWER_SECONDS = 5.0
"""A question holds a connection to the store, so a peer that hangs must not hold it until the caller's deadline."""
RENEW_SECONDS = 1.0
SERVICE_CONFIG: Mapping[str, Any] = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": ""},
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 2,
                "initialBackoff": "0.05s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.1},
}
"""One repetition; none while more than about one question in ten fails, so that an outage is not answered with twice the load."""
OPTIONS = (
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.max_receive_message_length", 16 << 20),
)
OUT_OF_REACH = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)
"""What a broken connection says, when no member has spoken."""

_log = logging.getLogger("revops.peers")


class Peers:
    """The other members by capability. To be made inside the event loop that uses it."""

    def __init__(
        self, addresses: Mapping[str, str], credentials: ClientCredentials | None = None, token: Path | None = None
    ) -> None:
        """`addresses` are host:port by capability; without `credentials` plain, with `token` a file that proves who asks.

        Raises `OSError` for a file that cannot be read.
        """
        self._addresses, self._credentials = addresses, credentials
        self._token, self._proof = Renewed(token), ""
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self.observer = observe.Observer()
        """Counts and durations of questions by method and outcome."""
        self._renew()

    async def answer(self, call: Call, method: Method, request: Message, request_id: UUID | None = None) -> Message:
        """What the peer that serves a method answers; see `kernel.peers.Peers`."""
        channel = self._channels.get(method.capability)
        if channel is None:
            raise Broken(f"REVOPS_PEERS names no peer for {method.full_name}, which {call.method.full_name} asks")
        if request_id is not None:
            request = _with_id(request, request_id)
        started, outcome = perf_counter(), "OK"
        span = self.observer.span(method.full_name, call.trace, SpanKind.CLIENT)
        trace = call.trace if span is None else observe.traceparent(span)
        try:
            return await self._sent(channel, method, request, call, trace)
        except Failure as failure:
            outcome = failure.reason
            raise
        except Broken:
            outcome = "FAULT"
            raise
        except asyncio.CancelledError:
            outcome = "CANCELLED"
            raise
        finally:
            self.observer.count(method.full_name, outcome, perf_counter() - started)
            if span is not None:
                observe.end(span, outcome, call.tenant.hex)

    async def _sent(self, channel: grpc.aio.Channel, method: Method, request: Message, call: Call, trace: str) -> Message:
        remaining = call.deadline - monotonic()
        send: Any = channel.unary_unary(method.path, method.request.SerializeToString, method.response.FromString)
        metadata = tuple(self._metadata(call, trace))
        try:
            answer: Message = await send(request, metadata=metadata, timeout=max(min(remaining, ANSWER_SECONDS), 0.0))
        except grpc.aio.AioRpcError as error:
            raise _refusal(error, method, in_time=remaining > ANSWER_SECONDS) from None
        return answer

    def _metadata(self, call: Call, trace: str) -> Iterator[tuple[str, str]]:
        principal = call.principal
        yield ASKING, call.method.full_name
        if principal.token:
            yield "authorization", f"Bearer {principal.token}"
        else:
            yield TENANT, principal.tenant.hex
            yield PRINCIPAL, principal.name
        if self._proof:
            yield PROOF, self._proof
        if trace:
            yield "traceparent", trace

    async def run(self) -> None:
        """Takes renewed certificates and tokens into use until cancelled; questions under way end on their old connection."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                self._renew()
            except (OSError, ValueError) as error:
                _log.warning("certificates and tokens stay as they are: %s", error)

    def _renew(self) -> None:
        if (contents := self._token.read()) is not None:
            self._proof = "".join(content.decode().strip() for content in contents)
        renewed = self._credentials.renewed() if self._credentials is not None else None
        if self._channels and renewed is None:
            return
        old, self._channels = self._channels, {name: _channel(at, renewed) for name, at in self._addresses.items()}
        for channel in old.values():
            task = asyncio.create_task(channel.close(LONGEST_SECONDS))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Closes every channel; what is still asked ends."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))
        for task in self._leaving:
            task.cancel()


def _channel(address: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=OPTIONS)
    return grpc.aio.secure_channel(address, credentials, options=OPTIONS)


def _with_id(request: Message, request_id: UUID) -> Message:
    """A copy that carries the id, so that a repetition reserves once."""
    copy: Any = type(request)()
    copy.CopyFrom(request)
    copy.request_id = str(request_id)
    return copy  # type: ignore[no-any-return]


def _refusal(error: grpc.aio.AioRpcError, method: Method, *, in_time: bool) -> Exception:
    """What a failed question means to the call that asked it."""
    status = from_call(error)  # type: ignore[arg-type]
    told = Failure.told(status) if status is not None else None
    if told is not None and told.reason != platform.PlatformReason.Name(platform.ASK_REFUSED):
        return told
    code = error.code()
    if code == grpc.StatusCode.DEADLINE_EXCEEDED and not in_time:
        return refuse(platform.DEADLINE_PASSED, "The call took longer than it may: repeat it with the same request_id.")
    if code in OUT_OF_REACH or code == grpc.StatusCode.DEADLINE_EXCEEDED:
        _log.warning("the peer for %s does not answer: %s", method.full_name, error.details())
        message = "The {capability} service does not answer: repeat the call."
        return refuse(platform.PEER_UNAVAILABLE, message, capability=method.capability).retry(1.0)
    return Broken(f"the peer for {method.full_name} answers {code.name}: {error.details()}")
