"""Co-termination and units included over several periods."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.numbers.proof import ProofBuilder, verify
from revops_mesh.pricing.allowance import beyond_pool, beyond_rollover, granted
from revops_mesh.pricing.co_term import Anchor, Term, co_term, common_end, extended
from revops_mesh.pricing.proration import Span


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(start, end):
    return Span(at(start), at(end))


OLD = Term(span("2026-01-01", "2026-07-01"), Decimal(6000))


def test_a_renewal_is_co_termed_as_ibm_prints_it():
    # E46a (IBM-co): 6,000 for 181 days, 306 new ones, uplift 1.1.
    proof = ProofBuilder("s", "r", "1")
    amount = co_term(OLD, span("2026-07-01", "2027-05-03"), UTC, "USD", Decimal("1.1"), proof=proof)
    assert amount == Decimal("11158.01")
    made = proof.finish(amount, "USD")
    assert verify(made)
    assert made.steps[0].expression == "6000.00 × 1.1 × 306 ÷ 181 days"


def test_terms_move_to_one_end_at_their_own_daily_cost():
    terms = [OLD, Term(span("2026-01-01", "2027-01-01"), Decimal(3650))]
    assert extended(terms, Anchor.LATEST, UTC, "USD") == [Decimal("6099.45"), 0]
    assert extended(terms, Anchor.EARLIEST, UTC, "USD") == [0, -1840]
    assert extended(terms, at("2026-07-02"), UTC, "USD") == [Decimal("33.15"), -1830]
    assert common_end([term.span for term in terms], Anchor.EARLIEST) == at("2026-07-01")


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: co_term(OLD._replace(amount=Decimal(-1)), OLD.span, UTC, "USD"), "amount"),
        (lambda: co_term(OLD, OLD.span, UTC, "USD", Decimal(-1)), "uplift"),
        (lambda: co_term(Term(span("2026-01-01T01:00", "2026-01-01T02:00"), Decimal(1)), OLD.span, UTC, "USD"), "old"),
        (lambda: extended([OLD], at("2026-01-01"), UTC, "USD"), "terms[0]"),
        (lambda: common_end([], Anchor.LATEST), "spans"),
        (lambda: granted(Decimal(1), Fraction(2)), "share"),
        (lambda: beyond_pool(Decimal(1), [], 0), "periods"),
        (lambda: beyond_pool(Decimal(1), [Decimal(-1)], 1), "usage[0]"),
        (lambda: beyond_rollover(Decimal(-1), [], 1), "included"),
        (lambda: beyond_rollover(Decimal(1), [], -1), "periods"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(call, field):
    with pytest.raises(InvalidNumber) as refused:
        call()
    assert refused.value.field == field


def units(*values):
    return [Decimal(value) for value in values]


def test_a_monthly_overage_draws_on_an_annual_pool():
    # Z-ovg-idea asks for it: overage each month against an allowance of the year.
    usage = units(50, 60, 0, 10)
    assert beyond_pool(Decimal(100), usage, 12) == units(0, 10, 0, 10)
    assert beyond_pool(Decimal(100), usage, 2) == units(0, 10, 0, 0)
    assert beyond_pool(Decimal(100), usage, 1) == units(0, 0, 0, 0)


def test_unused_units_roll_over_until_they_expire():
    # Z-cm, rollover: unused units are carried forward and expire; the oldest go first.
    usage = units(400, 700, 450, 600)
    assert beyond_rollover(Decimal(500), usage, 0) == units(0, 200, 0, 100)
    assert beyond_rollover(Decimal(500), usage, 1) == units(0, 100, 0, 50)
    assert beyond_rollover(Decimal(500), units(100, 500, 500, 700), 2) == units(0, 0, 0, 0)
    assert beyond_rollover(Decimal(500), units(0, 0, 0, 1600), 2) == units(0, 0, 0, 100)


USAGE = st.lists(st.integers(0, 300).map(Decimal), max_size=12)


@given(st.integers(0, 300).map(Decimal), USAGE, st.integers(0, 5))
def test_longer_memory_never_costs_more_units(included, usage, periods):
    every_month = [max(used - included, Decimal(0)) for used in usage]
    assert beyond_rollover(included, usage, 0) == beyond_pool(included, usage, 1) == every_month
    kept, longer = beyond_rollover(included, usage, periods), beyond_rollover(included, usage, periods + 1)
    assert sum(longer) <= sum(kept) <= sum(every_month)
    assert all(0 <= beyond <= used for beyond, used in zip(kept, usage, strict=True))


@given(st.integers(0, 3000).map(Decimal), USAGE)
def test_a_pool_covers_exactly_what_it_holds(pool, usage):
    assert sum(beyond_pool(pool, usage, 12)) == max(sum(usage) - pool, Decimal(0))
