"""AIP-160 filters compiled to a parameterised PostgreSQL condition; text of the caller never becomes SQL.

What the AIP leaves open:

* `:` on a scalar is `=`. A `*` at either end of a text is a wildcard for `=`, `!=` and `:`. Case matters.
* `field:*` asks whether a value is there: not NULL and, for text, integer, bool, enum and list, not the default.
* Lists of text know `:` only, which means exact membership. Enums (by value name) and booleans have no order.
* Timestamps are RFC 3339 with an offset, to the microsecond; dates `YYYY-MM-DD`; decimals of 18 digits before and 12
  after the point.
* Money is compared as `total > "100.00 EUR"`, which includes the currency. `total.amount` may be compared only where an
  enclosing AND holds `total.currency_code` to one currency.
* A comparison with a missing (NULL) value is false; NOT of it is true.
"""

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from lark import Token

from revops_mesh.aip import BadField
from revops_mesh.aip.grammar import Node, parse, position, read_value


class Kind(enum.Enum):
    """What a column holds."""

    TEXT = enum.auto()
    INTEGER = enum.auto()
    BOOL = enum.auto()
    ENUM = enum.auto()
    TIMESTAMP = enum.auto()
    DATE = enum.auto()
    DECIMAL = enum.auto()
    MONEY = enum.auto()
    TEXT_ARRAY = enum.auto()

    @property
    def cast(self) -> str:
        """PostgreSQL type of one parameter: of an element for a list, of the amount for money."""
        return _CASTS.get(self, "text")


_CASTS = {
    Kind.INTEGER: "bigint",
    Kind.BOOL: "bool",
    Kind.ENUM: "int",
    Kind.TIMESTAMP: "timestamptz",
    Kind.DATE: "date",
    Kind.DECIMAL: "numeric",
    Kind.MONEY: "numeric",
}


@dataclass(frozen=True, slots=True)
class FilterColumn:
    """A column. `name` and `currency_column` are SQL, quoted where needed; nothing else reaches SQL.

    Texts are expected to be COLLATE "C". MONEY needs `currency_column`. `nullable` makes keyset paging mind NULL.
    """

    name: str
    kind: Kind
    enum_values: Mapping[str, int] = field(default_factory=dict)
    currency_column: str = ""
    nullable: bool = False


