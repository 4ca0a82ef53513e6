"""Kernels behind real doors on real sockets in this process, so that a test can stand on both ends of a wire."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from revops_mesh.kernel.contract import Method
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.local.ports import free_port
from revops_mesh.runtime.server import Streams, Table, kernel_handlers
from revops_mesh.runtime.tls import ClientCredentials, credentials
from tests.mesh.authorities import Authority, spiffe

OWN_PATH = "ns/revops/sa/probe"
SERVICES = (
    f"{OWN_PATH}=capabilities/probe",
    "ns/revops/sa/catalog=capabilities/catalog",
    "ns/erp/sa/sync=roles/viewer",
    "ns/erp/sa/sync=roles/auditor",
)


@asynccontextmanager
async def door(kernel: Kernel, files: Path | None = None, port: int = 0) -> AsyncIterator[str]:
    """The address of a door; with a folder, which has `server` and `authority`, it takes mutual TLS only."""
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    server.add_generic_rpc_handlers((Table(dict(kernel_handlers(kernel, Streams(), never))),))
    if files is None:
        address = f"127.0.0.1:{server.add_insecure_port(f'127.0.0.1:{port}')}"
    else:
        secure = credentials(files / "server.pem", files / "server.key", files / "authority.pem")
        # The certificate is for localhost, which has two addresses: a port of neither range that others are given by chance.
        address = f"localhost:{server.add_secure_port(f'localhost:{port or free_port()}', secure)}"
    await server.start()
    try:
        yield address
    finally:
        await server.stop(0)


async def never(failure: Failure) -> bool:
    """No refused call is tried again."""
    return False


def channel(address: str, authority: Authority | None = None, name: str = "", *uris: str) -> grpc.aio.Channel:
    """A channel, by mutual TLS with a fresh certificate of an authority if one is given."""
    if authority is None:
        return grpc.aio.insecure_channel(address)
    cert, key = authority.issue(name, *uris)
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(authority.pem, key, cert))


def own_credentials(authority: Authority) -> ClientCredentials:
    """Of the channels of a process that proves to be the probe."""
    authority.issue("own", spiffe(OWN_PATH))
    folder = authority.directory
    return ClientCredentials(folder / "own.pem", folder / "own.key", authority.path)


async def sent(to: grpc.aio.Channel, method: Method, request: Message, **metadata: str) -> Any:
    """The answer of a method; names in metadata have "_" for "-"."""
    call: Any = to.unary_unary(method.path, method.request.SerializeToString, method.response.FromString)
    return await call(request, metadata=[(key.replace("_", "-"), text) for key, text in metadata.items()], timeout=10)
