"""`revops serve`: one member. It imports nothing that a member does not need, for all of that would stay in its memory."""

import os
from typing import Annotated

import typer

from revops_mesh.runtime.serve import run
from revops_mesh.runtime.settings import Settings

from .parts import PARTS

Only = Annotated[str, typer.Option("--only", help="Capabilities to serve, comma separated. Default: all.")]
Rest = Annotated[str, typer.Option("--rest", help="host:port to serve the REST bridge on. Default: none.", show_default=False)]
Roles = Annotated[str, typer.Option("--roles", help="Kinds of work to do, comma separated. Default: all.")]
Workers = Annotated[
    int, typer.Option("--workers", min=0, max=64, help="Processes that share the ports. Default: 1.", show_default=False)
]


def serve(only: Only = "", roles: Roles = "", rest: Rest = "", workers: Workers = 0) -> None:
    """Serve the contracts and do the background work, as the REVOPS_… variables say (docs/settings.md)."""
    given = {"REVOPS_ONLY": only, "REVOPS_ROLES": roles, "REVOPS_REST_ADDRESS": rest, "REVOPS_WORKERS": str(workers or "")}
    chosen = {name: text for name, text in given.items() if text}
    run(Settings.read({**os.environ, **chosen}), PARTS)
