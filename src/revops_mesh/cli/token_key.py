"""`revops token-key`: the keys of the tokens that the installation issues itself."""

from pathlib import Path
from typing import Annotated

import typer

from revops_mesh.runtime.keys import add_token_key

from .options import Json
from .output import say
from .problems import require_directory

File = Annotated[Path, typer.Argument(help="The file that REVOPS_TOKEN_KEYS names.", show_default=False)]


def token_key(file: File, json: Json = False) -> None:
    """Add a key behind those in a file, or make the file. The first key signs; docs/settings.md tells how to rotate."""
    require_directory(file)
    added = add_token_key(file)
    say(added, {"kid": added, "file": str(file)}, as_json=json)
