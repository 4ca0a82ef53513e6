"""A synthetic contract of any number of methods, and a kernel over it that never opens a transaction."""

from typing import Any
from uuid import UUID

from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from joserfc.jwk import ECKey, KeySet
from revops.options.v1 import options_pb2 as options
from revops.quoting.v1 import quotes_pb2

from revops_mesh.identity import Authenticator, Tokens
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.contract import Method
from revops_mesh.kernel.modules import Module
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.pools import LoginPools, Pool
from revops_mesh.kernel.principal import Identity, Standing
from revops_mesh.kernel.stages import Layer

ISSUER, AUDIENCE = "https://issuer.bench", "revops"
PERMISSION = "bench.echoes.echo"


def service(methods: int) -> str:
    """The full name of a service with so many methods, each answering the quote that it is sent."""
    package = f"revops.bench{methods}.v1"
    file = descriptor_pb2.FileDescriptorProto(name=f"bench{methods}.proto", package=package, syntax="proto3")
    file.dependency.append(quotes_pb2.DESCRIPTOR.name)
    declared = file.service.add(name="EchoService")
    quote = f".{quotes_pb2.Quote.DESCRIPTOR.full_name}"
    for n in range(methods):
        method = declared.method.add(name=f"Echo{n}", input_type=quote, output_type=quote)
        method.options.idempotency_level = MethodOptions.NO_SIDE_EFFECTS
        policy = method.options.Extensions[options.policy]
        policy.permission, policy.audit = PERMISSION, options.AUDIT_NONE
        http = method.options.Extensions[annotations_pb2.http]
        http.post, http.body = f"/v1/echo{n}", "*"
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    return f"{package}.EchoService"


class Echoes:
    """Answers what it is sent, whatever the method."""

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("Echo"):
            raise AttributeError(name)
        return self._echo

    async def _echo(self, request: Message, call: Call) -> Message:
        return request


class OneTenant:
    """A directory with one tenant that may echo."""

    async def standing(self, tenant: UUID) -> Standing | None:
        return Standing("bench", True, options.EDITION_ENTERPRISE, 0, {"echo": frozenset({PERMISSION})})

    async def api_key(self, tenant: UUID, key_id: str, secret: str) -> Identity | None:
        return None


class StorelessKernel(Kernel):
    """Every stage but the transaction."""

    def _terminal(self, method: Method) -> Layer:
        return self._handlers[method.path]


def kernel(methods: int, key: ECKey) -> Kernel:
    """A kernel over the synthetic contract, trusting one key."""
    pools = LoginPools(Pool("", "", 1), Pool("", "", 1))
    tokens = Tokens(KeySet([key]), ISSUER, AUDIENCE)
    return StorelessKernel([Module(service(methods), Echoes())], pools, Authenticator(tokens, OneTenant()))
