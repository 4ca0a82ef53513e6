"""Orders are total, and paging by keyset visits every row once, in order, on PostgreSQL."""

from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revops_mesh.aip import BadField
from revops_mesh.aip.filters import FilterColumn, Kind
from revops_mesh.aip.ordering import OrderTerm, after, order_clause, parse_order
from tests.aip.deal_rows import COLUMNS, ROWS

FIELDS = [field for field in COLUMNS if field not in {"tags", "total"}]


def written(terms: tuple[OrderTerm, ...]) -> list[tuple[str, bool]]:
    return [(term.field, term.descending) for term in terms]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", [("name", False)]),
        ("  ", [("name", False)]),
        ("account", [("account", False), ("name", False)]),
        ("account desc", [("account", True), ("name", True)]),
        (" account  asc ,seats   desc ", [("account", False), ("seats", True), ("name", True)]),
        ("name desc", [("name", True)]),
        ("seats, name desc, account", [("seats", False), ("name", True)]),
    ],
)
def test_an_order_ends_with_the_key(text: str, terms: list[tuple[str, bool]]) -> None:
    assert written(parse_order(text, COLUMNS)) == terms


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("owner", "owner cannot be ordered by; these can: account"),
        ("account, account desc", "account is named twice"),
        ("total, total.amount", "total.amount is named twice"),
        ("name, name", "name is named twice"),
        ("account descending", "'account descending' is not a field"),
        ("account DESC", "'account DESC' is not a field"),
        ("account,", "'' is not a field"),
        ("account; DROP TABLE deals", "is not a field"),
        ("tags", "tags is a list and has no order"),
        (",".join(["account"] * 9), "has 9 fields; at most 8 are allowed"),
    ],
)
def test_a_bad_order_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadField) as caught:
        parse_order(text, COLUMNS, pinned={"total"})
    assert caught.value.field == "order_by"
    assert told in caught.value.description


def test_money_has_an_order_only_within_one_currency() -> None:
    with pytest.raises(BadField, match=r"total has an order only if filter holds total.currency_code"):
        parse_order("total desc", COLUMNS)
    assert written(parse_order("total desc", COLUMNS, pinned={"total"})) == [("total", True), ("name", True)]
    assert written(parse_order("total.currency_code", COLUMNS))[0] == ("total.currency_code", False)


def test_a_token_of_another_order_is_refused() -> None:
    with pytest.raises(BadField, match="page_token"):
        after(parse_order("account", COLUMNS), ["acme"], [])


orders = st.lists(st.tuples(st.sampled_from([*FIELDS, "total"]), st.sampled_from(["", " asc", " desc"])), max_size=3)
on_a_shared_server = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


async def paged(deals: asyncpg.Connection, table: str, terms: tuple[OrderTerm, ...], size: int) -> list[list[Any]]:
    """All pages joined: the values of the terms of each row."""
    chosen = ", ".join(term.column.name for term in terms)
    found: list[list[Any]] = []
    condition, parameters = "true", list[object]()
    while True:
        query = f"SELECT {chosen} FROM {table} WHERE {condition} ORDER BY {order_clause(terms)} LIMIT {size}"
        page = [list(row) for row in await deals.fetch(query, *parameters)]
        found += page
        if len(page) < size:
            return found
        assert len(found) <= len(ROWS), "a page repeats rows"
        parameters = []
        condition = after(terms, page[-1], parameters)


@on_a_shared_server
@given(orders, st.integers(1, 40))
async def test_paging_visits_every_row_once_in_order(deals: asyncpg.Connection, pairs: list[tuple[str, str]], size: int) -> None:
    text = ",".join(field + direction for field, direction in dict(pairs).items())
    terms = parse_order(text, COLUMNS, pinned={"total"})
    expected = list(ROWS)
    for term in reversed(terms):
        column = term.column.name.strip('"')
        expected.sort(key=lambda row, column=column: row[column], reverse=term.descending)
    found = await paged(deals, "deals", terms, size)
    assert [row[-1] for row in found] == [row["name"] for row in expected]


OPTIONAL = {
    "account": FilterColumn("account", Kind.TEXT, nullable=True),
    "close_date": FilterColumn("close_date", Kind.DATE, nullable=True),
    "seats": FilterColumn("seats", Kind.INTEGER),
}
WITH_GAPS = """(
    SELECT name, seats, nullif(account, 'acme') AS account, CASE WHEN state > 1 THEN close_date END AS close_date
    FROM deals
) gaps"""


@on_a_shared_server
@given(
    st.permutations(list(OPTIONAL)),
    st.lists(st.sampled_from(["", " desc"]), min_size=3, max_size=3),
    st.integers(1, 3),
    st.integers(1, 40),
)
async def test_paging_visits_rows_with_missing_values(
    deals: asyncpg.Connection, fields: list[str], directions: list[str], count: int, size: int
) -> None:
    text = ",".join(field + direction for field, direction in zip(fields[:count], directions, strict=False))
    terms = parse_order(text, OPTIONAL)
    chosen = ", ".join(term.column.name for term in terms)
    whole = [list(row) for row in await deals.fetch(f"SELECT {chosen} FROM {WITH_GAPS} ORDER BY {order_clause(terms)}")]
    assert await paged(deals, WITH_GAPS, terms, size) == whole


async def test_a_mixed_order_starts_from_an_index(deals: asyncpg.Connection) -> None:
    terms = parse_order("seats, account desc", COLUMNS)
    parameters: list[object] = []
    condition = after(terms, [7, "acme", "deals/001"], parameters)
    await deals.execute("CREATE INDEX IF NOT EXISTS deals_seats ON deals (seats)")
    async with deals.transaction():
        await deals.execute("SET LOCAL enable_seqscan = off")
        plan = await deals.fetch(f"EXPLAIN SELECT name FROM deals WHERE {condition}", *parameters)
    assert any("Index Cond: (seats >= " in row[0] for row in plan), plan
