"""Server reflection v1 and v1alpha, so that `grpcurl`, `buf curl` and Postman need no files.

The library has v1alpha only; v1 differs in nothing but its package, so its descriptor is made from the other.
"""

from collections.abc import Collection
from contextlib import suppress
from typing import Any

from google.protobuf import descriptor_pool, text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection, reflection_pb2

V1, V1ALPHA = "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"
POOL = descriptor_pool.Default()
SERVICE = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]


class Reflection(reflection.aio.ReflectionServicer):
    """Answers about everything that is linked in, and lists what is served."""

    def __init__(self, services: Collection[str]) -> None:
        super().__init__({*services, V1, V1ALPHA})
        alpha = FileDescriptorProto()
        reflection_pb2.DESCRIPTOR.CopyToProto(alpha)
        text = text_format.MessageToString(alpha).replace("v1alpha", "v1")
        POOL.AddSerializedFile(text_format.Parse(text, FileDescriptorProto()).SerializeToString())

    def _file_containing_symbol(self, request: Any, symbol: str) -> Any:
        with suppress(KeyError):  # the pool does not find the file of a method
            symbol = POOL.FindMethodByName(symbol).containing_service.full_name
        return super()._file_containing_symbol(request, symbol)  # type: ignore[misc]
