"""Compiles `probe.proto` for this process, with the contracts and third-party files that the product itself uses."""

import atexit
import shutil
import sys
import tempfile
from pathlib import Path

from revops_mesh.contracts.third_party import descriptor_set, third_party_imports
from revops_mesh.contracts.workspace import Workspace, run

ROOT = Path(__file__).parents[2]
FOLDER = Path(tempfile.mkdtemp(prefix="revops-probe-"))
NAME = "revops/probe/v1/probe.proto"


def _compile() -> None:
    known = FOLDER / "third_party.binpb"
    known.write_bytes(descriptor_set(third_party_imports(Workspace(ROOT))).SerializeToString())
    source = FOLDER / NAME
    source.parent.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("probe.proto"), source)
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={known}", f"-I{FOLDER}", f"-I{ROOT / 'protos'}"]
    code, output = run([*protoc, f"--python_out={FOLDER}", NAME], ROOT)
    assert code == 0, output


atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
_compile()
sys.path.append(str(FOLDER))

from revops.probe.v1 import probe_pb2 as pb  # noqa: E402

__all__ = ["pb"]
