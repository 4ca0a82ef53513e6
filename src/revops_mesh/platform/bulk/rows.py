"""Rows of an import: what a record says, as a resource with its place and the fields that it names."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf.json_format import ParseDict, ParseError
from revops.platform.v1 import imports_pb2 as pb

from revops_mesh.kernel.contract import described
from revops_mesh.kernel.errors import BadField, Failure
from revops_mesh.kernel.names import parent_of

from .columns import Column, columns
from .standard import Creating

PARENT = "parent"

_FIELD = re.compile(r"Failed to parse (\w+) field: ")


@dataclass(frozen=True, slots=True)
class Row:
    """One resource to be made."""

    number: int
    """As a spreadsheet counts: a header is row 1."""
    resource: Any
    """Without name and etag."""
    parent: str
    id: str
    named: tuple[str, ...]
    """Paths of the fields that it has columns for."""


Reader = Callable[[int, bytes], Row]
"""Takes the number and the bytes of a record. Raises `BadField`."""


def header(record: bytes, target: Creating) -> tuple[str, ...]:
    """The columns that a table begins with. Raises IMPORT_COLUMN, FIELD_INVALID."""
    known = [*([PARENT] if target.nested else []), *columns(target.type)]
    try:
        names = tuple(name.strip() for name in _cells(record))
    except BadField as problem:
        raise BadField("file", f"row 1: {problem.description}") from None
    for i, name in enumerate(names):
        if name not in known or name in names[:i]:
            text = (
                "The header names {column}, which is " + ("there twice" if name in known else "no field") + "; there are {known}."
            )
            raise Failure(pb.ImportReason, pb.IMPORT_COLUMN, text, column=name[:100], known=", ".join(known))
    if not names:
        raise BadField("file", "row 1: is empty; it must name the columns")
    return names


def table(target: Creating, names: Sequence[str]) -> Reader:
    """Reads rows of a table with these columns."""
    known = columns(target.type)
    taken: list[Column | None] = [known.get(name) for name in names]
    named = tuple(column.path for column in taken if column is not None)

    def read(number: int, record: bytes) -> Row:
        cells = _cells(record)
        if len(cells) != len(taken):
            raise BadField("", f"has {len(cells)} cells, the header has {len(taken)}")
        resource, parent = target.type(), ""
        for column, cell in zip(taken, cells, strict=True):
            if column is None:
                parent = cell
            else:
                column.put(resource, cell)
        return _row(number, resource, parent, named)

    return read


def objects(target: Creating) -> Reader:
    """Reads rows of JSON lines: the resource by the JSON mapping of protobuf, and `parent`."""
    paths = {spelt: field.name for field in described(target.type).fields for spelt in (field.name, field.json_name)}
    own_parent = PARENT in paths

    def read(number: int, record: bytes) -> Row:
        try:
            told = orjson.loads(record)
        except orjson.JSONDecodeError as problem:
            raise BadField("", f"is no JSON: {problem}") from None
        if not isinstance(told, dict):
            raise BadField("", "is no JSON object")
        parent = told.pop(PARENT, "") if target.nested and not own_parent else ""
        if not isinstance(parent, str):
            raise BadField(PARENT, "must be a text")
        resource = target.type()
        try:
            ParseDict(told, resource)
        except ParseError as problem:
            raise _misfit(str(problem)) from None
        return _row(number, resource, parent, tuple(dict.fromkeys(paths[spelt] for spelt in told)))

    return read


def _row(number: int, resource: Any, parent: str, named: tuple[str, ...]) -> Row:
    name = resource.name
    resource.ClearField("name")
    resource.ClearField("etag")
    if parent and parent_of(name) and parent_of(name) != parent:
        raise BadField("name", f"is not below the parent {parent}")
    return Row(number, resource, parent or parent_of(name), name.rpartition("/")[2], named)


def _cells(record: bytes) -> list[str]:
    try:
        rows = list(csv.reader(io.StringIO(record.decode(), newline=""), strict=True))
    except UnicodeDecodeError:
        raise BadField("", "is not UTF-8") from None
    except csv.Error as problem:
        raise BadField("", f"is no CSV: {problem}") from None
    return rows[0] if rows else []


def _misfit(problem: str) -> BadField:
    """What protobuf says of a JSON value, with its path as the field."""
    path = []
    while found := _FIELD.match(problem):
        path.append(found[1])
        problem = problem[found.end() :]
    return BadField(".".join(path), problem.split("\n")[0])


def settable(row: Row, closed: frozenset[str]) -> list[str]:
    """The paths of a row that an update may name: neither its name nor what is output-only or immutable."""
    return [path for path in row.named if not any(path == wall or path.startswith(f"{wall}.") for wall in closed)]
