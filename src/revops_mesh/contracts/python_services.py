"""Generates the module of one package of the Python client: its messages, its services with one typed method an rpc."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from betterproto2_compiler.compile.naming import pythonize_class_name, pythonize_field_name, pythonize_method_name

from revops_mesh.contracts.model import Contract, Method, Service
from revops_mesh.contracts.surface import (
    EMPTY,
    OPERATION,
    OPERATION_INFO,
    listed,
    package_of,
    public_methods,
    public_services,
    request_field,
    service_name,
)

ROOT = "revops_client"
OPTIONS = "*, timeout: float | None = None, metadata: Metadata = NONE"


class PackageModule:
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
        own = [service.name for service in self._services] + ([holder_name(self._package)] if self._services else [])
        head = [f'"""{self._package}: messages{" and services" if own else ""}."""', ""]
        if own:
            self._import("revops_rpc.calls", "Calls")
        head += [line for module in sorted(self._imports) for line in _import(module, sorted(self._imports[module]))]
        head += ["", *_listing("__all__ = [", (f'"{name}"' for name in sorted({*self._messages, *own})), "]")]
        return "\n".join(head + body) + "\n"

    def _service(self, service: Service) -> Iterator[str]:
        methods = public_methods(service)
        yield from ("", "", f"class {service.name}:", *docstring(service.comment, 4), "")
        yield "    def __init__(self, calls: Calls) -> None:"
        yield f'        at = "/{service.full_name}/"'
        if any(_starts(method) for method in methods):
            self._import("revops_rpc.operations", "Operations")
            yield f"        operations = Operations(calls, {operations_service(self._contract)})"
        for method in methods:
            yield from self._construction(method)
        for method in methods:
            yield from self._method(method)

    def _construction(self, method: Method) -> list[str]:
        """How the constructor of a service makes a method."""
        own, at = f"self._{_name(method)}", f'at + "{method.name}"'
        repeat = request_field(self._contract, method, "request_id")
        once = f", request_id={repeat}" if repeat else ""
        if _starts(method):
            result, progress = self._operation_types(method)
            return [f"        {own} = operations.starting({at}, {result}, {progress}{once})"]
        answer = self._type(method.response)
        if method.streams_out:
            return [f"        {own} = calls.streaming({at}, {answer})"]
        if method.streams_in:
            return [f"        {own} = calls.sending({at}, {answer}{once})"]
        if items := listed(self._contract, method):
            token = request_field(self._contract, method, "page_token")
            lines = ["calls.paged(", f"    {at},", f"    {answer},"]
            lines += [f"    lambda page: page.{pythonize_field_name(items.name)},", f"    page_token={token},", ")"]
            return [f"        {own} = {lines[0]}", *(f"        {line}" for line in lines[1:])]
        return [f"        {own} = calls.unary({at}, {answer}{once})"]

    def _method(self, method: Method) -> Iterator[str]:
        self._import("revops_rpc.calls", "NONE", "Metadata")
        taken, returned, awaited = f"request: {self._type(method.request)}", self._returned(method), "await "
        if method.streams_in:
            self._import("collections.abc", "AsyncIterable")
            taken = f"requests: AsyncIterable[{self._type(method.request)}]"
        if method.streams_out or listed(self._contract, method):
            awaited = ""
        yield from ("", f"    {'async ' if awaited else ''}def {_name(method)}(", f"        self, {taken}, {OPTIONS}")
        yield from (f"    ) -> {returned}:", *docstring(method.comment, 8))
        call = f"{awaited}self._{_name(method)}({taken.partition(':')[0]}, timeout, metadata)"
        yield f"        {call}" if returned == "None" else f"        return {call}"

    def _returned(self, method: Method) -> str:
        """The type that a method gives, when it is awaited if it is."""
        if _starts(method):
            self._import("revops_rpc.operations", "Running")
            return f"Running[{', '.join(self._operation_types(method))}]"
        if method.response == EMPTY:
            return "None"
        answer = self._type(method.response)
        if method.streams_out:
            self._import("collections.abc", "AsyncIterator")
            return f"AsyncIterator[{answer}]"
        if items := listed(self._contract, method):
            self._import("revops_rpc.paging", "Pages")
            return f"Pages[{answer}, {self._type(items.type_name)}]"
        return answer

    def _operation_types(self, method: Method) -> tuple[str, str]:
        """Types of the result and of the progress of a method that starts an operation."""
        info = method.options[OPERATION_INFO]
        package = package_of(method.service)
        result, progress = (n if "." in n else f"{package}.{n}" for n in (info.response_type, info.metadata_type))
        return self._type(result), self._type(progress)

    def _holder(self) -> Iterator[str]:
        yield from ("", "", f"class {holder_name(self._package)}:", f'    """The services of {self._package}."""', "")
        yield "    def __init__(self, calls: Calls) -> None:"
        for service in self._services:
            yield f"        self.{service_name(self._contract, service)} = {service.name}(calls)"
            yield from docstring(service.comment, 8)

    def _type(self, full_name: str) -> str:
        """Name of a message's class, imported if it is of another package."""
        package = next(p for p in _prefixes(full_name) if p.rpartition(".")[2].islower())
        name = "".join(pythonize_class_name(part) for part in full_name.removeprefix(f"{package}.").split("."))
        self._import(f"{ROOT}.{package}", name)
        return name

    def _import(self, module: str, *names: str) -> None:
        self._imports.setdefault(module, set()).update(names)


def operations_service(contract: Contract) -> str:
    """Arguments that name the service which knows all operations; empty if the contract has none."""
    found = [m.service for m in contract.methods if m.name == "GetOperation"]
    cancel = [m for m in contract.methods if m.name == "CancelOperation" and m.service in found]
    return f'"/{found[0]}/", {request_field(contract, cancel[0], "request_id") if cancel else 0}' if found else ""


def _starts(method: Method) -> bool:
    """Whether it starts an operation and says what comes of it; to get one is a method like any other."""
    return method.response == OPERATION and OPERATION_INFO in method.options


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


def docstring(comment: str, indent: int) -> list[str]:
    """A comment of the contract as the lines of a docstring."""
    text = comment.replace("\\", "\\\\").replace('"""', "'''")
    lines = textwrap.wrap(f'"""{text}"""', 110 - indent) or ['""""""']
    if len(lines) > 1 or text.endswith('"'):
        lines = [*textwrap.wrap(f'"""{text}', 110 - indent), '"""']
    return [" " * indent + line for line in lines]


def holder_name(package: str) -> str:
    """Name of the class that holds the services of a package, as in `QuotingServices`."""
    return pythonize_class_name(package.split(".")[1]) + "Services"
