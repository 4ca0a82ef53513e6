"""Third-party contracts (google/*, buf/validate) as one descriptor set, read from the installed wheels.

No third-party `.proto` is kept in the tree: the wheel that enforces a contract also says what it is.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from protovalidate import ViolationPb

from revops_mesh.contracts.workspace import Refused, Workspace

VALIDATE = "buf/validate/validate.proto"
"""The wheel of protovalidate holds its descriptor but no module for our protobuf runtime, so we generate one."""

IMPORT = re.compile(r'^\s*import\s+(?:public\s+|weak\s+)?"([^"]+)"\s*;', re.MULTILINE)


def third_party_imports(workspace: Workspace) -> list[str]:
    """Files that our contracts import and do not hold, sorted; `buf/validate/validate.proto` is always among them."""
    ours = workspace.proto_files()
    imported = {name for path in ours for name in IMPORT.findall((workspace.protos / path).read_text())}
    return sorted(imported - set(ours) | {VALIDATE})


def descriptor_set(imports: Iterable[str]) -> FileDescriptorSet:
    """The named files and all they import, dependencies first. An import that no wheel provides is refused."""
    files = FileDescriptorSet()
    seen: set[str] = set()
    for name in imports:
        for file in _with_dependencies(_validate() if name == VALIDATE else _from_module(name)):
            if file.name not in seen:
                seen.add(file.name)
                files.file.append(file)
    return files


def _with_dependencies(file: FileDescriptorProto) -> Iterator[FileDescriptorProto]:
    for needed in file.dependency:
        yield from _with_dependencies(_from_module(needed))
    yield file


def _validate() -> FileDescriptorProto:
    return FileDescriptorProto.FromString(ViolationPb.desc().file.proto.to_binary())


def _from_module(name: str) -> FileDescriptorProto:
    module = name.removesuffix(".proto").replace("/", ".") + "_pb2"
    try:
        descriptor: FileDescriptor = importlib.import_module(module).DESCRIPTOR
    except ModuleNotFoundError as error:
        raise Refused("an import is unknown", [f'"{name}" is neither in protos/ nor in an installed wheel']) from error
    file = FileDescriptorProto()
    descriptor.CopyToProto(file)
    return file
