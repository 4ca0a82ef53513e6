"""Generates `revops_client`: messages by betterproto2, and for each service a class with one typed method an rpc.

`revops_client/revops/…` and `revops_client/google/…` are the messages as betterproto2 lays them out;
`revops_client/quoting/v1.py` offers those of a package with its services; `revops_client/client.py` holds all capabilities.
"""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterable
from pathlib import Path

from revops_mesh.contracts.model import OURS, Contract, read
from revops_mesh.contracts.plugins import client_files, run_plugin
from revops_mesh.contracts.python_services import ROOT, PackageModule, docstring, holder_name, operations_service
from revops_mesh.contracts.surface import capability_name, package_of, public_services, service_config, service_name
from revops_mesh.contracts.workspace import Refused, tool

HEADER = "# Generated from the contracts: never edited, `make proto` writes it anew.\n"


def python_client(image: bytes) -> dict[str, bytes]:
    """The files of the package, by path below `generated/`."""
    contract = read(image)
    messages = _messages(image)
    exported = {package: _exported(messages[_path(package)]) for package in _packages(messages)}
    texts = {f"{ROOT}/__init__.py": _entry(), f"{ROOT}/client.py": _client(contract)}
    texts |= {f"{ROOT}/service_config.json": service_config(contract)}
    for package, names in exported.items():
        module = f"{ROOT}/{package.removeprefix('revops.').replace('.', '/')}"
        texts[f"{Path(module).parent}/__init__.py"] = f'"""{package.rpartition(".")[0]}, by version."""\n'
        texts[f"{module}.py"] = PackageModule(contract, package, names).text()
    return messages | {path: (text if path.endswith(".json") else HEADER + text).encode() for path, text in texts.items()}


def _messages(image: bytes) -> dict[str, bytes]:
    """What betterproto2 makes of the messages. It formats with ruff, which must find neither our settings nor somebody else's."""
    with tempfile.TemporaryDirectory(prefix="revops-betterproto2-") as folder:
        Path(folder, "ruff.toml").touch()
        made = run_plugin([tool("protoc-gen-python_betterproto2")], client_files(image), "client_generation=none", Path(folder))
    return {f"{ROOT}/{path}": content for path, content in made.items() if path != "__init__.py"}


def _packages(messages: Iterable[str]) -> list[str]:
    """Our packages that have messages, as in `revops.quoting.v1`."""
    found = (path.split("/")[1:-1] for path in messages if path.startswith(f"{ROOT}/{OURS}"))
    return sorted(".".join(parts) for parts in found if len(parts) == 3)


def _path(package: str) -> str:
    return f"{ROOT}/{package.replace('.', '/')}/__init__.py"


def _exported(source: bytes) -> tuple[str, ...]:
    """What a module says it exports."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            names: tuple[str, ...] = ast.literal_eval(node.value)
            return names
    raise Refused("betterproto2 has changed", ["a module of messages says nothing of what it exports"])


def _entry() -> str:
    return f'''"""The typed client of a member: `Revops` connects; a capability's messages are in `{ROOT}.<capability>.v1`."""

from revops_rpc.errors import FieldViolation, RevopsError
from revops_rpc.operations import Running
from revops_rpc.paging import Pages

from {ROOT}.client import Revops

__all__ = ["FieldViolation", "Pages", "Revops", "RevopsError", "Running"]
'''


def _client(contract: Contract) -> str:
    packages = sorted({package_of(service.full_name) for service in public_services(contract)})
    operations = operations_service(contract)
    lines = [
        '"""A connection to a member, and on it every capability."""',
        "",
        "from __future__ import annotations",
        "",
        "from functools import cached_property",
        "from importlib.resources import files",
        "from typing import TYPE_CHECKING",
        "",
        "from revops_rpc.connection import Connection",
        *(["from revops_rpc.operations import Operations, Progress, Result, Running"] if operations else []),
        "",
        "if TYPE_CHECKING:",
        *(f"    from {_module(package)} import {holder_name(package)}" for package in packages),
        "",
        "",
        "class Revops(Connection):",
        '    """A connection to a member, as in `Revops("127.0.0.1:7050", token="…")`; each attribute is a capability."""',
        "",
        '    SERVICE_CONFIG = files(__package__).joinpath("service_config.json").read_text()',
        *(line for package in packages for line in _attribute(contract, package)),
        *(_found_operation(operations) if operations else []),
    ]
    return "\n".join(lines) + "\n"


def _attribute(contract: Contract, package: str) -> list[str]:
    """A capability as an attribute of the connection."""
    services = [service for service in public_services(contract) if package_of(service.full_name) == package]
    named = ", ".join(f"`{service_name(contract, service)}`" for service in services)
    return [
        "",
        "    @cached_property",
        f"    def {capability_name(package)}(self) -> {holder_name(package)}:",
        *docstring(f"{package}: {named}. Its messages are imported when it is first used.", 8),
        f"        from {_module(package)} import {holder_name(package)}",
        "",
        f"        return {holder_name(package)}(self.calls)",
    ]


def _found_operation(operations: str) -> list[str]:
    return [
        "",
        "    async def operation(",
        "        self, name: str, result: type[Result], progress: type[Progress]",
        "    ) -> Running[Result, Progress]:",
        *docstring("An operation that was started before, by its name; the types are those of the method that started it.", 8),
        f"        return await Operations(self.calls, {operations}).found(name, result, progress)",
    ]


def _module(package: str) -> str:
    return f"{ROOT}.{package.removeprefix('revops.')}"
