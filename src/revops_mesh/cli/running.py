"""`revops up`: everything on one machine."""

import asyncio
import json as jsons
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from revops_mesh.local.up import Ready, Up, data_directory

from .options import DATA, Data, Json

Port = Annotated[int, typer.Option("--port", min=1, max=65_535, help="Port of the member's gRPC.")]
HttpPort = Annotated[int, typer.Option("--http-port", min=1, max=65_535, help="Port of the gateway's HTTP.")]
Demo = Annotated[bool, typer.Option("--demo/--no-demo", help="Tell the story of the demo tenants.")]

CATALOG = "revops.catalog.v1.ProductService"


def up(data: Data = DATA, port: Port = 7050, http_port: HttpPort = 8080, demo: Demo = True, json: Json = False) -> None:
    """Start everything on this machine, with a demo tenant; Ctrl-C stops it.

    With --json it prints one line of JSON once it is ready, and its progress on standard error.
    PostgreSQL and NATS are embedded unless REVOPS_DATABASE_URL and REVOPS_NATS_URL name servers.
    """
    console = Console(highlight=False, soft_wrap=True, stderr=json)

    def tell(line: str) -> None:
        console.print(f"[dim]{escape(line)}[/]")

    def ready(what: Ready) -> None:
        if json:
            facts = {"seconds": round(what.seconds, 1), "token": what.token, "problem": what.problem, "logs": f"{data}/logs"}
            print(jsons.dumps({**msgspec.to_builtins(what.running), **facts}), flush=True)
        else:
            console.print(_told(what, data))

    asyncio.run(Up(data_directory(data), port, http_port, demo, os.environ, tell, ready).run())


def _told(ready: Ready, data: Path) -> str:
    """What a newcomer needs next: where everything is, a token, and three commands to try."""
    running = ready.running
    lines = [
        f"[bold green]ready[/] in {ready.seconds:.1f} s, gRPC on [bold]{running.address}[/] with reflection and health",
        f"  REST        {running.http}, explained at {running.http}/docs",
        f"  PostgreSQL  {running.database_url}",
        f"  NATS        {running.nats_url}",
        f"  logs        {data}/logs",
    ]
    if ready.problem:
        lines.append(f"[bold red]the demo's story is incomplete[/]: {escape(ready.problem)}")
    if ready.token:
        lines += [
            "",
            "A token of Anna, administrator of the demo tenant acme, for a day:",
            "",
            f"export TOKEN={ready.token}",
        ]
        lines += ["", "Try a list, a call, and a refusal:", "", *_commands(running.address)]
    lines += ["", "Ctrl-C stops everything."]
    return "\n".join(lines)


def _commands(address: str) -> list[str]:
    quotes = "revops.quoting.v1.QuoteService"
    return [
        _buf(address, f"{CATALOG}/ListProducts", '{"filter": "family = \\"storage\\""}'),
        _buf(address, f"{quotes}/ExplainQuote", '{"name": "quotes/brenner-fleet"}'),
        _buf(address, f"{quotes}/AcceptQuote", '{"name": "quotes/lumen-launch"}'),
    ]


def _buf(address: str, method: str, request: str) -> str:
    beside = Path(sys.executable).with_name("buf")
    program = "buf" if shutil.which("buf") or not beside.exists() else os.path.relpath(beside)
    call = f'{program} curl --protocol grpc --http2-prior-knowledge -H "authorization: Bearer $TOKEN"'
    return escape(f"{call} \\\n  -d '{request}' http://{address}/{method}")
