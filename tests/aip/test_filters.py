"""What filters refuse, and how they say it."""

from decimal import Decimal

import pytest

from revops_mesh.aip import BadField
from revops_mesh.aip.filters import compile_filter, pinned_currencies
from revops_mesh.aip.grammar import MAX_DEPTH, MAX_LENGTH, MAX_TERMS
from tests.aip.deal_rows import COLUMNS


def refusal(text: str) -> str:
    with pytest.raises(BadField) as caught:
        compile_filter(text, COLUMNS, [])
    assert caught.value.field == "filter"
    return caught.value.description


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_an_empty_filter_is_no_condition(text: str) -> None:
    parameters: list[object] = []
    assert compile_filter(text, COLUMNS, parameters) == ""
    assert parameters == []


def test_placeholders_number_on_from_the_parameters_already_there() -> None:
    parameters: list[object] = ["tenant", "parent"]
    assert compile_filter("seats = 1 AND -archived = true", COLUMNS, parameters) == (
        "((seats = $3::bigint) AND ((archived = $4::bool) IS NOT TRUE))"
    )
    assert parameters == ["tenant", "parent", 1, True]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("owner = x", "owner cannot be filtered; these can: account, archived, close_date, create_time, discount, s"),
        ("acme", "acme at character 1 stands alone"),
        ("seats = 1 and seats = 2", "and at character 11 stands alone"),
        ("lower(account)", "lower at character 1 stands alone"),
        ("seats = (1 OR 2)", "cannot be read at character 9, from '(1 OR 2)' on"),
        ("seats = 1 AND", "ends before it is complete"),
        ("(seats = 1", "ends before it is complete"),
        ("seats = 1)", "cannot be read at character 10"),
        ('account = "open', "cannot be read at character 11"),
        ("account = AND", "cannot be read at character 11"),
        ("seats = many", "seats at character 1 takes a whole number of at most 64 bits, not 'many'"),
        ("seats = 9223372036854775808", "takes a whole number of at most 64 bits"),
        ("discount = 1e5", "takes a decimal number"),
        ("discount = ٣", "takes a decimal number"),
        ("archived = yes", "archived at character 1 takes true or false, not 'yes'"),
        ("archived < true", "bool values are compared by = != : only"),
        ("state = LOST", "state at character 1 takes one of STATE_UNSPECIFIED, DRAFT, SENT, WON, not 'LOST'"),
        ("state > DRAFT", "enum values are compared by = != : only"),
        ("close_date = 2026-02-29", "close_date at character 1 takes a date, as in 2026-01-31"),
        ("close_date = 20260228", "takes a date"),
        ('create_time > "2026-01-01T00:00:00"', "takes an RFC 3339 instant in quotes"),
        ('create_time > "2026-01-01T00:00:00.0000001Z"', "takes an RFC 3339 instant in quotes"),
        ('create_time > "0001-01-01T00:00:00+14:00"', "takes an RFC 3339 instant in quotes"),
        ("tags = new", "text array values are compared by : only"),
        ('tags:"n*"', "tags at character 1 takes whole elements without wildcards"),
        ('account < "a*"', "wildcard values are compared by = != : only"),
        ('account = "a*b"', r"a * inside the value at character 11 is written \* in quotes"),
        (r'account = "a\nb"', r"\n at character 11 is no escape"),
        ('account = "\0"', "contains a character that no text can hold"),
        ("total > 100", 'takes an amount and a currency in quotes, as in "100.00 EUR"'),
        ('total > "100 eur"', "takes an amount and a currency"),
        ("total.cents = 1", "total.cents cannot be filtered"),
        ("total.amount > 100", 'total.amount needs total.currency_code = "…" beside it under the same AND'),
        ("total.currency_code = EUR OR total.amount > 1", "total.amount needs total.currency_code"),
        ("total.currency_code != EUR AND total.amount > 1", "total.amount needs total.currency_code"),
        ("NOT total.currency_code = EUR AND total.amount > 1", "total.amount needs total.currency_code"),
        ('total.currency_code = "EU*" AND total.amount > 1', "total.amount needs total.currency_code"),
    ],
)
def test_a_bad_filter_is_refused_with_its_place_and_what_would_be_right(text: str, told: str) -> None:
    assert told in refusal(text)


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        ("", set()),
        ("total.currency_code = EUR", {"total"}),
        ('seats = 1 AND (total > "5 EUR" AND archived = true)', {"total"}),
        ("total.currency_code = EUR seats = 1", {"total"}),
        ('total != "5 EUR"', set()),
        ("total.currency_code = EUR OR seats = 1", set()),
        ("NOT (total.currency_code = EUR)", set()),
        ("owner = x", set()),
    ],
)
def test_a_currency_is_pinned_only_if_every_row_let_through_has_it(text: str, pinned: set[str]) -> None:
    assert pinned_currencies(text, COLUMNS) == pinned


def test_a_currency_held_outside_serves_the_comparisons_inside() -> None:
    parameters: list[object] = []
    text = "total.currency_code = EUR AND (total.amount > 5 OR NOT total.amount > -5)"
    assert compile_filter(text, COLUMNS, parameters) == (
        "((total__currency_code = $1::text) AND ((total__amount > $2::numeric) OR ((total__amount > $3::numeric) IS NOT TRUE)))"
    )
    assert parameters == ["EUR", Decimal(5), Decimal(-5)]


@pytest.mark.parametrize(
    "text",
    [
        " AND ".join(["seats = 1"] * (MAX_TERMS + 1)),
        "seats=1 " * 240,
        "NOT (" * MAX_DEPTH + "seats = 1" + ")" * MAX_DEPTH,
        "-(" * 600 + "seats=1" + ")" * 600,
        "(seats=1 " * 180 + ")" * 180,
        "seats = " + "1" * MAX_LENGTH,
        '"' * 1999,
        "\\" * 1999,
        "-" * 1999,
    ],
)
def test_a_filter_beyond_the_limits_is_refused(text: str) -> None:
    assert refusal(text)


def test_parentheses_alone_are_no_depth() -> None:
    assert compile_filter("(" * 900 + "seats = 1" + ")" * 900, COLUMNS, []) == "(seats = $1::bigint)"
    assert compile_filter("NOT (" * (MAX_DEPTH - 1) + "seats = 1" + ")" * (MAX_DEPTH - 1), COLUMNS, [])
    assert compile_filter(" AND ".join(["seats = 1"] * MAX_TERMS), COLUMNS, [])
