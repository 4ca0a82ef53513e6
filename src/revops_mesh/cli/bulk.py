"""`revops import` and `revops export`: files become resources and resources become files, by operations of the member.

An import is known by its file and its options: the same command again goes on where it was, whatever ended the last one.
"""

import hashlib
import os
import sys
import uuid
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from revops.platform.v1 import exports_pb2, files_pb2, imports_pb2
from revops.platform.v1 import operations_pb2 as pb
from rich.progress import DownloadColumn

from revops_mesh.kernel.contract import described
from revops_mesh.kernel.names import derived
from revops_mesh.local.calls import Member

from .nearness import meant
from .operations import ROLES, awaited, bars, ended, interruptible
from .options import DATA, Address, Data, Json, Surroundings, Tenant, Token
from .problems import CommandError, require_directory
from .stored import kinds

PIECE = 256 * 1024
"""Bytes of a request of an upload."""
SHOWN = 10
"""Refused rows that are printed."""


class Format(StrEnum):
    """Forms of a file."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


MEDIA = {Format.CSV: "text/csv", Format.JSONL: "application/jsonl"}


class Mode(StrEnum):
    """What becomes of rows."""

    CREATE = "create"
    UPSERT = "upsert"


Source = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A table or JSON lines, UTF-8.", show_default=False)]
Type = Annotated[str, typer.Option("--type", help="What a row becomes, as in catalog.Product or products.", show_default=False)]
What = Annotated[str, typer.Argument(help="A collection or a type, as in quotes or quoting.Quote.", show_default=False)]
As = Annotated[Format | None, typer.Option("--format", help="Form of the file. Default: by the end of its name.")]
Target = Annotated[Path, typer.Option("--output", "-o", help="File to write; - is standard output.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check every row and make none.")]
Again = Annotated[bool, typer.Option("--again", help="Import the file although it was imported before.")]
Filter = Annotated[str, typer.Option("--filter", help="Only these (AIP-160).")]
Order = Annotated[str, typer.Option("--order-by", help="In this order (AIP-132).")]
Fields = Annotated[str, typer.Option("--fields", help="Only these fields, comma separated.")]


def import_(
    file: Source, type: Type, tenant: Tenant, format: As = None, mode: Annotated[Mode, typer.Option("--mode")] = Mode.CREATE,
    dry_run: DryRun = False, again: Again = False, json: Json = False, data: Data = DATA, address: Address = "",
    token: Token = "",
) -> None:  # fmt: skip
    """Make a resource of every row of a file. Refused rows are told and stop no other; Ctrl-C stops nothing.

    The same command again shows the same import, or goes on uploading where it was cut off.
    """
    of = imports_pb2.ImportResourcesRequest
    form, surroundings = _format(format, file), Surroundings(data, address, token)
    if form is Format.PARQUET:
        raise CommandError("an import takes csv or jsonl")
    digest = _sha256(file)
    known_by = derived("revops import", tenant, digest, type, form, mode, dry_run, uuid.uuid4() if again else "")
    request = of(type=_type(type), dry_run=dry_run, request_id=str(derived(known_by, "import")))
    request.format, request.mode = of.Format.Value(f"FORMAT_{form.upper()}"), of.Mode.Value(f"MODE_{mode.upper()}")

    async def begin(member: Member) -> str:
        first = files_pb2.UploadFileRequest(display_name=file.name[:200], sha256=digest)
        first.request_id, first.content.content_type = str(derived(known_by, "upload")), MEDIA[form]
        request.file = await _uploaded(member, file, first)
        operation = await member(request)
        return str(operation.name)

    try:
        name = surroundings.call(begin, tenant, ROLES)
    except KeyboardInterrupt:
        print("nothing was imported yet: the same command goes on where the upload was cut off", file=sys.stderr)
        raise typer.Exit(130) from None

    async def finish(member: Member) -> pb.Operation:
        operation = await awaited(member, name)
        await _tell_refused(member, operation)
        return operation

    done = interruptible(lambda: surroundings.call(finish, tenant, ROLES), name, tenant)
    ended(done, as_json=json)
    if _refused(done).failed:
        raise typer.Exit(1)


def export(
    what: What, tenant: Tenant, output: Target, format: As = None, filter: Filter = "", order_by: Order = "", fields: Fields = "",
    json: Json = False, data: Data = DATA, address: Address = "", token: Token = "",
) -> None:  # fmt: skip
    """Write the resources of a list into a file, as whose token it is may see them."""
    of, surroundings = exports_pb2.ExportResourcesRequest, Surroundings(data, address, token)
    if json and str(output) == "-":
        raise typer.BadParameter("standard output takes the file or the JSON: choose", param_hint="--json")
    require_directory(output)
    request = of(type=_type(what), filter=filter, order_by=order_by, request_id=str(uuid.uuid4()))
    request.format = of.Format.Value(f"FORMAT_{_format(format, output).upper()}")
    request.read_mask.paths.extend(path for path in fields.split(",") if path)

    async def begin(member: Member) -> str:
        return str((await member(request)).name)

    name = surroundings.call(begin, tenant, ROLES)

    async def finish(member: Member) -> pb.Operation:
        operation, made = await awaited(member, name), exports_pb2.ExportResponse()
        if operation.response.Unpack(made):
            await _downloaded(member, made, output)
        return operation

    done = interruptible(lambda: surroundings.call(finish, tenant, ROLES), name, tenant)
    if str(output) != "-" or not done.HasField("response"):
        ended(done, as_json=json)


async def _uploaded(member: Member, path: Path, first: files_pb2.UploadFileRequest) -> str:
    """The name of the uploaded file."""

    async def pieces() -> AsyncIterator[files_pb2.UploadFileRequest]:
        request, begun = first, False
        with path.open("rb") as source, bars(DownloadColumn()) as progress:
            task = progress.add_task(path.name, total=os.fstat(source.fileno()).st_size)
            while (data := source.read(PIECE)) or not begun:
                request.content.data = data
                yield request
                progress.advance(task, len(data))
                request, begun = files_pb2.UploadFileRequest(), True

    uploaded = await member.send(files_pb2.UploadFileRequest, pieces())
    return str(uploaded.name)


async def _downloaded(member: Member, made: exports_pb2.ExportResponse, output: Path) -> None:
    """Writes a file beside its place, and puts it there when it is whole."""
    request, partial = files_pb2.DownloadFileRequest(name=made.file), output.with_name(f".{output.name}.partial")

    async def write(into: BinaryIO) -> None:
        with bars(DownloadColumn()) as progress:
            task = progress.add_task(made.file, total=made.size_bytes)
            async for body in member.stream(request):
                into.write(body.data)
                progress.advance(task, len(body.data))

    if str(output) == "-":
        await write(sys.stdout.buffer)
        return
    with partial.open("wb") as target:
        await write(target)
    partial.replace(output)


def _refused(operation: pb.Operation) -> imports_pb2.ImportMetadata:
    progress = imports_pb2.ImportMetadata()
    operation.metadata.Unpack(progress)
    return progress


async def _tell_refused(member: Member, operation: pb.Operation) -> None:
    """Prints the first refused rows on standard error, and where all are."""
    refused = _refused(operation)
    if not refused.error_file:
        return
    async for body in member.stream(files_pb2.DownloadFileRequest(name=refused.error_file)):
        lines = body.data.decode(errors="replace").splitlines()[:SHOWN]
        break
    rest = f", the first {len(lines)} of {refused.failed} here" if refused.failed > len(lines) else ""
    print(*lines, f"all refused rows: {refused.error_file}{rest}", sep="\n", file=sys.stderr)


def _format(wanted: Format | None, path: Path) -> Format:
    found = wanted or next((each for each in Format if path.suffix == f".{each}"), None)
    if found is None:
        raise CommandError(f"name the form of {path} with --format: {', '.join(Format)}")
    return found


def _type(wanted: str) -> str:
    """The full name of a type that is named by its capability, by its collection, or in full."""
    found = [
        kind.full_name
        for kind in kinds()
        if wanted in (kind.full_name, f"{kind.schema}.{described(kind.message).name}", kind.pattern.collection)
    ]
    if len(found) > 1:
        raise CommandError(f"{wanted} is one of {', '.join(sorted(found))}: say which")
    if not found and "." not in wanted:  # a full name may be one that only the member knows
        collections = {kind.pattern.collection for kind in kinds()}
        if near := meant(wanted, collections):
            raise CommandError(f"no collection is called {wanted}{near}")
    return found[0] if found else wanted


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
