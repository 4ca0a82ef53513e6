"""Filters run on PostgreSQL and give what a plain reading of AIP-160 in Python gives."""

import contextlib
import operator
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from revops_mesh.aip import BadField
from revops_mesh.aip.filters import compile_filter
from tests.aip.deal_rows import AMOUNTS, COLUMNS, DATES, INSTANTS, INTEGERS, ROWS, STATES, TEXTS, Row

Meaning = Callable[[Row], bool]
Filter = tuple[str, Meaning]

ORDERED = {
    "=": operator.eq, "!=": operator.ne, ":": operator.eq,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
EQUAL = ("=", "!=", ":")
on_a_shared_server = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def quoted(text: str, quote: str = '"') -> str:
    for special in "\\*" + quote:
        text = text.replace(special, "\\" + special)
    return quote + text + quote


def offset_form(instant: datetime, hours: int) -> str:
    """The same instant in another offset, with nanoseconds as some clients write them."""
    local = instant.astimezone(timezone(timedelta(hours=hours)))
    return local.strftime("%Y-%m-%dT%H:%M:%S.%f000") + local.strftime("%z")[:3] + ":00"


def compared(field: str, values: st.SearchStrategy[Any], write: Callable[[Any], str]) -> st.SearchStrategy[Filter]:
    def build(sign: str, value: Any) -> Filter:
        return f"{field} {sign} {write(value)}", lambda row: ORDERED[sign](row[field], value)

    return st.builds(build, st.sampled_from(list(ORDERED)), values)


@st.composite
def wildcards(draw: st.DrawFn) -> Filter:
    core = draw(st.sampled_from(TEXTS) | st.text(max_size=3, alphabet="acmeA%_\\'\" *"))
    before, after = draw(st.booleans()), draw(st.booleans())
    sign = draw(st.sampled_from(["=", "!="]))

    def matches(row: Row) -> bool:
        text: str = row["account"]
        found = {
            (True, True): core in text,
            (True, False): text.endswith(core),
            (False, True): text.startswith(core),
            (False, False): text == core,
        }[before, after]
        return found == (sign == "=")

    inner = quoted(core)[1:-1]
    return f'account {sign} "{"*" * before}{inner}{"*" * after}"', matches


@st.composite
def enums_bools_and_tags(draw: st.DrawFn) -> Filter:
    sign = draw(st.sampled_from(EQUAL))
    state, flag, tag = draw(st.sampled_from(list(STATES))), draw(st.booleans()), draw(st.sampled_from(TEXTS))
    return draw(
        st.sampled_from(
            [
                (f"state{sign}{state}", lambda row: ORDERED[sign](row["state"], STATES[state])),
                (f"archived {sign} {str(flag).lower()}", lambda row: ORDERED[sign](row["archived"], flag)),
                (f"tags:{quoted(tag)}", lambda row: tag in row["tags"]),
                ("tags:*", lambda row: bool(row["tags"])),
                ("account:*", lambda row: bool(row["account"])),
                ("state:*", lambda row: bool(row["state"])),
                ("archived:*", lambda row: row["archived"]),
            ]
        )
    )


@st.composite
def money(draw: st.DrawFn) -> Filter:
    sign, amount = draw(st.sampled_from(list(ORDERED))), draw(st.sampled_from(AMOUNTS))
    currency = draw(st.sampled_from(["EUR", "USD", "CHF"]))

    def same(row: Row) -> bool:
        return bool(row["total__currency_code"] == currency)

    def whole(row: Row) -> bool:
        if sign == "!=":
            return not same(row) or row["total__amount"] != amount
        return same(row) and ORDERED[sign](row["total__amount"], amount)

    def leaves(row: Row) -> bool:
        return same(row) and ORDERED[sign](row["total__amount"], amount)

    split = f"(total.currency_code = {currency} AND total.amount {sign} {amount:f})"
    return draw(st.sampled_from([(f'total {sign} "{amount:f} {currency}"', whole), (split, leaves)]))


ATOMS = st.one_of(
    compared("account", st.sampled_from(TEXTS), quoted),
    compared("account", st.sampled_from(TEXTS), lambda text: quoted(text, "'")),
    compared("seats", st.sampled_from(INTEGERS), str),
    compared("discount", st.sampled_from(AMOUNTS), lambda amount: f"{amount:f}"),
    compared("close_date", st.sampled_from(DATES), lambda day: day.isoformat()),
    st.integers(-12, 14).flatmap(
        lambda hours: compared("create_time", st.sampled_from(INSTANTS), lambda at: f'"{offset_form(at, hours)}"')
    ),
    wildcards(),
    enums_bools_and_tags(),
    money(),
)


def combined(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    def negate(word: str, part: Filter) -> Filter:
        return f"{word}({part[0]})", lambda row: not part[1](row)

    def both(joint: str, one: Filter, other: Filter) -> Filter:
        return f"({one[0]}){joint}({other[0]})", lambda row: one[1](row) and other[1](row)

    def either(one: Filter, other: Filter) -> Filter:
        return f"({one[0]}) OR ({other[0]})", lambda row: one[1](row) or other[1](row)

    return st.one_of(
        st.builds(negate, st.sampled_from(["NOT ", "-"]), inner),
        st.builds(both, st.sampled_from([" AND ", " "]), inner, inner),
        st.builds(either, inner, inner),
    )


async def selected(deals: asyncpg.Connection, text: str) -> set[str]:
    parameters: list[object] = []
    condition = compile_filter(text, COLUMNS, parameters)
    rows = await deals.fetch(f"SELECT name FROM deals WHERE {condition or 'true'}", *parameters)
    return {row["name"] for row in rows}


@on_a_shared_server
@given(st.recursive(ATOMS, combined, max_leaves=6))
async def test_postgres_selects_the_rows_that_the_filter_means(deals: asyncpg.Connection, filter_: Filter) -> None:
    text, meaning = filter_
    assert await selected(deals, text) == {row["name"] for row in ROWS if meaning(row)}


@on_a_shared_server
@given(st.tuples(ATOMS, ATOMS, ATOMS))
async def test_or_binds_tighter_than_and(deals: asyncpg.Connection, parts: tuple[Filter, Filter, Filter]) -> None:
    (a, is_a), (b, is_b), (c, is_c) = parts
    expected = {row["name"] for row in ROWS if is_a(row) and (is_b(row) or is_c(row))}
    for text in (f"{a} AND {b} OR {c}", f"{b} OR {c} AND {a}", f"{a} {b} OR {c}"):
        assert await selected(deals, text) == expected


HOSTILE = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [*COLUMNS, "total.amount", "total.currency_code", *ORDERED, "AND", "OR", "NOT", "-", "(", ")", *TEXTS, '"', "'",
         "\\", "*", "1", "-5", "EUR", '"5 EUR"', "--", ";", "/*", "$1", "\0", "\ud800", "NULL", "1e5", "٣", "\u00a0"]
    ),
    max_size=20,
).map(" ".join)  # fmt: skip


