"""Finds the standard methods of a type (AIP-132 to 134) among what a process serves: what can be imported and exported.

Nothing is registered: a type can be imported because a method creates it, and exported because one lists it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from revops.platform.v1 import exports_pb2, imports_pb2

from revops_mesh.aip.masks import field_sets
from revops_mesh.kernel import walk
from revops_mesh.kernel.contract import Method, described, facts
from revops_mesh.kernel.errors import Failure, Reasons
from revops_mesh.kernel.kinds import kind_of
from revops_mesh.kernel.names import parent_of
from revops_mesh.kernel.pipeline import Kernel


@dataclass(frozen=True, slots=True)
class Creating:
    """How one resource of a type is made, and where it is given its place and its id."""

    type: type[Message]
    method: Method
    field: str
    """The field of the request that holds the resource."""
    id_field: str
    """The field of the request that takes an id, "" if none does."""
    nested: bool
    """The request has a parent."""


@dataclass(frozen=True, slots=True)
class Upserting:
    """How a resource is found again by its unique field, and changed."""

    unique: str
    list: Method
    update: Method


def creating(kernel: Kernel, type_name: str) -> Creating:
    """How resources of a type are made. Raises IMPORT_TYPE."""
    known = _creating(kernel)
    if type_name not in known:
        raise _unknown(imports_pb2.ImportReason, imports_pb2.IMPORT_TYPE, type_name, "nothing creates it", known)
    return known[type_name]


def upserting(kernel: Kernel, target: Creating) -> Upserting:
    """How resources of a type are found and changed. Raises IMPORT_TYPE."""
    found = _upserting(kernel, target)
    if found is None:
        known = (name for name, each in _creating(kernel).items() if _upserting(kernel, each) is not None)
        problem = "it has no unique field that callers set, or is not updated"
        raise _unknown(imports_pb2.ImportReason, imports_pb2.IMPORT_TYPE, described(target.type).full_name, problem, known)
    return found


def listing(kernel: Kernel, type_name: str) -> Method:
    """The method that lists a type. Raises EXPORT_TYPE."""
    known = _listing(kernel)
    if type_name not in known:
        raise _unknown(exports_pb2.ExportReason, exports_pb2.EXPORT_TYPE, type_name, "nothing lists it", known)
    return known[type_name]


def listed(method: Method) -> FieldDescriptor:
    """The field of a list's answer that holds the resources."""
    return described(method.response).fields[0]


def anywhere(of: type[Message]) -> str:
    """The parent that stands for all (AIP-159)."""
    return re.sub(r"\{\w+\}", "-", parent_of(kind_of(of).pattern.text))


def _creating(kernel: Kernel) -> dict[str, Creating]:
    """By full name of the type. What shows a secret when it is made is left out: nobody would see it."""
    found: dict[str, Creating] = {}
    for method in kernel.methods.values():
        of = described(method.response)
        if method.name != f"Create{of.name}" or method.internal or walk.without_secrets(method.response) is not None:
            continue
        fields = described(method.request).fields
        holder = next((f.name for f in fields if f.message_type is of), "")
        id_field = next((f.name for f in fields if f.name == f"{holder}_id"), "")
        if holder:
            nested = any(f.name == "parent" for f in fields)
            found[of.full_name] = Creating(method.response, method, holder, id_field, nested)
    return found


def _upserting(kernel: Kernel, target: Creating) -> Upserting | None:
    of = described(target.type)
    closed = field_sets(of).output_only
    unique = [f.name for f in of.fields if facts(f).unique and f.name not in closed]
    update = next((m for m in kernel.methods.values() if m.name == f"Update{of.name}" and m.response is target.type), None)
    lists = _listing(kernel).get(of.full_name)
    if len(unique) != 1 or update is None or lists is None or "filter" not in described(lists.request).fields_by_name:
        return None
    return Upserting(unique[0], lists, update)


def _listing(kernel: Kernel) -> dict[str, Method]:
    """By full name of the type."""
    found: dict[str, Method] = {}
    for method in kernel.methods.values():
        of = listed(method).message_type if method.reads and method.name.startswith("List") else None
        if of is not None and "page_token" in described(method.request).fields_by_name:
            found[of.full_name] = method
    return found


def _unknown(reasons: Reasons, reason: int, type_name: str, problem: str, known: Iterable[str]) -> Failure:
    text = "{type}: {problem}; there are {known}."
    return Failure(reasons, reason, text, type=type_name[:200], problem=problem, known=", ".join(sorted(known)))
