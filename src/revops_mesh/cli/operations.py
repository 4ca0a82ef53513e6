"""`revops operations`: long jobs, and the progress bar with which one waits for them."""

import asyncio
import json as jsons
import sys
import uuid
from collections.abc import Callable
from typing import Annotated, Any

import typer
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from revops.platform.v1 import operations_pb2 as pb
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

import revops_mesh.member  # noqa: F401  for the contracts of all progress and results
from revops_mesh.local.calls import Member, Refusal

from .options import DATA, Address, Data, Json, Surroundings, Tenant, Token
from .output import show

ROLES = ("admin",)
LOOK_SECONDS = 1
"""How often progress is shown."""
PATIENCE_SECONDS = 30
"""How long a member may be away while one waits: the operation waits for it, too."""

Which = Annotated[str, typer.Argument(metavar="NAME", help="As in operations/…", show_default=False)]
Filter = Annotated[str, typer.Option("--filter", help="As in 'state = RUNNING' (AIP-160).")]

operations = typer.Typer(help="List, wait for, cancel and resume long jobs.", no_args_is_help=True, add_completion=False)


@operations.command("list")
def listed(
    tenant: Tenant, filter: Filter = "", json: Json = False, data: Data = DATA, address: Address = "", token: Token = ""
) -> None:
    """List a tenant's operations, oldest first."""

    async def ask(member: Member) -> list[pb.Operation]:
        found: list[pb.Operation] = []
        request = pb.ListOperationsRequest(page_size=1000, filter=filter)
        while True:
            page = await member(request)
            found += page.operations
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    show([_row(each) for each in Surroundings(data, address, token).call(ask, tenant, ROLES)], as_json=json)


@operations.command("show")
def shown(name: Which, tenant: Tenant, json: Json = False, data: Data = DATA, address: Address = "", token: Token = "") -> None:
    """Print an operation with its progress; as JSON also with its end."""
    tell(_asked(pb.GetOperationRequest(name=_full(name)), Surroundings(data, address, token), tenant), as_json=json)


@operations.command("wait")
def wait(name: Which, tenant: Tenant, json: Json = False, data: Data = DATA, address: Address = "", token: Token = "") -> None:
    """Wait until an operation is done; exit code 1 if it failed or was cancelled. Ctrl-C only ends the waiting."""

    async def ask(member: Member) -> pb.Operation:
        return await awaited(member, _full(name))

    done = interruptible(lambda: Surroundings(data, address, token).call(ask, tenant, ROLES), _full(name), tenant)
    ended(done, as_json=json)


@operations.command("cancel")
def cancel(name: Which, tenant: Tenant, json: Json = False, data: Data = DATA, address: Address = "", token: Token = "") -> None:
    """Have an operation stop; what it did stays, and it can be resumed."""
    request = pb.CancelOperationRequest(name=_full(name), request_id=str(uuid.uuid4()))
    tell(_asked(request, Surroundings(data, address, token), tenant), as_json=json)


@operations.command("resume")
def resume(name: Which, tenant: Tenant, json: Json = False, data: Data = DATA, address: Address = "", token: Token = "") -> None:
    """Have a failed or cancelled operation go on where it stopped."""
    request = pb.ResumeOperationRequest(name=_full(name), request_id=str(uuid.uuid4()))
    tell(_asked(request, Surroundings(data, address, token), tenant), as_json=json)


def bars(*columns: Any) -> Progress:
    """Progress bars on standard error, for people only."""
    console = Console(stderr=True)
    usual = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*usual, *columns, console=console, transient=True, disable=not console.is_terminal)


async def awaited(member: Member, name: str) -> pb.Operation:
    """An operation once it is done; its progress is shown until then."""
    request = pb.WaitOperationRequest(name=name, timeout=Duration(seconds=LOOK_SECONDS))
    with bars(TextColumn("{task.fields[told]}")) as progress:
        task = progress.add_task(name, total=None, told="")
        while True:
            operation: pb.Operation = await _patiently(member, request)
            facts = _progress(operation)
            whole, done = facts.get("total_bytes"), facts.get("done_bytes", 0)
            told = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in facts.items() if "bytes" not in key)
            progress.update(task, total=int(whole) if whole else None, completed=int(done), told=told)
            if operation.done:
                return operation


async def _patiently(member: Member, request: pb.WaitOperationRequest) -> Any:
    """The answer, also of a member that is being started again."""
    for _ in range(PATIENCE_SECONDS):
        try:
            return await member(request)
        except Refusal as refusal:
            if refusal.code != "UNAVAILABLE":
                raise
        await asyncio.sleep(1)
    return await member(request)


def interruptible(work: Callable[[], pb.Operation], name: str, tenant: str) -> pb.Operation:
    """What the waiting gives; Ctrl-C ends it and tells how to come back."""
    try:
        return work()
    except KeyboardInterrupt:
        back = f"revops operations wait {name} --tenant {tenant}"
        print(f"{name} goes on without you: {back}, or cancel it with revops operations cancel", file=sys.stderr)
        raise typer.Exit(130) from None


def ended(operation: pb.Operation, *, as_json: bool) -> None:
    """Prints how an operation ended; leaves with 1 if not well."""
    tell(operation, as_json=as_json)
    if operation.HasField("error") and not as_json:
        print(f"revops: {operation.error.message}", file=sys.stderr)
    if not operation.HasField("response"):
        raise typer.Exit(1)


def tell(operation: pb.Operation, *, as_json: bool) -> None:
    """Prints an operation: a line, or all of it as JSON."""
    if not as_json:
        show([_row(operation)], as_json=False)
        return
    print(jsons.dumps(MessageToDict(operation, preserving_proto_field_name=True), ensure_ascii=False, indent=2))


def _asked(request: Any, surroundings: Surroundings, tenant: str) -> pb.Operation:
    async def ask(member: Member) -> pb.Operation:
        answer: pb.Operation = await member(request)
        return answer

    return surroundings.call(ask, tenant, ROLES)


def _full(name: str) -> str:
    return f"operations/{name.removeprefix('operations/')}"


def _progress(operation: pb.Operation) -> dict[str, Any]:
    """The progress by field; empty for one that this installation does not know."""
    try:
        found: dict[str, Any] = MessageToDict(operation.metadata, preserving_proto_field_name=True)
    except TypeError:
        return {}
    return {key: value for key, value in found.items() if key != "@type"}


def _row(operation: pb.Operation) -> dict[str, object]:
    return {
        "name": operation.name,
        "method": operation.method.rpartition(".")[2],
        "state": pb.Operation.State.Name(operation.state).removeprefix("STATE_")
        + (" (cancelling)" if operation.cancelling else ""),
        "progress": ", ".join(f"{key} {value}" for key, value in _progress(operation).items()),
        "principal": operation.principal,
        "started": operation.create_time.ToJsonString(),
    }
