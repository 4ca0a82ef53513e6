"""Imports and exports as callers start them, with runners that do their work."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo
from revops.platform.v1 import exports_pb2, imports_pb2
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh.kernel.pools import Pool
from tests.messaging.running import running
from tests.operations.packing import runners
from tests.platform.files.sending import fetched, sent
from tests.world import Caller, World

PRODUCT = "revops.catalog.v1.Product"
Import, Export = imports_pb2.ImportResourcesRequest, exports_pb2.ExportResourcesRequest


async def begun(anna: Caller, content: str | bytes, type: str = PRODUCT, form: str = "CSV", **more: Any) -> str:
    """The operation that imports a content."""
    data = content.encode() if isinstance(content, str) else content
    file = await sent(anna, *(data[i : i + 200_000] for i in range(0, max(1, len(data)), 200_000)))
    request = Import(file=file.name, type=type, **more)
    request.format = Import.Format.Value(f"FORMAT_{form}")
    name: str = (await anna(request)).name
    return name


@asynccontextmanager
async def working(world: World, pool: Pool) -> AsyncIterator[None]:
    """Runs operations during the block."""
    async with running(runners(world, pool)):
        yield


async def ended(anna: Caller, name: str) -> pb.Operation:
    """The operation once it has ended."""
    for _ in range(6):
        operation: pb.Operation = await anna(pb.WaitOperationRequest(name=name, timeout=Duration(seconds=10)))
        if operation.done:
            return operation
    raise AssertionError(f"{name} does not end: {operation}")


def refused(operation: pb.Operation) -> tuple[str, dict[str, str]]:
    """Why an operation failed: reason and metadata."""
    info = ErrorInfo()
    assert operation.error.details[0].Unpack(info), operation
    return info.reason, dict(info.metadata)


def counted(operation: pb.Operation) -> tuple[int, int, int]:
    """Rows that were created, updated and refused, by the progress, which the response repeats."""
    progress, response = imports_pb2.ImportMetadata(), imports_pb2.ImportResponse()
    assert operation.metadata.Unpack(progress)
    found = (progress.created, progress.updated, progress.failed)
    if operation.response.Unpack(response):
        assert (response.created, response.updated, response.failed, response.error_file) == (*found, progress.error_file)
        assert (progress.done_bytes, progress.total_rows) == (progress.total_bytes, progress.done_rows)
    assert sum(found) == progress.done_rows
    return found


async def imported(anna: Caller, content: str | bytes, *arguments: str, **more: Any) -> tuple[pb.Operation, list[dict[str, Any]]]:
    """A finished import, and its refused rows."""
    operation = await ended(anna, await begun(anna, content, *arguments, **more))
    return operation, await told(anna, operation)


async def told(anna: Caller, operation: pb.Operation) -> list[dict[str, Any]]:
    """The refused rows of an import."""
    progress = imports_pb2.ImportMetadata()
    assert operation.metadata.Unpack(progress)
    if not progress.error_file:
        return []
    return [json.loads(line) for line in (await fetched(anna, progress.error_file)).splitlines()]


async def exported(anna: Caller, form: str, type: str = PRODUCT, **more: Any) -> tuple[exports_pb2.ExportResponse, bytes]:
    """A finished export, and its content."""
    request = Export(type=type, **more)
    request.format = Export.Format.Value(f"FORMAT_{form}")
    operation = await ended(anna, (await anna(request)).name)
    response = exports_pb2.ExportResponse()
    assert operation.response.Unpack(response), operation
    return response, await fetched(anna, response.file)
