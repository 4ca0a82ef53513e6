"""What the contracts say of storage: the kinds of resources, with their tables and columns, derived from descriptors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import Any

from google.api import resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from .contract import described, facts, is_stored, memo
from .errors import Broken
from .names import Pattern

SEPARATOR = "\x1f"
"""Joins the values of a repeated field on their way into a `text[]` column."""

PROJECTION = 1
"""Version of the rules by which columns follow from state; `reproject` rewrites older rows."""


class ColumnType(Enum):
    """SQL types of columns; the value is the PostgreSQL type."""

    TEXT = "text"
    INTEGER = "bigint"
    ENUM = "smallint"
    BOOL = "boolean"
    TIMESTAMP = "timestamptz"
    DATE = "date"
    DECIMAL = "numeric"
    TEXT_ARRAY = "text[]"


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a message as a column of its table."""

    name: str
    path: str
    type: ColumnType
    value: Callable[[Message], Any] = field(compare=False)
    unique: bool = False
    partner: bool = False
    read_permission: str = ""
    enum_values: tuple[tuple[str, int], ...] = ()
    money: str = ""
    """Name of the Money field it belongs to: its amount, and `…__currency` beside it."""

    @property
    def array_type(self) -> str:
        """Type of its parameter in a flush, one element a row; arrays travel joined by `SEPARATOR`."""
        return "text[]" if self.type is ColumnType.TEXT_ARRAY else f"{self.type.value}[]"


_SCALARS = {
    FieldDescriptor.TYPE_STRING: ColumnType.TEXT,
    FieldDescriptor.TYPE_INT32: ColumnType.INTEGER,
    FieldDescriptor.TYPE_INT64: ColumnType.INTEGER,
    FieldDescriptor.TYPE_UINT32: ColumnType.INTEGER,
    FieldDescriptor.TYPE_BOOL: ColumnType.BOOL,
    FieldDescriptor.TYPE_ENUM: ColumnType.ENUM,
}


def _instant(path: str) -> Callable[[Message], datetime | None]:
    read, parent, leaf = attrgetter(path), *_split(path)
    return lambda m: read(m).ToDatetime(tzinfo=UTC) if parent(m).HasField(leaf) else None


def _day(path: str) -> Callable[[Message], date | None]:
    read = attrgetter(path)

    def day(message: Message) -> date | None:
        value = read(message)
        return date(value.year, value.month, value.day) if value.year else None

    return day


def _split(path: str) -> tuple[Callable[[Message], Any], str]:
    parent, _, leaf = path.rpartition(".")
    return (attrgetter(parent) if parent else lambda m: m), leaf


def _joined(path: str) -> Callable[[Message], str]:
    read = attrgetter(path)

    def joined(message: Message) -> str:
        values = read(message)
        if any(SEPARATOR in value for value in values):
            raise Broken(f"{path} holds the separator of arrays")
        return SEPARATOR.join(values)

    return joined


def _decimal(path: str) -> Callable[[Message], Decimal | None]:
    read = attrgetter(path)
    return lambda m: Decimal(read(m)) if read(m) else None


def _columns(descriptor: Descriptor, prefix: str = "") -> Iterator[Column]:
    for of in descriptor.fields:
        said, path = facts(of), prefix + of.name
        nested = of.message_type
        if said.indexed or said.unique or said.scoping:
            yield from _column(of, path, said)
        elif nested is not None and not of.is_repeated and nested.full_name.startswith("revops.") and not is_stored(nested):
            yield from _columns(nested, path + ".")


def _column(of: FieldDescriptor, path: str, said: options.Field) -> Iterator[Column]:
    name, permission = path.replace(".", "__"), said.read_permission
    kind = of.message_type.full_name if of.message_type is not None else ""
    if kind == "revops.type.v1.Money":
        yield Column(
            f"{name}__amount", path, ColumnType.DECIMAL, _decimal(f"{path}.amount"), read_permission=permission, money=name
        )
        yield Column(
            f"{name}__currency",
            path,
            ColumnType.TEXT,
            attrgetter(f"{path}.currency_code"),
            read_permission=permission,
            money=name,
        )
    elif kind == "google.protobuf.Timestamp":
        yield Column(name, path, ColumnType.TIMESTAMP, _instant(path), read_permission=permission)
    elif kind == "google.type.Date":
        yield Column(name, path, ColumnType.DATE, _day(path), read_permission=permission)
    elif of.is_repeated and of.type == FieldDescriptor.TYPE_STRING:
        yield Column(name, path, ColumnType.TEXT_ARRAY, _joined(path), read_permission=permission)
    elif not of.is_repeated and of.type in _SCALARS:
        enum = of.enum_type
        yield Column(
            name,
            path,
            _SCALARS[of.type],
            attrgetter(path),
            unique=said.unique,
            partner=said.scoping == options.Field.SCOPING_PARTNER,
            read_permission=permission,
            enum_values=tuple((value.name, value.number) for value in enum.values) if enum is not None else (),
        )
    else:
        raise Broken(f"{of.full_name} cannot have a column")


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of stored resource: its table and columns, derived from the contract."""

    message: type[Message]
    full_name: str
    schema: str
    table: str
    pattern: Pattern
    type: str
    columns: tuple[Column, ...]
    limits: dict[int, int]
    ledger: bool
    platform: bool
    retention_days: int
    """After so many days a row is deleted for good; 0 means never."""

    @property
    def sql(self) -> str:
        """The qualified table."""
        return f"{self.schema}.{self.table}"

    @property
    def partner(self) -> Column | None:
        """The column that scopes rows to a partner."""
        return next((column for column in self.columns if column.partner), None)


@memo
def kind_of(message: type[Message]) -> Kind:
    """The kind of a message; `Broken` when its contract declares no storage."""
    descriptor = described(message)
    said = descriptor.GetOptions().Extensions[options.resource]
    resource = descriptor.GetOptions().Extensions[resource_pb2.resource]
    if not said.kind:
        raise Broken(f"{descriptor.full_name} declares no storage")
    ledger = said.kind == options.Resource.KIND_LEDGER
    columns = (column for f in descriptor.fields for column in _column(f, f.name, facts(f))) if ledger else _columns(descriptor)
    plural = resource.plural or descriptor.name.lower()
    return Kind(
        message=message,
        full_name=descriptor.full_name,
        schema=descriptor.full_name.split(".")[1],
        table="".join(f"_{c.lower()}" if c.isupper() else c for c in plural),
        pattern=Pattern(resource.pattern[0] if resource.pattern else "entries/{entry}"),
        type=resource.type,
        columns=tuple(columns),
        limits={limit.edition: limit.max for limit in said.limits},
        ledger=ledger,
        platform=said.platform,
        retention_days=said.retention_days,
    )
