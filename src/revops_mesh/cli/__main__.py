"""Makes `python -m revops_mesh.cli` the `revops` command, wherever the package was installed."""

from .main import app

app(prog_name="revops")
