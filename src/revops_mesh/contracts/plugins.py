"""Runs protoc's plugins on what clients need of an image: the types that methods reach, and no option but the standard ones.

Permissions, storage and validation are enforced by the member; without them a client needs neither our vocabulary nor
buf.validate. Source: protobuf's `compiler/plugin.proto`, the request on standard input and the files on standard output.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import Message

from revops_mesh.contracts.model import OURS
from revops_mesh.contracts.third_party import descriptor_set
from revops_mesh.contracts.workspace import Refused

VOCABULARY = "revops/options/"
"""Of which clients get only the files whose types they meet."""
DETAILS = ("google/rpc/error_details.proto", "google/rpc/status.proto")
"""Every answer may be one of these, though no method says so."""


def client_files(image: bytes) -> FileDescriptorSet:
    """Our files and all that their types reach, each after its imports; comments only of ours."""
    known = {file.name: file for file in FileDescriptorSet.FromString(image).file}
    for file in descriptor_set(DETAILS).file:
        known.setdefault(file.name, file)
    home = {name: file.name for file in known.values() for name in _defined(file)}
    needed: set[str] = set()
    waiting = [name for name in known if name.startswith(OURS) and not name.startswith(VOCABULARY)] + list(DETAILS)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += {home[used] for used in _used(known[name])}
    return FileDescriptorSet(file=[_bare(file, needed) for file in _ordered(known, needed)])


def run_plugin(
    command: Sequence[str], files: FileDescriptorSet, parameter: str, where: Path, generate: Sequence[str] = ()
) -> dict[str, bytes]:
    """What a plugin makes of the files, or of those to generate, by path. It runs in `where`; its complaints are refused."""
    names = generate or [file.name for file in files.file]
    request = CodeGeneratorRequest(parameter=parameter, proto_file=files.file, file_to_generate=names)
    # A plugin may need others that are installed with it, as betterproto2's needs ruff.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    sent, environment = request.SerializeToString(deterministic=True), {**os.environ, "PATH": path}
    done = subprocess.run(command, input=sent, capture_output=True, cwd=where, env=environment, check=False)
    response = CodeGeneratorResponse.FromString(done.stdout if done.returncode == 0 else b"")
    if done.returncode or response.error:
        complaint = response.error or done.stderr.decode(errors="replace")
        raise Refused(f"{Path(command[-1]).name} does not generate", complaint.splitlines())
    return {file.name: file.content.encode() for file in response.file}


def _bare(file: FileDescriptorProto, needed: set[str]) -> FileDescriptorProto:
    """A copy without custom options and what they are imported from."""
    bare = FileDescriptorProto()
    bare.CopyFrom(file)
    _clear_custom_options(bare)
    bare.ClearField("extension")
    for field in ("dependency", "public_dependency", "weak_dependency"):
        bare.ClearField(field)
    bare.dependency.extend(name for name in file.dependency if name in needed)
    if not file.name.startswith(OURS):
        bare.ClearField("source_code_info")
        # The Python generator reads it without asking whether it is there.
        bare.source_code_info.SetInParent()
        bare.ClearField("service")
    return bare


def _clear_custom_options(message: Message) -> None:
    for field, value in message.ListFields():
        if field.is_extension:
            message.ClearExtension(field)  # type: ignore[arg-type]
        elif field.message_type is not None and field.name != "source_code_info":
            for inner in value if field.is_repeated else [value]:
                _clear_custom_options(inner)
    message.DiscardUnknownFields()


def _ordered(known: dict[str, FileDescriptorProto], needed: set[str]) -> Iterator[FileDescriptorProto]:
    """The needed files, each after those it imports; otherwise in the order of names."""
    seen: set[str] = set()

    def with_imports(name: str) -> Iterator[FileDescriptorProto]:
        if name in needed and name not in seen:
            seen.add(name)
            for imported in known[name].dependency:
                yield from with_imports(imported)
            yield known[name]

    for name in sorted(needed):
        yield from with_imports(name)


def _used(file: FileDescriptorProto) -> Iterator[str]:
    """Full names, with a leading dot, of the types that fields and, if it is ours, methods use."""
    waiting = list(file.message_type)
    while waiting:
        message = waiting.pop()
        waiting += message.nested_type
        yield from (field.type_name for field in message.field if field.type_name)
    if file.name.startswith(OURS):
        for service in file.service:
            for method in service.method:
                yield from (method.input_type, method.output_type)


def _defined(file: FileDescriptorProto) -> Iterator[str]:
    """Full names, with a leading dot, of the messages and enums in a file."""
    yield from (f".{file.package}.{enum.name}" for enum in file.enum_type)
    waiting = [(f".{file.package}", message) for message in file.message_type]
    while waiting:
        scope, message = waiting.pop()
        name = f"{scope}.{message.name}"
        yield name
        yield from (f"{name}.{enum.name}" for enum in message.enum_type)
        waiting += [(name, inner) for inner in message.nested_type]
