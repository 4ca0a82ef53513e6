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


def serve(only: Only = "", roles: Roles = "", rest: Rest = "") -> None:
    """Serve the contracts and do the background work, as the REVOPS_… variables say (docs/settings.md)."""
    given = {"REVOPS_ONLY": only, "REVOPS_ROLES": roles, "REVOPS_REST_ADDRESS": rest}
    chosen = {name: text for name, text in given.items() if text}
    run(Settings.read({**os.environ, **chosen}), PARTS)
