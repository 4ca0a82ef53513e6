"""FileService over files and their chunks. Access and audit: see the contract."""

from datetime import UTC

from google.api import httpbody_pb2
from google.protobuf.empty_pb2 import Empty
from revops.platform.v1 import files_pb2 as pb
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.aip.listing import page
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import not_found, refuse

from ..ownership import owned
from . import content
from .domain import KEPT, File, expires

EVERYBODYS = "platform.files.list"


class FileService:
    """One method per rpc: load, verb, save."""

    async def UploadFile(self, request: pb.UploadFileRequest, call: Call) -> pb.File:
        files = call.repo(File)
        if isinstance(call.answered, pb.File):
            file = await files.get(call.answered.name, call.answered.etag)
        else:
            wanted = request.expire_time.ToDatetime(tzinfo=UTC) if request.HasField("expire_time") else None
            media, name = request.content.content_type, files.name(request.file_id)
            file = File.open(name, request.display_name, media, call.principal.name, expires(wanted, call.now))
            call.schedule(file.state.expire_time.ToDatetime(tzinfo=UTC), pb.ExpireFileRequest(file=name))
        await content.write(call, file, file.size, request.content.data)
        return (await (files.save(file) if file.revision else files.add(file))).state

    async def FinishUploadFile(self, request: pb.UploadFileRequest, call: Call) -> pb.File:
        assert isinstance(call.answered, pb.File)
        file = await call.repo(File).get(call.answered.name, call.answered.etag)
        file.complete(await content.digest(call, file), request.sha256)
        return (await call.repo(File).save(file)).state

    async def GetFile(self, request: pb.GetFileRequest, call: Call) -> pb.File:
        return (await owned(call, File, request.name, EVERYBODYS)).state

    async def ListFiles(self, request: pb.ListFilesRequest, call: Call) -> pb.ListFilesResponse:
        return await page(call, File, request, pb.ListFilesResponse)

    async def DownloadFile(
        self, request: pb.DownloadFileRequest, call: Call, cursor: str
    ) -> tuple[list[httpbody_pb2.HttpBody], str | None]:
        file = await readable(call, request.name)
        position = int(cursor or request.offset)
        found = await content.pieces(call, file, position, content.AT_ONCE)
        after = position + sum(map(len, found))
        bodies = [httpbody_pb2.HttpBody(content_type=file.state.content_type, data=piece) for piece in found]
        return bodies, str(after) if after < file.size else None

    async def DeleteFile(self, request: pb.DeleteFileRequest, call: Call) -> Empty:
        await content.delete(call, await owned(call, File, request.name, EVERYBODYS, request.etag))
        return Empty()

    async def WriteFile(self, request: pb.WriteFileRequest, call: Call) -> Empty:
        files = call.repo(File)
        file = await files.find(request.file, lock=True)
        if file is None and request.position:
            raise not_found(request.file)  # somebody deleted it meanwhile
        if file is None:
            owner, until = call.principal.name, call.now + KEPT
            file = File.open(request.file, request.display_name, request.content_type, owner, until, request.operation)
            call.schedule(until, pb.ExpireFileRequest(file=request.file))
        file.reopen(request.operation, request.display_name, request.content_type)
        file.guard(request.permissions)
        await content.write(call, file, request.position, request.data)
        await (files.save(file) if file.revision else files.add(file))
        if request.complete:
            file.complete(await content.digest(call, file))
            await files.save(file)
        return Empty()

    async def ExpireFile(self, request: pb.ExpireFileRequest, call: Call) -> Empty:
        file = await call.repo(File).find(request.file, lock=True)
        if file is not None and (request.unneeded or file.over(call.now)):
            await content.delete(call, file)
        return Empty()


async def readable(call: Call, name: str) -> File:
    """A complete file that the caller may read. Refused as `owned` and with FILE_STATE, PERMISSION_REQUIRED."""
    file = await owned(call, File, name, EVERYBODYS)
    for permission in file.state.permissions:
        if not call.can(permission):
            raise refuse(platform.PERMISSION_REQUIRED, "{permission} is required.", permission=permission)
    file.must_allow("read")
    return file
