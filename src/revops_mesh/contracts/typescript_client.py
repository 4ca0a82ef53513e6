"""Generates what the TypeScript client has of the contracts, and builds the package from that and the code in `src/typescript`.

protoc-gen-es makes a module of each file; over them stand a module for each package, as in `quoting/v1.ts`, and `services.ts`,
which says under which names a connection offers the services.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from revops_mesh.contracts.model import OURS, read
from revops_mesh.contracts.node import locked, node, prepared, run_node
from revops_mesh.contracts.plugins import client_files, run_plugin
from revops_mesh.contracts.surface import capability_name, package_of, public_services, service_name
from revops_mesh.contracts.workspace import Workspace

ROOT = "typescript"
HEADER = "// Generated from the contracts: never edited, `make proto` writes it anew.\n"
SHIPPED = "google/protobuf/"
"""Modules of these are part of the runtime library."""
PLUGIN = "node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es"
COMPILER = "node_modules/typescript/bin/tsc"


def typescript_client(workspace: Workspace, image: bytes) -> dict[str, bytes]:
    """The generated modules, by path below `generated/`. Raises `Missing` if Node or a package cannot be had."""
    package = prepared(workspace)
    files = client_files(image)
    generate = [file.name for file in files.file if not file.name.startswith(SHIPPED)]
    made = run_plugin([str(node()), str(package / PLUGIN)], files, "target=ts,import_extension=js", package, generate)
    made |= {path: (HEADER + text).encode() for path, text in [*_packages(files), ("services.ts", _services(image))]}
    return {f"{ROOT}/{path}": content for path, content in made.items()}


def build_package(workspace: Workspace) -> Path:
    """The folder of the npm package, compiled anew if anything it is made of has changed; raises `Missing` as above."""
    package = prepared(workspace)
    sources = {"client": workspace.typescript, "contract": workspace.generated / ROOT}
    files = {f"{name}/{p.relative_to(root)}": p for name, root in sources.items() for p in sorted(root.rglob("*.ts"))}
    files["tsconfig.json"] = workspace.typescript / "tsconfig.json"
    digest = hashlib.sha256(b"\0".join(path.encode() + source.read_bytes() for path, source in files.items())).hexdigest()
    stamp = package / "dist" / ".built"
    with locked(package / ".lock"):
        if not stamp.exists() or stamp.read_text() != digest:
            for folder in (*sources, "dist"):
                shutil.rmtree(package / folder, ignore_errors=True)
            for path, source in files.items():
                (package / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, package / path)
            run_node([COMPILER], package)
            stamp.write_text(digest)
    return package


def _packages(files: FileDescriptorSet) -> list[tuple[str, str]]:
    """A module for each package of ours, which exports all of its files."""
    modules: dict[str, list[str]] = {}
    for file in files.file:
        if file.name.startswith(OURS):
            lines = modules.setdefault(f"{file.package.removeprefix('revops.').replace('.', '/')}.ts", [])
            lines.append(f'export * from "../{file.name.removesuffix(".proto")}_pb.js";\n')
    return [(path, "".join(sorted(lines))) for path, lines in sorted(modules.items())]


def _services(image: bytes) -> str:
    contract = read(image)
    packages: dict[str, list[str]] = {}
    imports: dict[str, list[str]] = {}
    for service in public_services(contract):
        package = package_of(service.full_name)
        packages.setdefault(package, []).append(
            f"    /** {service.comment} */\n    {_camel(service_name(contract, service))}: {service.name},\n"
        )
        imports.setdefault(package, []).append(service.name)
    lines = ["\n"]
    for package in sorted(packages):
        path = package.removeprefix("revops.").replace(".", "/")
        lines.append(f'import {{ {", ".join(sorted(imports[package]))} }} from "./{path}.js";\n')
    lines.append("\n/** The services, by capability, under the names by which a connection offers them. */\n")
    lines.append("export const services = {\n")
    for package in sorted(packages):
        lines += [f"  {_camel(capability_name(package))}: {{\n", *packages[package], "  },\n"]
    return "".join([*lines, "} as const;\n"])


def _camel(name: str) -> str:
    """As in `priceBooks` for `price_books`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
