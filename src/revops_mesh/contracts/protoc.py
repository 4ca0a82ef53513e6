"""Runs protoc: contracts to a descriptor image, and to Python modules with stubs."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from revops_mesh.contracts.third_party import VALIDATE, descriptor_set, third_party_imports
from revops_mesh.contracts.workspace import Refused, Workspace, run, tool


@dataclass(frozen=True)
class Compiled:
    """A serialised FileDescriptorSet of our files and their imports, with source info, and what protoc warned of."""

    image: bytes
    warnings: tuple[str, ...]


def compile_image(workspace: Workspace) -> Compiled:
    """Compiles everything in `protos/`. A contract that does not compile is refused with protoc's own words."""
    with _prepared(workspace) as (scratch, base):
        target = scratch / "contract.binpb"
        options = ["--include_imports", "--include_source_info", f"--descriptor_set_out={target}"]
        output = _protoc(workspace, [*base, *options, *workspace.proto_files()])
        return Compiled(target.read_bytes(), tuple(line for line in output.splitlines() if "warning:" in line))


def compile_python(workspace: Workspace) -> dict[str, bytes]:
    """Modules and stubs of our contracts and of buf/validate, by path below `generated/`.

    No `_pb2_grpc` modules: the member dispatches from descriptors, and clients call by method name.
    """
    with _prepared(workspace) as (scratch, base):
        out = scratch / "out"
        out.mkdir()
        options = [
            f"--plugin=protoc-gen-mypy={tool('protoc-gen-mypy')}",
            f"--python_out={out}",
            f"--mypy_out=quiet:{out}",
        ]
        _protoc(workspace, [*base, *options, *workspace.proto_files(), VALIDATE])
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*.py*"))}


@contextmanager
def _prepared(workspace: Workspace) -> Iterator[tuple[Path, list[str]]]:
    """A scratch folder and the arguments with which protoc finds our files and the third-party ones."""
    with tempfile.TemporaryDirectory(prefix="revops-protoc-") as folder:
        known = Path(folder, "third_party.binpb")
        known.write_bytes(descriptor_set(third_party_imports(workspace)).SerializeToString(deterministic=True))
        yield Path(folder), [f"--descriptor_set_in={known}", f"-I{workspace.protos}"]


def _protoc(workspace: Workspace, arguments: list[str]) -> str:
    code, output = run([sys.executable, "-m", "grpc_tools.protoc", *arguments], workspace.root)
    if code:
        raise Refused("the contract does not compile", output.splitlines())
    return output
