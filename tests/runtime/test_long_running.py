"""Long jobs and files on the wire: the standard client of operations, streams in, streams out, and streams that break."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.longrunning import operations_pb2 as standard
from google.longrunning.operations_pb2_grpc import OperationsStub
from google.protobuf.descriptor import Descriptor
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2 as details
from revops.platform.v1 import exports_pb2, files_pb2
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh import member
from revops_mesh.kernel.contract import described, methods_of
from revops_mesh.kernel.names import new_uuid
from tests.messaging.running import eventually
from tests.runtime.calling import METHODS, Client
from tests.runtime.conftest import NewClient

UPLOAD = METHODS["revops.platform.v1.UploadFileRequest"]
EXPORT = exports_pb2.ExportResourcesRequest(
    type="revops.catalog.v1.Product", format=exports_pb2.ExportResourcesRequest.FORMAT_CSV
)


def uploading(client: Client, pieces: AsyncIterator[files_pb2.UploadFileRequest]) -> Any:
    """The call of an upload."""
    form, parse = UPLOAD.request.SerializeToString, UPLOAD.response.FromString
    call = client.channel.stream_unary(UPLOAD.path, request_serializer=form, response_deserializer=parse)
    return call(pieces, timeout=20, metadata=client._metadata)


async def pieces(*contents: bytes, request_id: str = "", hangs: bool = False) -> AsyncIterator[files_pb2.UploadFileRequest]:
    """The requests of an upload, which may never end."""
    for n, content in enumerate(contents):
        yield files_pb2.UploadFileRequest(content=HttpBody(data=content), request_id=request_id if n == 0 else "")
    if hangs:
        await asyncio.sleep(60)


async def test_a_file_goes_up_and_down_in_pieces(client: NewClient) -> None:
    anna, contents = await client(), [bytes([n]) * 200_000 for n in range(8)]
    file = await uploading(anna, pieces(*contents))
    assert (file.size_bytes, file.state) == (1_600_000, files_pb2.File.STATE_COMPLETE)
    got = b"".join([body.data async for body in anna.stream(files_pb2.DownloadFileRequest(name=file.name))])
    assert got == b"".join(contents)


async def test_an_upload_whose_connection_broke_is_continued(client: NewClient) -> None:
    anna, again, contents = await client(), str(new_uuid()), [b"a" * 200_000, b"b" * 200_000, b"c"]
    broken = uploading(anna, pieces(*contents[:2], request_id=again, hangs=True))

    async def arrived() -> Any:
        listed = (await anna(files_pb2.ListFilesRequest())).files
        return listed if listed and listed[0].size_bytes == 400_000 else None

    (growing,) = await eventually(arrived)
    broken.cancel()
    file = await uploading(anna, pieces(*contents, request_id=again))
    assert (file.name, file.size_bytes) == (growing.name, 400_001)


async def test_a_refused_piece_ends_an_upload_with_its_reason(client: NewClient) -> None:
    anna = await client()
    refused = await anna.refusal(uploading(anna, pieces(b"a", bytes(300_000), hangs=True)))
    assert refused.details(details.BadRequest)[0].field_violations[0].field == "content"
    viewer = await client("viewer")
    refused = await viewer.refusal(uploading(viewer, pieces(b"a", hangs=True)))
    assert refused.code == grpc.StatusCode.PERMISSION_DENIED


async def test_bytes_that_are_no_piece_are_the_callers_fault(client: NewClient) -> None:
    anna = await client()

    async def rubbish() -> AsyncIterator[bytes]:
        yield b"\xff\xff\xff"

    call: Any = anna.channel.stream_unary(UPLOAD.path)
    refused = await anna.refusal(call(rubbish(), timeout=10, metadata=anna._metadata))
    assert refused.details(details.ErrorInfo)[0].reason == "FIELD_INVALID"


async def test_the_standard_client_of_operations_works(client: NewClient) -> None:
    anna = await client()
    stub: Any = OperationsStub(anna.channel)
    options: Any = {"timeout": 20, "metadata": anna._metadata}
    started = await anna(EXPORT)
    assert isinstance(started, standard.Operation)
    got = await stub.GetOperation(standard.GetOperationRequest(name=started.name), **options)
    assert (got.name, got.done, got.metadata) == (started.name, False, started.metadata)
    listed = await stub.ListOperations(standard.ListOperationsRequest(filter="state = PENDING", page_size=5), **options)
    assert [each.name for each in listed.operations] == [started.name]
    waited = await stub.WaitOperation(standard.WaitOperationRequest(name=started.name, timeout=Duration(nanos=1)), **options)
    assert not waited.done
    await stub.CancelOperation(standard.CancelOperationRequest(name=started.name), **options)
    assert (await anna(pb.GetOperationRequest(name=started.name))).cancelling
    refused = await anna.refusal(stub.DeleteOperation(standard.DeleteOperationRequest(name=started.name), **options))
    assert refused.details(details.ErrorInfo)[0].reason == "OPERATION_STATE"


def shape(of: Descriptor) -> dict[int, tuple[str, int, str]]:
    """Number, name and type of every field."""
    return {f.number: (f.name, f.type, f.message_type.full_name if f.message_type else "") for f in of.fields}


@pytest.mark.parametrize(("name", "ours"), member.ALIASES.items())
def test_messages_have_the_fields_of_the_standard_ones_under_the_same_numbers(name: str, ours: str) -> None:
    methods = {method.name: method for method in methods_of(ours)}
    service = standard.DESCRIPTOR.services_by_name[name.rpartition(".")[2]]
    # Those that a member needs not know: where to list, and what was out of reach.
    unknown = {"ListOperationsRequest": {4, 5}, "ListOperationsResponse": {1, 3}}
    for of in service.methods:
        mine = methods[of.name]
        for theirs, own in ((of.input_type, mine.request), (of.output_type, mine.response)):
            fields = {n: field for n, field in shape(theirs).items() if n not in unknown.get(theirs.name, ())}
            assert fields.items() <= shape(described(own)).items(), theirs.name
    assert shape(described(pb.ListOperationsResponse))[1][0] == "operations"
    assert shape(standard.Operation.DESCRIPTOR).items() <= shape(described(pb.Operation)).items()
