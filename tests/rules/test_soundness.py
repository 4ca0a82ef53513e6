"""A rule that was saved never meets a wrong type, and its decimals are exact."""

import operator
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from revops_mesh import rules
from revops_mesh.rules import RuleKind
from revops_mesh.rules.types import (
    BOOL,
    DATE,
    DECIMAL,
    DURATION,
    INT,
    TEXT,
    TIMESTAMP,
    ListOf,
    Record,
    Scalar,
    Type,
)

LINE = Record({"sku": TEXT, "quantity": INT, "discount": DECIMAL, "tags": ListOf(TEXT)})
VARIABLES: dict[str, Type] = {
    "rate": DECIMAL, "seats": INT, "region": TEXT, "renewal": BOOL, "day": DATE, "now": TIMESTAMP, "age": DURATION,
    "lines": ListOf(LINE), "rates": ListOf(DECIMAL),
}  # fmt: skip
KINDS = {kind: RuleKind(kind.value, VARIABLES, kind) for kind in Scalar}
PYTHON = {
    BOOL: bool, INT: int, DECIMAL: Decimal, TEXT: str, DATE: date, TIMESTAMP: datetime, DURATION: timedelta,
}  # fmt: skip

decimals = st.decimals("-1e18", "1e18", places=12) | st.sampled_from([Decimal("0.1"), Decimal("-0"), Decimal("1E+3")])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
lines = st.fixed_dictionaries(
    {"sku": texts, "quantity": st.integers(-9, 9), "discount": decimals, "tags": st.lists(texts, max_size=2)}
)
quotes = st.fixed_dictionaries(
    {
        "rate": decimals,
        "seats": st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
        "region": texts,
        "renewal": st.booleans(),
        "day": st.dates(),
        "now": instants,
        "age": st.timedeltas(timedelta(days=-900), timedelta(days=900)),
        "lines": st.lists(lines, max_size=3),
        "rates": st.lists(decimals, max_size=3),
    }
)

NUMBERS = (INT, DECIMAL)
ATOMS: dict[Scalar, list[str]] = {
    BOOL: ["renewal", "true", "false"],
    INT: ["seats", "0", "1", "(-3)", "lines.size()", "9223372036854775807", "lines[0].quantity"],
    DECIMAL: ["rate", "0.5", "2.50", "rates[0]", "lines[1].discount"],
    TEXT: ["region", "'x'", '"D\\u00c9\\n"', "lines[0].sku"],
    DATE: ["day", "date('2024-02-29')"],
    TIMESTAMP: ["now", "timestamp('2024-02-29T12:00:00Z')"],
    DURATION: ["age", "duration('90m')"],
}
SHAPES: list[tuple[Scalar, str, tuple[Scalar, ...]]] = [
    *((BOOL, f"({{0}} {sign} {{1}})", (kind, kind)) for kind in Scalar for sign in ("<", ">=", "==", "!=", "in")),
    *((kind, f"({{0}} {sign} {{1}})", (kind, kind)) for kind in NUMBERS for sign in "+-*/%"),
    *((BOOL, f"({{0}} {sign} {{1}})", (BOOL, BOOL)) for sign in ("&&", "||")),
    *((kind, "({0} ? {1} : {2})", (BOOL, kind, kind)) for kind in Scalar),
    *((BOOL, "({0} in [{1}, {2}])", (kind, kind, kind)) for kind in Scalar),
    *((kind, "(-{0})", (kind,)) for kind in NUMBERS),
    *((INT, f"{{0}}.{name}()", (TIMESTAMP,)) for name in ("getMonth", "getDayOfWeek", "getMinutes")),
    *((BOOL, f"{{0}}.{name}({{1}})", (TEXT, TEXT)) for name in ("contains", "startsWith", "endsWith")),
    (BOOL, "(!{0})", (BOOL,)),
    (BOOL, "{0}.matches('^x+$')", (TEXT,)),
    (INT, "size({0})", (TEXT,)),
    (INT, "[{0}, {1}][{2}]", (INT, INT, INT)),
    (TEXT, "({0} + {1})", (TEXT, TEXT)),
    (TIMESTAMP, "({0} + {1} - {2})", (TIMESTAMP, DURATION, DURATION)),
    (DURATION, "({0} - {1})", (TIMESTAMP, TIMESTAMP)),
    (BOOL, "lines.all(v, v.quantity > {0} || {1})", (INT, BOOL)),
    (BOOL, "rates.exists_one(v, v < {0})", (DECIMAL,)),
    (INT, "lines.filter(v, v.tags.exists(t, t == {0})).size()", (TEXT,)),
    (INT, "rates.map(v, v * {0}).size()", (DECIMAL,)),
]


