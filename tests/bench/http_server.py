"""One HTTP server of the bench, in a process of its own: `python -m tests.bench.http_server VARIANT PORT KEYFILE [GRPC PORT]`.

Variants: `json` (an ASGI application that echoes JSON), `bridge` (the bridge, answered at once), `pipeline` (the
bridge over a kernel without store), `channel` (the bridge, answered by the same kernel behind gRPC).
"""

import asyncio
import gc
import os
import sys
from pathlib import Path
from typing import Any

import grpc
import orjson
import uvloop
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from joserfc.jwk import ECKey

from revops_mesh.gateway.rest.bridge import Application, Bridge
from revops_mesh.gateway.rest.in_process import KernelDoor
from revops_mesh.gateway.rest.over_channel import ChannelDoor
from revops_mesh.gateway.rest.server import RestServer
from tests.bench import synthetic
from tests.bench.server import PROFILE, never, profiled


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
    """A door that answers what it is sent."""

    def serves(self, path: str) -> bool:
        return True

    async def answer(self, path: str, request: Message, sender: Any) -> Message:
        return request

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
    pool = descriptor_pool.Default()
    return Bridge([pool.FindServiceByName(module.service) for module in kernel.modules], doors[variant]())


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
