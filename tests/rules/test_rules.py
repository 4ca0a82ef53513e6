"""What a rule may say, what is refused when it is saved, and how it fails when it must."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from revops_mesh import rules
from revops_mesh.rules import RuleKind
from revops_mesh.rules.checker import MAX_DEPTH
from revops_mesh.rules.rule import MAX_LENGTH
from revops_mesh.rules.types import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INT,
    MONEY,
    TEXT,
    TIMESTAMP,
    ListOf,
    Record,
    Type,
)

LINE = Record({"sku": TEXT, "quantity": INT, "discount": DECIMAL, "tags": ListOf(TEXT)})
APPROVAL = RuleKind(
    "approval",
    {
        "discount_rate": DECIMAL,
        "total": MONEY,
        "region": TEXT,
        "seats": INT,
        "renewal": BOOL,
        "close_date": DATE,
        "create_time": TIMESTAMP,
        "age": DURATION,
        "lines": ListOf(LINE),
        "tags": ListOf(TEXT),
    },
)
QUOTE: dict[str, Any] = {
    "discount_rate": Decimal("0.20"),
    "total": {"amount": Decimal("50000.01"), "currency_code": "EUR"},
    "region": "DÉ",
    "seats": 5,
    "renewal": True,
    "close_date": date(2024, 2, 29),
    "create_time": datetime(2024, 2, 29, 23, 30, tzinfo=UTC),
    "age": timedelta(hours=3),
    "lines": [
        {"sku": "A", "quantity": 1, "discount": Decimal("0.1"), "tags": ["hardware"]},
        {"sku": "B", "quantity": 2, "discount": Decimal("0.5"), "tags": []},
    ],
    "tags": ["new", "eu"],
}


def evaluated(expression: str, result: Type = BOOL) -> object:
    kind = APPROVAL if result == BOOL else RuleKind("value", APPROVAL.variables, result)
    return rules.compile(kind, expression).evaluate(QUOTE)


@pytest.mark.parametrize(
    "expression",
    [
        "discount_rate >= 0.2 && !(discount_rate > 0.2) && discount_rate == 0.200",
        "total.amount > 50000 && total.amount <= 50000.01 && total.currency_code == 'EUR'",
        "discount_rate * 3 == 0.6 && 0.1 + 0.2 == 0.3 && discount_rate - 1 == -0.8",
        "discount_rate in [0.1, 0.20] && !(discount_rate in [1, 0.3])",
        "seats + 1 > 5.5 && seats / 2 == 2 && seats % 2 == 1 && -seats < 0 && seats in [1, 5]",
        "size(region) == 2 && region.size() == 2",
        'region.startsWith("D") && region.endsWith("É") && region.contains("") && region.matches("^D.$")',
        "region + '!' == \"D\\u00c9!\" && 'it\\'s' != \"\\\"\" && '\U0001f600'.size() == 1",
        "close_date < date('2024-03-01') && close_date == date(\"2024-02-29\")",
        "create_time >= timestamp('2024-02-29T23:30:00Z') && create_time < timestamp('2024-03-01T01:00:00+01:00')",
        "create_time + age > create_time && create_time - timestamp('2024-02-29T00:00:00Z') == duration('23h30m')",
        "create_time.getFullYear() == 2024 && create_time.getMonth() == 1 && create_time.getHours() == 23",
        "lines.all(line, line.quantity > 0) && lines.exists_one(line, line.discount == 0.5)",
        "lines.exists(line, line.tags.exists(tag, tag == 'hardware'))",
        "lines.filter(line, line.discount > 0.2).size() == 1 && lines[1].sku == 'B'",
        "'B' in lines.map(line, line.sku) && 0.5 in lines.map(n, n.discount)",
        "renewal ? seats > 4 : total.amount > 1",
        "false || renewal == true && 'eu' in tags // and that is all",
        "true || seats / 0 > 1",
    ],
)
def test_what_a_rule_may_say(expression: str) -> None:
    assert evaluated(expression) is True


@pytest.mark.parametrize(
    ("expression", "result", "value"),
    [
        ("total.amount * 0.1", DECIMAL, Decimal("5000.001")),
        ("seats", DECIMAL, Decimal(5)),
        ("renewal ? 1 : 0.5", DECIMAL, Decimal(1)),
        ("seats * 2", INT, 10),
        ("close_date", DATE, date(2024, 2, 29)),
        ("create_time + duration('30m')", TIMESTAMP, datetime(2024, 3, 1, tzinfo=UTC)),
        ("lines.map(line, line.discount)", ListOf(DECIMAL), [Decimal("0.1"), Decimal("0.5")]),
        ("region + '!'", TEXT, "DÉ!"),
    ],
)
def test_a_kind_may_want_another_result_than_bool(expression: str, result: Type, value: object) -> None:
    found = evaluated(expression, result)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("", "at character 1: the rule ends before it is complete"),
        ("seats > 1 &&", "at character 13: the rule ends before it is complete"),
        ("seats > > 1", "at character 9: cannot be read from '> 1' on"),
        ("seats > 1 and renewal", "at character 11: cannot be read from 'and renewal' on"),
        ("seat > 1", "at character 1: unknown variable seat; known: age, close_date, create_time, discount_rate, lines"),
        ("true || seat > 1", "at character 9: unknown variable seat"),
        ("seats", "at character 1: must be bool, not int"),
        ("renewal && seats", "at character 12: must be bool, not int"),
        ("false && region + 1 == 'x'", "at character 17: + does not take text and int"),
        ("total > 5", "at character 7: > does not take money and int"),
        ("total.amount > '5'", "at character 14: > does not take decimal and text"),
        ("total.cents > 5", "at character 7: money has no field cents; it has amount, currency_code"),
        ("discount_rate / 2 > 1", "/ does not take decimal and decimal; multiply the other side instead"),
        ("close_date > '2024-01-01'", "> does not take date and text"),
        ("renewal > false", "> does not take bool and bool"),
        ("lines == lines", "== does not take list of record and list of record"),
        ("region in lines", "in does not take text and list of record"),
        ("!seats", "at character 1: ! does not take int"),
        ("renewal ? 1 : 'x'", "at character 15: must be int as the case before, not text"),
        ("[1, 'x'].size() == 2", "at character 5: a list holds single values of one type"),
        ("lines.all(line, line.quantity)", "at character 17: must be bool, not int"),
        ("lines.all(seats, true)", "at character 11: seats already means something"),
        ("lines.all(line)", "all takes a new name and an expression"),
        ("lines.map(line, lines).size() > 1", "must be a single value, not list of record"),
        ("lines.all(a, lines.all(b, true))", "a macro within a macro goes only through a list inside its element"),
        ("lines.all(a, a.tags.all(b, a.tags.all(c, true)))", "a macro within a macro goes only through"),
        ("lines.all(a, true) && a.quantity > 1", "at character 23: unknown variable a"),
        ("region.all(c, true)", "at character 8: all goes through a list, not text"),
        ("has(total.amount)", "at character 1: has is no function"),
        ("now() > create_time", "at character 1: now is no function"),
        ("region.lower() == 'x'", "lower does not take text"),
        ("region.matches('(')", "at character 16: Function 'matches' error"),
        ("region.matches(region)", "matches takes a pattern in quotes"),
        ("close_date == date('2023-02-29')", "at character 20: must be a date, as in 2026-01-31"),
        ("create_time == timestamp('2024-01-01')", "at character 26: Function 'timestamp' error"),
        ("age < duration('9999999h')", "is longer than 36525 days"),
        ("seats > 9223372036854775808", "at character 9: an int has at most 64 bits"),
        ("discount_rate > 0." + "1" * 61, "a decimal has at most 60 digits"),
        ("seats > 1e3", "cannot be read from '1e3' on"),
        ("seats > 0x10", "cannot be read from '0x10' on"),
        ("region == null", "cannot be read from 'null' on"),
        ("region == r'x'", "cannot be read"),
        ("region == 'a\\d'", "\\d is no escape"),
        ("region == '\\ud800'", "contains half a character"),
        ("{'a': 1}.size() > 0", "at character 1: cannot be read"),
        ("lines.all(for, true)", "a name in it is reserved by CEL"),
        (f"region == '{'x' * MAX_LENGTH}'", f"at most {MAX_LENGTH} are allowed"),
        ("!" * (MAX_DEPTH + 1) + "renewal", f"nests deeper than {MAX_DEPTH} levels"),
        ("+".join(["seats"] * 300) + " > 1", f"nests deeper than {MAX_DEPTH} levels"),
        ("(" * 1900, "ends before it is complete"),
    ],
)
def test_a_bad_rule_is_refused_when_it_is_saved(expression: str, told: str) -> None:
    with pytest.raises(rules.RuleError) as caught:
        rules.compile(APPROVAL, expression, "policy.condition")
    assert caught.value.field == "policy.condition"
    assert told in caught.value.description


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("renewal && seats / (seats - 5) > 1", "fails at character 18: division by zero"),
        ("seats % (seats - 5) > 1", "fails at character 7: "),
        ("9223372036854775807 + seats > 1", "fails at character 21: Arithmetic overflow"),
        ("lines[2].quantity > 1", "fails at character 6: index out of bounds: 2"),
        ("lines[-1].quantity > 1", "fails at character 6"),
        ("total.amount * 1" + "0" * 16 + ".0 * 1" + "0" * 45 + ".0 > 1", "at most 60 digits"),
    ],
)
def test_a_rule_that_fails_says_where(expression: str, told: str) -> None:
    with pytest.raises(rules.RuleError) as caught:
        evaluated(expression)
    assert told in caught.value.description


@pytest.mark.parametrize(
    ("name", "value", "field", "told"),
    [
        ("discount_rate", 0.2, "discount_rate", "must be decimal, not float"),
        ("discount_rate", Decimal("NaN"), "discount_rate", "a decimal has at most 60 digits"),
        ("discount_rate", Decimal("1e999999"), "discount_rate", "a decimal has at most 60 digits"),
        ("discount_rate", True, "discount_rate", "must be decimal, not bool"),
        ("seats", True, "seats", "must be int, not bool"),
        ("seats", 2**63, "seats", "must be int"),
        ("renewal", 1, "renewal", "must be bool, not int"),
        ("region", None, "region", "must be text, not missing"),
        ("close_date", datetime(2024, 1, 1, tzinfo=UTC), "close_date", "must be date, not datetime"),
        ("create_time", datetime(2024, 1, 1), "create_time", "must be timestamp"),
        ("age", timedelta(days=40_000), "age", "must be duration"),
        ("total", {"amount": Decimal(1)}, "total.currency_code", "must be text, not missing"),
        ("lines", [QUOTE["lines"][0], {"sku": "B"}], "lines[1].quantity", "must be int, not missing"),
        ("tags", ["x"] * 1001, "tags", "must be list of text"),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_path(name: str, value: object, field: str, told: str) -> None:
    uses = "discount_rate > 0 && seats > 0 && renewal && region != '' && close_date > date('2000-01-01') && "
    uses += "create_time + age > create_time && total.amount > 0 && lines.size() > 0 && tags.size() > 0"
    rule = rules.compile(APPROVAL, uses)
    assert rule.evaluate(QUOTE) is True
    with pytest.raises(rules.RuleError) as caught:
        rule.evaluate({**QUOTE, name: value})
    assert caught.value.field == field
    assert told in caught.value.description


def test_only_the_variables_a_rule_uses_are_looked_at() -> None:
    rule = rules.compile(APPROVAL, "seats > 1 || renewal")
    assert rule.used == {"seats", "renewal"}
    assert rule.evaluate({"seats": 5, "renewal": False, "region": object()}) is True
    with pytest.raises(rules.RuleError, match="renewal: must be bool, not missing"):
        rule.evaluate({"seats": 5})


def test_a_rule_is_compiled_once_for_its_kind() -> None:
    first = rules.compile(APPROVAL, "seats > 1")
    assert rules.compile(APPROVAL, "seats > 1") is first
    assert rules.compile(RuleKind("other", {"seats": DECIMAL}), "seats > 1") is not first


def test_whatever_the_checker_lets_nest_the_engine_can_compile() -> None:
    inner = MAX_DEPTH - 4
    for expression in (
        "!" * inner + "renewal",
        "renewal ? true : " * inner + "false",
        "0.5 < " + "(1 + " * inner + "0.5" + ")" * inner,
        "-" * inner + "discount_rate < 0.5 || true",
        "seats > " + "(seats - " * inner + "1" + ")" * inner,
        " && ".join(["renewal"] * 150),
    ):
        assert evaluated(expression) in (True, False)
