"""`revops call`: one method, called with a request in JSON (protobuf's JSON mapping), and its answer or its refusal."""

import json as jsons
import sys
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from google.protobuf.message import Message

from revops_mesh import member
from revops_mesh.kernel.contract import Method, methods_of
from revops_mesh.local.calls import Member, Refusal

from .nearness import meant
from .options import DATA, Address, Data, Surroundings, Token
from .problems import CommandError

Which = Annotated[str, typer.Argument(help="As in QuoteService/GetQuote.", show_default=False)]
Sent = Annotated[str, typer.Argument(metavar="[JSON]", help="The request; - reads it from standard input.")]
Of = Annotated[
    str, typer.Option("--tenant", help="Slug of the caller's tenant. Default: the installation itself.", show_default=False)
]
Compact = Annotated[bool, typer.Option("--json", help="Print the JSON in one line.")]
Role = Annotated[str, typer.Option("--role", help="Role of the caller, unless a token is given.")]


def call(
    method: Which, request: Sent = "{}", tenant: Of = "", role: Role = "admin", data: Data = DATA, address: Address = "",
    token: Token = "", json: Compact = False,
) -> None:  # fmt: skip
    """Call a method; a refusal is printed as JSON on standard error, with the reason that its contract documents."""
    wanted = _method(method)
    sent = wanted.request()
    try:
        Parse(sys.stdin.read() if request == "-" else request, sent)
    except ParseError as error:
        raise CommandError(f"no {wanted.request.DESCRIPTOR.full_name}: {error}") from None

    async def ask(member: Member) -> Message:
        answer: Message = await member(sent)
        return answer

    try:
        answer = Surroundings(data, address, token).call(ask, tenant, (role,))
    except Refusal as refusal:
        if not refusal.reason:
            raise
        said = {"code": refusal.code, "message": str(refusal), "reason": refusal.reason, "domain": refusal.domain}
        print(
            jsons.dumps({**said, "metadata": refusal.metadata}, ensure_ascii=False, indent=None if json else 2), file=sys.stderr
        )
        raise typer.Exit(1) from None
    print(MessageToJson(answer, ensure_ascii=False, indent=None if json else 2))


def _method(wanted: str) -> Method:
    methods = [each for module in member.MODULES for each in methods_of(module.service) if not each.internal]
    named = wanted.replace(".", "/").strip("/")
    found = [each for each in methods if f"/{each.full_name}".replace(".", "/").endswith(f"/{named}")]
    if len(found) != 1:
        names = (each.full_name.rpartition(".")[2] for each in methods)
        near = meant(named.rpartition("/")[2], names, ": revops catalogue lists them")
        whose = ", ".join("/".join(each.full_name.rsplit(".", 2)[1:]) for each in found)
        raise CommandError(f"say which {wanted}: {whose}" if found else f"no methods are called {wanted}{near}")
    if found[0].streams:
        raise CommandError(f"{found[0].full_name} streams its answers: call it with buf curl")
    return found[0]
