"""`revops dead-letters`: what failed for good, and another try for it."""

import uuid
from typing import Annotated

import typer
from revops.platform.v1 import audit_pb2 as pb

from revops_mesh.local.calls import Member

from .options import DATA, Address, Data, Json, Surroundings, Tenant, Token
from .output import show

ROLES = ("admin",)

dead_letters = typer.Typer(help="List and replay what failed for good.", no_args_is_help=True, add_completion=False)


@dead_letters.command("list")
def listed(tenant: Tenant, json: Json = False, data: Data = DATA, address: Address = "", token: Token = "") -> None:
    """List a tenant's dead letters, newest first."""

    async def ask(member: Member) -> list[pb.DeadLetter]:
        found: list[pb.DeadLetter] = []
        request = pb.ListDeadLettersRequest(page_size=1000)
        while True:
            page = await member(request)
            found += page.dead_letters
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    show([_row(each) for each in Surroundings(data, address, token).call(ask, tenant, ROLES)], as_json=json)


@dead_letters.command("replay")
def replay(
    name: Annotated[str, typer.Argument(help="As in deadLetters/…, from the list.", show_default=False)],
    tenant: Tenant, json: Json = False, data: Data = DATA, address: Address = "", token: Token = "",
) -> None:  # fmt: skip
    """Have a dead letter run again, with all its attempts."""
    request = pb.ReplayDeadLetterRequest(name=f"deadLetters/{name.removeprefix('deadLetters/')}", request_id=str(uuid.uuid4()))

    async def ask(member: Member) -> pb.DeadLetter:
        answer: pb.DeadLetter = await member(request)
        return answer

    show([_row(Surroundings(data, address, token).call(ask, tenant, ROLES))], as_json=json)


def _row(letter: pb.DeadLetter) -> dict[str, object]:
    return {
        "name": letter.name,
        "time": letter.time.ToJsonString(),
        "method": letter.method or "(publication)",
        "request": letter.request_type,
        "problem": letter.problem,
        "attempts": letter.attempts,
    }
