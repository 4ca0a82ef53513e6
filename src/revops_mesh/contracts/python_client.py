"""Generates `revops_client`: messages by betterproto2, and for each service a class with one typed method an rpc.

`revops_client/revops/…` and `revops_client/google/…` are the messages as betterproto2 lays them out;
`revops_client/quoting/v1.py` offers those of a package with its services; `revops_client/client.py` holds all capabilities.
"""

from __future__ import annotations

import ast
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from betterproto2_compiler.compile.naming import pythonize_class_name, pythonize_field_name, pythonize_method_name

from revops_mesh.contracts.model import OURS, Contract, Method, Service, read
from revops_mesh.contracts.plugins import client_files, run_plugin
from revops_mesh.contracts.surface import (
    EMPTY,
    OPERATION,
    OPERATION_INFO,
    capability_name,
    listed,
    package_of,
    public_methods,
    public_services,
    request_field,
    service_config,
    service_name,
)
from revops_mesh.contracts.workspace import Refused, tool

ROOT = "revops_client"
HEADER = "# Generated from the contracts: never edited, `make proto` writes it anew.\n"
OPTIONS = "*, timeout: float | None = None, metadata: Metadata = NONE"


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
        texts[f"{module}.py"] = _Module(contract, package, names).text()
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
        "",
        "if TYPE_CHECKING:",
        *(f"    from {_module(package)} import {_capability(package)}" for package in packages),
        "",
        "",
        "class Revops(Connection):",
        '    """A connection to a member, as in `Revops("127.0.0.1:7050", token="…")`; each attribute is a capability."""',
        "",
        '    SERVICE_CONFIG = files(__package__).joinpath("service_config.json").read_text()',
    ]
    for package in packages:
        services = [service for service in public_services(contract) if package_of(service.full_name) == package]
        named = ", ".join(f"`{service_name(contract, service)}`" for service in services)
        lines += [
            "",
            "    @cached_property",
            f"    def {capability_name(package)}(self) -> {_capability(package)}:",
            f'        """{package}: {named}. Its messages are imported when it is first used."""',
            f"        from {_module(package)} import {_capability(package)}",
            "",
            f"        return {_capability(package)}(self.calls)",
        ]
    return "\n".join(lines) + "\n"


def _module(package: str) -> str:
    return f"{ROOT}.{package.removeprefix('revops.')}"


def _capability(package: str) -> str:
    """Name of the class that holds the services of a package, as in `QuotingServices`."""
    return pythonize_class_name(package.split(".")[1]) + "Services"