@st.composite
def expressions(draw: st.DrawFn, kind: Scalar, depth: int = 4) -> str:
    """Mostly well typed, now and then not."""
    if draw(st.integers(0, 24)) == 0:
        kind = draw(st.sampled_from(list(Scalar)))
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(ATOMS[kind]))
    _, shape, operands = draw(st.sampled_from([shape for shape in SHAPES if shape[0] is kind]))
    return shape.format(*[draw(expressions(operand, depth - 1)) for operand in operands])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from(list(Scalar)), quotes)
def test_a_saved_rule_gives_its_type_or_fails_at_a_named_place(data: st.DataObject, kind: Scalar, quote: Any) -> None:
    try:
        rule = rules.compile(KINDS[kind], data.draw(expressions(kind)))
    except rules.RuleError:
        event("refused")
        return
    try:
        result = rule.evaluate(quote)
    except rules.RuleError as failure:
        event("failed")
        told = failure.description
        assert told.startswith("fails at character ")
        assert "overload" not in told
        return
    event("gave a result")
    assert type(result) is PYTHON[kind]
    assert rule.evaluate(dict(reversed(quote.items()))) == result


WORDS = [word for atoms in ATOMS.values() for word in atoms] + ["all", "size", "v", "lines", "unknown"]


@settings(deadline=None)
@given(st.text(max_size=80) | st.lists(st.sampled_from([*WORDS, *"()[].,?:&|!<>=+-*/%'\"\\"]), max_size=12).map(" ".join))
def test_any_text_is_refused_or_compiled(text: str) -> None:
    try:
        rules.compile(KINDS[BOOL], text)
    except rules.RuleError as refusal:
        field = refusal.field
        assert field == "expression"


SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne}


@given(decimals, decimals, decimals, st.sampled_from(list(SIGNS)))
def test_decimals_are_compared_and_computed_exactly(a: Decimal, b: Decimal, c: Decimal, sign: str) -> None:
    kind = RuleKind("comparison", {"a": DECIMAL, "b": DECIMAL, "c": DECIMAL})
    with localcontext(Context(prec=200)):
        left, right = a * b - c, c + b
    values = {"a": a, "b": b, "c": c}
    assert rules.compile(kind, f"a * b - c {sign} c + b").evaluate(values) is SIGNS[sign](left, right)
    assert rules.compile(kind, f"a {sign} b").evaluate(values) is SIGNS[sign](a, b)
    assert rules.compile(kind, "a in [b, c]").evaluate(values) is (a in (b, c))
    literal = f"{b:f}" if "." in f"{b:f}" else f"{b:f}.0"
    assert rules.compile(kind, f"a {sign} {literal}").evaluate(values) is SIGNS[sign](a, b)


@pytest.mark.parametrize("text", ["9007199254740993.1", "0.1", "123456789012345678.123456789012"])
def test_a_decimal_that_no_double_can_hold_stays_what_it_is(text: str) -> None:
    kind = RuleKind("exact", {"a": DECIMAL}, DECIMAL)
    assert rules.compile(kind, "a").evaluate({"a": Decimal(text)}) == Decimal(text)
    assert rules.compile(kind, "a * 3 - a - a").evaluate({"a": Decimal(text)}) == Decimal(text)


def test_neighbours_beyond_double_precision_are_told_apart() -> None:
    kind = RuleKind("neighbours", {"a": DECIMAL, "b": DECIMAL})
    near = {"a": Decimal("123456789012345678.000000000001"), "b": Decimal("123456789012345678.000000000002")}
    assert rules.compile(kind, "a < b && b > a && a != b && !(a >= b)").evaluate(near) is True
    assert rules.compile(kind, "a < 123456789012345678.000000000002").evaluate(near) is True


@given(texts, texts)
def test_texts_are_compared_by_code_point_whatever_they_contain(a: str, b: str) -> None:
    kind = RuleKind("texts", {"a": TEXT, "b": TEXT})
    values = {"a": a, "b": b}
    assert rules.compile(kind, "a < b").evaluate(values) is (a < b)
    assert rules.compile(kind, "size(a) == size(b)").evaluate(values) is (len(a) == len(b))
    assert rules.compile(kind, "a.contains(b)").evaluate(values) is (b in a)
    quoted = a.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    assert rules.compile(kind, f"a == '{quoted}'").evaluate(values) is True


@given(st.dates(), st.dates())
def test_dates_are_compared_as_dates(a: date, b: date) -> None:
    kind = RuleKind("dates", {"a": DATE, "b": DATE})
    assert rules.compile(kind, "a < b").evaluate({"a": a, "b": b}) is (a < b)
    assert rules.compile(kind, f"a >= date('{b.isoformat()}')").evaluate({"a": a, "b": b}) is (a >= b)