@settings(on_a_shared_server, max_examples=400)
@given(HOSTILE)
@example("seats = ٣")
@example('account = "\0"')
@example('account = "\ud800"')
@example('create_time > "0001-01-01T00:00:00+14:00"')
@example('create_time < "9999-12-31T23:59:59-12:00"')
@example("seats > 9223372036854775807")
async def test_hostile_text_is_refused_or_runs_and_changes_nothing(deals: asyncpg.Connection, text: str) -> None:
    with contextlib.suppress(BadField):
        await selected(deals, text)
    assert await deals.fetchval("SELECT count(*) FROM deals") == len(ROWS)


@settings(on_a_shared_server, max_examples=100)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
async def test_any_text_reaches_postgres_as_a_parameter_only(deals: asyncpg.Connection, text: str) -> None:
    parameters: list[object] = []
    condition = compile_filter(f"account = {quoted(text)}", COLUMNS, parameters)
    assert (condition, parameters) == ("(account = $1::text)", [text])
    assert await deals.fetchval(f"SELECT true FROM (SELECT $2::text AS account) one WHERE {condition}", text, text)


async def test_a_missing_value_compares_false_and_its_negation_true(deals: asyncpg.Connection) -> None:
    parameters: list[object] = []
    condition = compile_filter("NOT (seats > 5) AND -(seats != 5)", COLUMNS, parameters)
    query = f"SELECT count(*) FROM (SELECT NULL::bigint AS seats) empty WHERE {condition}"
    assert await deals.fetchval(query, *parameters) == 1
    parameters = []
    condition = compile_filter("seats != 5 OR discount:*", COLUMNS, parameters)
    query = f"SELECT count(*) FROM (SELECT NULL::bigint AS seats, NULL::numeric AS discount) empty WHERE {condition}"
    assert await deals.fetchval(query, *parameters) == 0


@pytest.mark.parametrize("amount", [Decimal("999999999999999999.999999999999"), Decimal("0.1")])
async def test_decimals_stay_exact_on_the_way(deals: asyncpg.Connection, amount: Decimal) -> None:
    parameters: list[object] = []
    condition = compile_filter(f"discount = {amount}", COLUMNS, parameters)
    query = f"SELECT count(*) FROM (SELECT '{amount}'::numeric AS discount) one WHERE {condition}"
    assert await deals.fetchval(query, *parameters) == 1
