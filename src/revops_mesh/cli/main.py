"""The `revops` command: its subcommands, and how their errors are told.

A subcommand's file is imported when it is called, because `revops --help` and `revops token` shall not wait for the libraries
of all others. Exit codes: 0 done, 1 refused or failed, 2 called wrongly, 130 interrupted.
"""

import os
import sys
import traceback
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # read when gRPC is imported; its notes belong into no command's answer

RUN, OPERATE, DEVELOP = "Run", "Operate", "Develop"


class Deferred(NamedTuple):
    """A subcommand before it is imported: the function or the group `attribute` of a file beside this one."""

    panel: str
    help: str
    file: str
    attribute: str


SUBCOMMANDS = {
    "up": Deferred(RUN, "Start everything on this machine, with a demo tenant.", "running", "up"),
    "serve": Deferred(RUN, "Serve the contracts and do the background work.", "serving", "serve"),
    "gateway": Deferred(RUN, "Serve REST for a member elsewhere.", "gateway", "gateway"),
    "migrate": Deferred(RUN, "Bring the database to the newest revision.", "database", "migrate"),
    "token": Deferred(OPERATE, "Issue a development token.", "tenants", "token"),
    "token-key": Deferred(OPERATE, "Add a key for the tokens that the installation issues.", "token_key", "token_key"),
    "tenant": Deferred(OPERATE, "Create and list tenants.", "tenants", "tenant"),
    "dead-letters": Deferred(OPERATE, "List and replay what failed for good.", "dead_letters", "dead_letters"),
    "import": Deferred(OPERATE, "Make a resource of every row of a file.", "bulk", "import_"),
    "export": Deferred(OPERATE, "Write the resources of a list into a file.", "bulk", "export"),
    "operations": Deferred(OPERATE, "List, wait for, cancel and resume long jobs.", "operations", "operations"),
    "call": Deferred(OPERATE, "Call a method with a request in JSON.", "calling", "call"),
    "show": Deferred(OPERATE, "Print the stored state of a resource.", "stored", "show"),
    "reproject": Deferred(OPERATE, "Fill the columns of stored resources anew.", "stored", "reproject"),
    "promotion-report": Deferred(OPERATE, "Tell which modules deserve a process of their own.", "promotion", "promotion_report"),
    "catalogue": Deferred(DEVELOP, "Print the methods that a member serves.", "catalogue", "catalogue"),
    "seed": Deferred(DEVELOP, "Tell a running member the demo's story.", "tenants", "seed"),
    "migration": Deferred(DEVELOP, "Write a migration from the contracts.", "database", "migration"),
}


class Subcommand(TyperCommand):
    """Stands for a subcommand until it is called."""

    def __init__(self, name: str, deferred: Deferred) -> None:
        super().__init__(name, help=deferred.help, rich_help_panel=deferred.panel)
        self._deferred = deferred

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """That of the real command, which it has imported."""
        found = getattr(import_module(f"{__package__}.{self._deferred.file}"), self._deferred.attribute)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, context_settings=SETTINGS)
            alone.command(self.name)(found)
            found = alone
        return get_command(found).make_context(info_name, args, parent, **extra)


class Subcommands(TyperGroup):
    """The subcommands; an error is one line on standard error, or a traceback with --debug."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, deferred in SUBCOMMANDS.items():
            self.add_command(Subcommand(name, deferred))

    def invoke(self, ctx: Any) -> Any:
        """Runs the subcommand."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
                raise typer.Exit(1) from None
            from .problems import told  # only now, for it knows the errors of every library

            print(f"revops: {told(error)}", file=sys.stderr)
            raise typer.Exit(1) from None


def _version(wanted: bool) -> None:
    if wanted:
        try:
            print(version("revops-mesh"))
        except PackageNotFoundError:
            print("not installed")
        raise typer.Exit


SETTINGS = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    name="revops",
    cls=Subcommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)


@app.callback()
def revops(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    show_version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Sales & RevOps as a member of a gRPC service mesh."""