_SQL = {"=": "=", ":": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_EQUALITY = ("=", "!=", ":")
_OPERATORS = {Kind.BOOL: _EQUALITY, Kind.ENUM: _EQUALITY, Kind.TEXT_ARRAY: (":",)}
_PRESENT = {
    Kind.TEXT: "<> ''",
    Kind.INTEGER: "<> 0",
    Kind.BOOL: "= true",
    Kind.ENUM: "<> 0",
    Kind.TEXT_ARRAY: "<> '{}'",
}
_DECIMAL = r"-?[0-9]{1,18}(?:\.[0-9]{1,12})?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
# Kinds whose values have a fixed form: the form and how a person would describe it.
_FORMS = {
    Kind.INTEGER: (r"-?[0-9]{1,19}", "a whole number of at most 64 bits"),
    Kind.DECIMAL: (_DECIMAL, "a decimal number, as in 100.50"),
    Kind.MONEY: (rf"{_DECIMAL} [A-Z]{{3}}", 'an amount and a currency in quotes, as in "100.00 EUR"'),
    Kind.BOOL: ("true|false", "true or false"),
    Kind.DATE: (_DATE, "a date, as in 2026-01-31"),
    Kind.TIMESTAMP: (
        rf"{_DATE}[Tt][0-9]{{2}}(?::[0-9]{{2}}){{2}}(?:\.[0-9]{{1,6}}0{{0,3}})?(?:[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})",
        'an RFC 3339 instant in quotes, as in "2026-01-31T12:00:00Z"',
    ),
}


def compile_filter(text: str, columns: Mapping[str, FilterColumn], parameters: list[object]) -> str:
    """SQL condition of a filter, "" for an empty one; it can be joined to others with AND.

    Appends the values of its `$n` (str, int, bool, Decimal, date, aware datetime) to `parameters`, numbering on from
    those already there. Raises BadField("filter", …).
    """
    root = parse(text)
    return "" if root is None else _Compilation(columns, parameters).sql(root, frozenset())


def pinned_currencies(text: str, columns: Mapping[str, FilterColumn]) -> frozenset[str]:
    """The money fields that a filter holds to one currency in all rows it lets through."""
    root = parse(text)
    return frozenset() if root is None else frozenset(_pins(root, columns))


def resolve(path: str, columns: Mapping[str, FilterColumn], request_field: str) -> tuple[FilterColumn, str]:
    """The column of a field path, and the money field if it is an amount; MONEY also answers to its two leaves.

    Raises BadField on `request_field`, naming the fields that can be used.
    """
    if (column := columns.get(path)) is not None:
        return column, path if column.kind is Kind.MONEY else ""
    head, _, leaf = path.rpartition(".")
    if (money := columns.get(head)) is not None and money.kind is Kind.MONEY:
        if leaf == "amount":
            return FilterColumn(money.name, Kind.DECIMAL, nullable=money.nullable), head
        if leaf == "currency_code":
            return FilterColumn(money.currency_column, Kind.TEXT, nullable=money.nullable), ""
    verb = "filtered" if request_field == "filter" else "ordered by"
    raise BadField(request_field, f"{path} cannot be {verb}; these can: {', '.join(sorted(columns)) or 'none'}")


def _pins(node: Node, columns: Mapping[str, FilterColumn]) -> Iterator[str]:
    parts: list[Any] = node.children
    if node.data == "and_":
        for part in parts:
            yield from _pins(part, columns)
    elif node.data == "comparison":
        path, operator, value = parts
        money = str(path).removesuffix(".currency_code")
        column = columns.get(money)
        if column is None or column.kind is not Kind.MONEY or operator == "!=":
            return
        if money == path or (operator in _EQUALITY and read_value(value)[1] is None):
            yield money


@dataclass(frozen=True, slots=True)
class _Compilation:
    """One walk over a tree; `pinned` names the money fields whose currency is fixed where a node stands."""

    columns: Mapping[str, FilterColumn]
    parameters: list[object]

    def sql(self, node: Node, pinned: frozenset[str]) -> str:
        parts: list[Any] = node.children
        if node.data == "comparison":
            path, operator, value = parts
            return self._comparison(path, str(operator), value, pinned)
        if node.data == "bare":
            at = position(parts[0])
            raise BadField("filter", f"{parts[0]} at character {at} stands alone; write field = value AND …")
        if node.data == "and_":
            pinned = pinned.union(_pins(node, self.columns))
        conditions = [self.sql(part, pinned) for part in parts]
        if node.data == "not_":
            return f"({conditions[0]} IS NOT TRUE)"
        return f"({(' AND ' if node.data == 'and_' else ' OR ').join(conditions)})"

    def _comparison(self, path: Token, operator: str, value: Token, pinned: frozenset[str]) -> str:
        column, money = resolve(str(path), self.columns, "filter")
        if money and column.kind is Kind.DECIMAL and money not in pinned:
            raise BadField("filter", f'{path} needs {money}.currency_code = "…" beside it under the same AND')
        text, pattern = read_value(value)
        if operator == ":" and pattern == "%":
            return f"({column.name} {_PRESENT.get(column.kind, 'IS NOT NULL')})"
        known = _EQUALITY if pattern and column.kind is Kind.TEXT else _OPERATORS.get(column.kind, tuple(_SQL))
        if operator not in known:
            what = "wildcard" if pattern else column.kind.name.lower().replace("_", " ")
            at = position(path)
            raise BadField("filter", f"{path} at character {at}: {what} values are compared by {' '.join(known)} only")
        try:
            return self._condition(column, operator, text, pattern)
        except ValueError as error:
            message = f"{path} at character {position(path)} takes {error}, not {text!r}"
            raise BadField("filter", message) from None

    def _condition(self, column: FilterColumn, operator: str, text: str, pattern: str | None) -> str:
        """SQL of one comparison. Raises ValueError saying what the column takes."""
        symbol = _SQL[operator]
        if column.kind is Kind.TEXT and pattern is not None:
            return f"({column.name} {'NOT LIKE' if operator == '!=' else 'LIKE'} {self._bind(pattern, Kind.TEXT)})"
        if column.kind is Kind.TEXT_ARRAY:
            if pattern is not None:
                raise ValueError("whole elements without wildcards")
            return f"({column.name} @> ARRAY[{self._bind(text, Kind.TEXT)}])"
        value = _value(column, text)
        if column.kind is not Kind.MONEY:
            return f"({column.name} {symbol} {self._bind(value, column.kind)})"
        currency, amount = self._bind(text[-3:], Kind.TEXT), self._bind(value, Kind.MONEY)
        if operator == "!=":
            return f"({column.currency_column} <> {currency} OR {column.name} <> {amount})"
        return f"({column.currency_column} = {currency} AND {column.name} {symbol} {amount})"

    def _bind(self, value: object, kind: Kind) -> str:
        self.parameters.append(value)
        return f"${len(self.parameters)}::{kind.cast}"


def _value(column: FilterColumn, text: str) -> object:
    """A literal as the Python value of a column. Raises ValueError saying what the column takes."""
    if column.kind is Kind.TEXT:
        return text
    if column.kind is Kind.ENUM:
        if text not in column.enum_values:
            raise ValueError(f"one of {', '.join(column.enum_values)}")
        return column.enum_values[text]
    form, description = _FORMS[column.kind]
    try:
        if not re.fullmatch(form, text):
            raise ValueError
        match column.kind:
            case Kind.INTEGER if -(2**63) <= int(text) < 2**63:
                return int(text)
            case Kind.DECIMAL | Kind.MONEY:
                return Decimal(text.split()[0])
            case Kind.BOOL:
                return text == "true"
            case Kind.DATE:
                return date.fromisoformat(text)
            case Kind.TIMESTAMP:
                return datetime.fromisoformat(text.upper()).astimezone(UTC)
        raise ValueError
    except (ValueError, OverflowError):
        raise ValueError(description) from None
