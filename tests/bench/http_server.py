"""One HTTP server of the bench, in a process of its own: `python -m tests.bench.http_server VARIANT PORT KEYFILE [GRPC PORT]`.

Variants: `json` (an ASGI application that echoes JSON), `bridge` (the bridge with its limits, answered at once), `pipeline` (the
bridge over a kernel without store), `channel` (the bridge, answered by the same kernel behind gRPC).
"""

import asyncio
import gc
import os
import sys
from pathlib import Path
from time import monotonic_ns
from typing import Any

import grpc
import orjson
import uvloop
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from joserfc.jwk import ECKey
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import tokens_pb2 as tokens

from revops_mesh.gateway.rest.bridge import Application, Bridge
from revops_mesh.gateway.rest.in_process import KernelDoor
from revops_mesh.gateway.rest.limits import CALLER, Limits
from revops_mesh.gateway.rest.over_channel import ChannelDoor
from revops_mesh.gateway.rest.server import RestServer
from tests.bench import synthetic
from tests.bench.server import PROFILE, never, profiled

ONE = tokens.Caller(name="users/anna", tenant="0" * 32, edition=options.EDITION_ENTERPRISE)


async def json_echo(scope: Any, receive: Any, send: Any) -> None:
    """The least that answers JSON with JSON."""
    body, more = b"", True
    while more:
        event = await receive()
        body, more = body + event["body"], event["more_body"]
    text = orjson.dumps(orjson.loads(body))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


class Mirror:
    """A door that answers what it is sent, to everybody as to one caller."""

    def serves(self, path: str) -> bool:
        return True

    async def answer(self, path: str, request: Message, sender: Any) -> Message:
        return ONE if path == CALLER else request

    def stream(self, path: str, request: Message, sender: Any) -> Any:
        raise NotImplementedError


def application(variant: str, key: ECKey, port: str) -> Application:
    """What a variant serves."""
    if variant == "json":
        return json_echo
    kernel = synthetic.kernel(3, key)
    doors = {
        "bridge": Mirror,
        "pipeline": lambda: KernelDoor(kernel, never),
        "channel": lambda: ChannelDoor(grpc.aio.insecure_channel(f"127.0.0.1:{port}")),
    }
    door, pool = doors[variant](), descriptor_pool.Default()
    # A thousand times as fast, so that nothing is refused.
    limits = Limits(door, now=lambda: 1000 * monotonic_ns()) if variant == "bridge" else None
    return Bridge([pool.FindServiceByName(module.service) for module in kernel.modules], door, limits=limits)


async def main(variant: str, port: str, key_file: str, grpc_port: str = "") -> None:
    """Serves until killed."""
    os.sched_setaffinity(0, {0})
    served: Any = application(variant, ECKey.import_key(Path(key_file).read_text()), grpc_port)
    await RestServer(served, f"127.0.0.1:{port}").start()
    gc.freeze()
    print("ready", flush=True)
    if PROFILE:
        await profiled(f"{PROFILE}.{variant}")
    else:
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
