"""`revops gateway`: HTTP for a member elsewhere. Not beside `serve`, because it needs none of a member's libraries."""

import os
from typing import Annotated

import typer

from revops_mesh.gateway.serving import run
from revops_mesh.gateway.settings import GatewaySettings

Listen = Annotated[str, typer.Option("--address", help="host:port to serve HTTP on.", show_default=False)]
Member = Annotated[str, typer.Option("--member", help="host:port of the member, https://host:port by TLS.", show_default=False)]


def gateway(address: Listen = "", member: Member = "") -> None:
    """Serve REST for a member elsewhere, as the REVOPS_… variables say (docs/settings.md)."""
    chosen = {name: text for name, text in (("REVOPS_HTTP_ADDRESS", address), ("REVOPS_MEMBER", member)) if text}
    run(GatewaySettings.read({**os.environ, **chosen}))
