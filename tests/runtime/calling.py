"""Calls a member over a real socket without generated stubs: the type of a request says which method."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2

from revops_mesh import member
from revops_mesh.kernel.contract import Method, methods_of
from revops_mesh.local.ports import free_port

ROOT = Path(__file__).parents[2]
METHODS = {method.request.DESCRIPTOR.full_name: method for module in member.MODULES for method in methods_of(module.service)}
"""By the full name of the request."""


OF_GRPC = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d\.")
"""How a line begins that gRPC's library writes by itself, as of a certificate that was read before its key was there."""


class Running:
    """A member process, or one of another module with arguments, and what it writes."""

    def __init__(self, environ: Mapping[str, str], *command: str) -> None:
        self.address = environ.get("REVOPS_GRPC_ADDRESS", "")
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", *(command or ("tests.runtime.member_process",))],
            env={**os.environ, "PYTHONPATH": "src:generated", **environ},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="backslashreplace",  # gRPC's core quotes what it was sent
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def await_line(self, text: str, seconds: float = 20.0, times: int = 1) -> None:
        """Returns when lines that contain the text were written so many times."""
        deadline = monotonic() + seconds
        while sum(text in line for line in self.lines) < times:
            if monotonic() > deadline or (self.process.poll() is not None and not self._reader.is_alive()):
                raise AssertionError(f"{text!r} was not written:\n" + "".join(self.lines[-40:]))
            sleep(0.02)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 20.0) -> int:
        """Ends it by a signal; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code

    def records(self) -> list[dict[str, Any]]:
        """The lines, parsed; every line of ours has to be JSON."""
        return [json.loads(line) for line in self.lines if not OF_GRPC.match(line)]


@contextmanager
def member_process(environ: Mapping[str, str], module: str = "tests.runtime.member_process", **more: str) -> Iterator[Running]:
    """A member that serves, on ports of its own unless `more` names them; in the background it does what `module` lets it."""
    ports = {"REVOPS_GRPC_ADDRESS": f"127.0.0.1:{free_port()}", "REVOPS_ADMIN_ADDRESS": f"127.0.0.1:{free_port()}"}
    running = Running({**ports, **environ, **more}, module)
    try:
        running.await_line('"message":"serving', times=int(more.get("REVOPS_WORKERS", "1")))
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


class Client:
    """A caller with a token at the other end of a channel."""

    def __init__(self, channel: grpc.aio.Channel, token: str = "", **metadata: str | bytes) -> None:
        self.channel = channel
        self._metadata = [*metadata.items(), *([("authorization", f"Bearer {token}")] if token else [])]

    def __call__(self, request: Message, timeout: float | None = 20.0) -> Any:
        """The call of a unary method."""
        method = METHODS[request.DESCRIPTOR.full_name]
        return self._unary(method.path, method)(request, timeout=timeout, metadata=self._metadata)

    def _unary(self, path: str, method: Method) -> Any:
        return self.channel.unary_unary(
            path, request_serializer=method.request.SerializeToString, response_deserializer=method.response.FromString
        )

    def stream(self, request: Message, timeout: float = 60.0) -> Any:
        """The call of a streaming method."""
        method = METHODS[request.DESCRIPTOR.full_name]
        call = self.channel.unary_stream(
            method.path, request_serializer=method.request.SerializeToString, response_deserializer=method.response.FromString
        )
        return call(request, timeout=timeout, metadata=self._metadata)

    def raw(self, path: str, data: bytes) -> Any:
        """Bytes to a path."""
        return self.channel.unary_unary(path)(data, timeout=10, metadata=self._metadata)

    async def refusal(self, call: Any) -> "Refused":
        """The refusal of a call; fails if it is answered."""
        try:
            answer = await call
        except grpc.aio.AioRpcError as error:
            return Refused(error)
        raise AssertionError(f"it was answered: {answer}")


class Refused:
    """A refusal as a client sees it."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.code, self.text = error.code(), error.details() or ""
        self.trailer = dict(error.trailing_metadata() or ())
        self.status = status_pb2.Status.FromString(self.trailer.get("grpc-status-details-bin", b""))  # type: ignore[arg-type]

    def details(self, kind: type[Message]) -> list[Any]:
        """The details of one type."""
        found = []
        for detail in self.status.details:
            message = kind()
            if detail.Unpack(message):
                found.append(message)
        return found


async def served(channel: grpc.aio.Channel, service: str, method: str, *requests: Message) -> AsyncIterator[Any]:
    """The answers of one of gRPC's own methods, by its descriptor."""
    of = descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]
    form, parse = GetMessageClass(of.input_type).SerializeToString, GetMessageClass(of.output_type).FromString
    path = f"/{service}/{method}"

    async def sent() -> AsyncIterator[Message]:
        for request in requests:
            yield request

    if not of.server_streaming:
        yield await channel.unary_unary(path, request_serializer=form, response_deserializer=parse)(requests[0], timeout=10)
        return
    if of.client_streaming:
        call: Any = channel.stream_stream(path, request_serializer=form, response_deserializer=parse)(sent())
    else:
        call = channel.unary_stream(path, request_serializer=form, response_deserializer=parse)(requests[0])
    async for answer in call:
        yield answer


def secret() -> str:
    """A secret for page tokens."""
    return base64.b64encode(os.urandom(32)).decode()