class _Module:
    """The module of one package: its messages, its services, and the class that holds them."""

    def __init__(self, contract: Contract, package: str, messages: tuple[str, ...]) -> None:
        self._contract, self._package, self._messages = contract, package, messages
        self._services = [service for service in public_services(contract) if package_of(service.full_name) == package]
        self._imports: dict[str, set[str]] = {f"{ROOT}.{package}": set(messages)}

    def text(self) -> str:
        """Its source."""
        body = [line for service in self._services for line in self._service(service)]
        if self._services:
            body += self._holder()
        own = [service.name for service in self._services] + ([_capability(self._package)] if self._services else [])
        head = [f'"""{self._package}: messages{" and services" if own else ""}."""', ""]
        if own:
            self._import("revops_rpc.calls", "Calls")
        head += [line for module in sorted(self._imports) for line in _import(module, sorted(self._imports[module]))]
        head += ["", *_listing("__all__ = [", (f'"{name}"' for name in sorted({*self._messages, *own})), "]")]
        return "\n".join(head + body) + "\n"

    def _service(self, service: Service) -> Iterator[str]:
        methods = public_methods(service)
        yield from ("", "", f"class {service.name}:", *_docstring(service.comment, 4), "")
        yield "    def __init__(self, calls: Calls) -> None:"
        yield f'        at = "/{service.full_name}/"'
        if any(method.response == OPERATION for method in methods):
            yield f"        operations = {self._operations()}"
        for method in methods:
            yield from self._construction(method)
        for method in methods:
            yield from self._method(method)

    def _construction(self, method: Method) -> list[str]:
        """How the constructor of a service makes a method."""
        own, at, answer = f"self._{_name(method)}", f'at + "{method.name}"', self._type(method.response)
        repeat = request_field(self._contract, method, "request_id")
        once = f", request_id={repeat}" if repeat else ""
        if method.streams_out:
            return [f"        {own} = calls.streaming({at}, {answer})"]
        if method.response == OPERATION:
            result, progress = self._operation_types(method)
            self._import("revops_rpc.google", "Operation")
            self._import("revops_rpc.operations", "Starting")
            return [f"        {own} = Starting(calls.unary({at}, Operation{once}), operations, {result}, {progress})"]
        if items := listed(self._contract, method):
            token = request_field(self._contract, method, "page_token")
            lines = ["calls.paged(", f"    {at},", f"    {answer},"]
            lines += [f"    lambda page: page.{pythonize_field_name(items.name)},", f"    page_token={token},", ")"]
            return [f"        {own} = {lines[0]}", *(f"        {line}" for line in lines[1:])]
        return [f"        {own} = calls.unary({at}, {answer}{once})"]

    def _method(self, method: Method) -> Iterator[str]:
        self._import("revops_rpc.calls", "NONE", "Metadata")
        answer, call = self._type(method.response), f"self._{_name(method)}(request, timeout, metadata)"
        if method.streams_out:
            self._import("collections.abc", "AsyncIterator")
            asynchronous, returned = "", f"AsyncIterator[{answer}]"
        elif method.response == OPERATION:
            self._import("revops_rpc.operations", "Running")
            asynchronous, returned = "async ", f"Running[{', '.join(self._operation_types(method))}]"
        elif items := listed(self._contract, method):
            self._import("revops_rpc.paging", "Pages")
            item = self._type(items.type_name) if items.type_name else {"string": "str"}.get(items.kind, "int")
            asynchronous, returned = "", f"Pages[{answer}, {item}]"
        else:
            asynchronous, returned = "async ", "None" if method.response == EMPTY else answer
        yield from ("", f"    {asynchronous}def {_name(method)}(")
        yield f"        self, request: {self._type(method.request)}, {OPTIONS}"
        yield from (f"    ) -> {returned}:", *_docstring(method.comment, 8))
        before = "" if returned == "None" else "return "
        yield f"        {before}{'await ' if asynchronous else ''}{call}"

    def _operation_types(self, method: Method) -> tuple[str, str]:
        """Types of the result and of the progress of a method that starts an operation."""
        info = method.options.get(OPERATION_INFO)
        if info is None:
            raise Refused("an operation has no types", [f"{method.place}: {method.full_name} needs `{OPERATION_INFO}`"])
        package = package_of(method.service)
        result, progress = (n if "." in n else f"{package}.{n}" for n in (info.response_type, info.metadata_type))
        return self._type(result), self._type(progress)

    def _operations(self) -> str:
        """The service that knows all operations: the one with `GetOperation` that answers with one."""
        found = [m for m in self._contract.methods if m.name == "GetOperation" and m.response == OPERATION]
        if len(found) != 1:
            raise Refused("operations have no service", ["methods start operations, so one service needs GetOperation"])
        self._import("revops_rpc.operations", "Operations")
        service = found[0].service
        cancel = next((m for m in self._contract.methods if m.full_name == f"{service}.CancelOperation"), None)
        return f'Operations(calls, "/{service}/", {request_field(self._contract, cancel, "request_id") if cancel else 0})'

    def _holder(self) -> Iterator[str]:
        yield from ("", "", f"class {_capability(self._package)}:", f'    """The services of {self._package}."""', "")
        yield "    def __init__(self, calls: Calls) -> None:"
        for service in self._services:
            yield f"        self.{service_name(self._contract, service)} = {service.name}(calls)"
            yield from _docstring(service.comment, 8)

    def _type(self, full_name: str) -> str:
        """Name of a message's class, imported if it is of another package."""
        package = next(p for p in _prefixes(full_name) if p.rpartition(".")[2].islower())
        name = "".join(pythonize_class_name(part) for part in full_name.removeprefix(f"{package}.").split("."))
        self._import(f"{ROOT}.{package}", name)
        return name

    def _import(self, module: str, *names: str) -> None:
        self._imports.setdefault(module, set()).update(names)


def _name(method: Method) -> str:
    return pythonize_method_name(method.name)


def _prefixes(full_name: str) -> Iterator[str]:
    """As in `a.b.C` and `a.b` and `a` for `a.b.C.D`."""
    while full_name := full_name.rpartition(".")[0]:
        yield full_name


def _import(module: str, names: list[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    return [line] if len(line) <= 100 else _listing(f"from {module} import (", names, ")")


def _listing(before: str, names: Iterable[str], after: str) -> list[str]:
    return [before, *(f"    {name}," for name in names), after]


def _docstring(comment: str, indent: int) -> list[str]:
    text = comment.replace("\\", "\\\\").replace('"""', "'''")
    lines = textwrap.wrap(f'"""{text}"""', 110 - indent) or ['""""""']
    if len(lines) > 1 or text.endswith('"'):
        lines = [*textwrap.wrap(f'"""{text}', 110 - indent), '"""']
    return [" " * indent + line for line in lines]
