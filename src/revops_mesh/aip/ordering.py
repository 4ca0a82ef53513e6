"""AIP-132 `order_by`, and the keyset condition that continues a list after a row; NULL sorts as the largest value."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from revops_mesh.aip import BadField
from revops_mesh.aip.filters import FilterColumn, Kind, resolve

MAX_TERMS = 8
_TERM = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.]*)(?:\s+(asc|desc))?\s*")


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One level of an order."""

    field: str
    column: FilterColumn
    descending: bool = False


def parse_order(
    text: str, columns: Mapping[str, FilterColumn], key: str = "name", pinned: Collection[str] = ()
) -> tuple[OrderTerm, ...]:
    """The order of a list, total because it ends with the unique `key`, a text column unless `columns` says otherwise.

    The key runs as the term before it, so that one index serves both; terms after it mean nothing and are dropped.
    Money has an order only when `pinned` (filters.pinned_currencies) holds its currency. Raises BadField("order_by", …)
    for an unknown or repeated field and for lists.
    """
    columns = {key: FilterColumn(key, Kind.TEXT), **columns}
    pieces = text.split(",") if text.strip() else []
    if len(pieces) > MAX_TERMS:
        raise BadField("order_by", f"has {len(pieces)} fields; at most {MAX_TERMS} are allowed")
    terms: list[OrderTerm] = []
    for piece in pieces:
        term = _term(piece, columns, pinned)
        if any(term.column.name == earlier.column.name for earlier in terms):
            raise BadField("order_by", f"{term.field} is named twice")
        terms.append(term)
    fields = [term.field for term in terms]
    if key in fields:
        return tuple(terms[: fields.index(key) + 1])
    return (*terms, OrderTerm(key, columns[key], bool(terms) and terms[-1].descending))


def _term(piece: str, columns: Mapping[str, FilterColumn], pinned: Collection[str]) -> OrderTerm:
    found = _TERM.fullmatch(piece)
    if found is None:
        raise BadField("order_by", f"{piece.strip()!r} is not a field, optionally followed by asc or desc")
    column, money = resolve(found[1], columns, "order_by")
    if column.kind is Kind.TEXT_ARRAY:
        raise BadField("order_by", f"{found[1]} is a list and has no order")
    if money and money not in pinned:
        raise BadField("order_by", f'{found[1]} has an order only if filter holds {money}.currency_code = "…"')
    return OrderTerm(found[1], column, found[2] == "desc")


def order_clause(terms: Sequence[OrderTerm]) -> str:
    """What follows ORDER BY."""
    return ", ".join(f"{term.column.name} {'DESC' if term.descending else 'ASC'}" for term in terms)


def after(terms: Sequence[OrderTerm], values: Sequence[object], parameters: list[object]) -> str:
    """SQL condition for the rows behind the row that has these `values`, one a term.

    Appends to `parameters`, numbering `$n` on from it. Raises BadField("page_token", …) if the counts differ.
    """
    if len(terms) != len(values):
        raise BadField("page_token", "was made for another order of the list; start again without it")
    first = len(parameters) + 1
    parameters.extend(values)
    places = [f"${first + index}::{term.column.kind.cast}" for index, term in enumerate(terms)]
    if len({term.descending for term in terms}) == 1 and not any(term.column.nullable for term in terms):
        names = ", ".join(term.column.name for term in terms)
        return f"(({names}) {'<' if terms[0].descending else '>'} ({', '.join(places)}))"
    condition = "FALSE"
    for term, value, place in reversed(list(zip(terms, values, places, strict=True))):
        condition = _behind(term, value, place, condition)
    return condition


def _behind(term: OrderTerm, value: object, place: str, rest: str) -> str:
    """Rows behind at this term, or equal there and behind by the `rest` of the terms."""
    name, sign = term.column.name, "<" if term.descending else ">"
    if value is None:
        # The cast of the place types its parameter, which PostgreSQL demands of every parameter.
        behind = f"({name} IS NOT NULL AND {place} IS NULL)" if term.descending else f"{place} IS NOT NULL"
        return f"({behind} OR ({name} IS NULL AND {rest}))"
    if term.column.nullable and not term.descending:
        return f"({name} > {place} OR {name} IS NULL OR ({name} = {place} AND {rest}))"
    # The first half is implied by the second, but an index can start from it.
    return f"({name} {sign}= {place} AND ({name} {sign} {place} OR {rest}))"
