"""Generates and lays out the Go client where Go is installed: the code in `src/go`, and clients and messages by Go's own plugins.

Nothing of it is committed: a Go module is made from the contracts where it is needed. Versions are those of `src/go/go.mod`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from revops_mesh.contracts.model import OURS, read
from revops_mesh.contracts.plugins import client_files, run_plugin
from revops_mesh.contracts.surface import service_config
from revops_mesh.contracts.workspace import Missing, Workspace

MODULE = "revops/client"
PLUGINS = ("protoc-gen-go", "protoc-gen-go-grpc")


def go_client(workspace: Workspace, image: bytes) -> Path:
    """The folder of the module; raises `Missing` if there is no Go, or if it cannot get what the module needs."""
    module = workspace.build / "go"
    shutil.rmtree(module, ignore_errors=True)
    shutil.copytree(workspace.root / "src" / "go", module)
    files = client_files(image)
    ours = [file.name for file in files.file if file.name.startswith(OURS)]
    parameter = ",".join([f"module={MODULE}", *_packages(files)])
    for plugin in PLUGINS:
        # Found and built first: what a plugin complains of is then about the contract.
        command = go(module, "tool", "-n", plugin).stdout.split()
        for path, content in run_plugin(command, files, parameter, module, ours).items():
            (module / path).parent.mkdir(parents=True, exist_ok=True)
            (module / path).write_bytes(content)
    (module / "service_config.json").write_text(service_config(read(image)))
    go(module, "build", "./...")
    return module


def go(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the `go` command; raises `Missing` with what it says if it fails."""
    if (found := shutil.which("go")) is None:
        raise Missing("there is no Go")
    # No other version than the installed one, and no toolchain from elsewhere.
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
    command: Sequence[str] = [found, *arguments]
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"go {arguments[0]} fails: {' '.join(done.stderr.split())[-600:]}")
    return done


def _packages(files: FileDescriptorSet) -> list[str]:
    """Where the code of each file of ours goes, as in `quoting/v1` for `revops/quoting/v1/quotes.proto`."""
    placed = {file.name: file.package.removeprefix("revops.") for file in files.file if file.name.startswith(OURS)}
    return [f"M{name}={MODULE}/{place.replace('.', '/')};{place.replace('.', '')}" for name, place in placed.items()]
