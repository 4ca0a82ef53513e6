"""Percentage models: published examples, what is free, and what must be known."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.pricing.charge import Basis, unit_price
from tests.pricing.making import BOUNDS, EXCLUSIVE, INCLUSIVE, RATES, cost, pricing, rows, steps_of, tier

LAGO = pricing("PERCENTAGE", rate="0.012", event_amount="0.10", free_events=3, free_amount="500")


def events(*amounts):
    return Basis(event_amounts=[Decimal(amount) for amount in amounts])


def test_a_percentage_with_free_events_as_lago_prints_it():
    # E10 (LG-pct): 1.2 % and 0.10 an event; 3 events or 500 are free; transactions of 200, 100, 100 and 50.
    amounts = [200, 100, 100, 50]
    totals = [cost(LAGO, events(*amounts[:count])) for count in range(5)]
    assert totals == [0, 0, 0, 0, Decimal("0.70")]
    assert steps_of(LAGO, events(*amounts)) == [
        ("rate", "(450.00 − 400.00 free) × 0.012", "0.6", ""),
        ("events", "0.60 + 1 events × 0.10", "0.7", ""),
    ]


def test_the_free_amount_may_end_before_the_free_events():
    # 400, then 150 of which 50 are beyond 500: 0.6, and the event pays its fixed part.
    assert cost(LAGO, events(400, 150)) == Decimal("0.70")
    assert cost(LAGO, events(400, 100)) == 0
    assert cost(LAGO, events(400, 100, 0, 10)) == Decimal("0.22")


def test_without_anything_free_a_sum_and_a_count_are_enough():
    charge = pricing("PERCENTAGE", rate="0.012", event_amount="0.10")
    assert cost(charge, Basis(amount=Decimal(450), events=4)) == Decimal("5.80")
    assert cost(charge, events(200, 100, 100, 50)) == Decimal("5.80")
    assert cost(pricing("PERCENTAGE", rate="0.25"), Basis(amount=Decimal(10))) == Decimal("2.50")
    assert cost(pricing("PERCENTAGE", rate="0.1", free_amount="500"), Basis(amount=Decimal(450))) == 0
    assert cost(pricing("PERCENTAGE", rate="0.1", free_amount="500"), Basis(amount=Decimal(520))) == 2


def test_a_graduated_percentage_as_lago_prints_it():
    # LG-gp: 1 % + 200 up to 1,000; 2 % + 300 up to 10,000; 3 % + 400. Transactions of 500, 550 and 4,000: 205, 306, 80.
    tiers = [
        tier(1000, flat=200, rate="0.01"),
        tier(10000, flat=300, rate="0.02"),
        tier("", flat=400, rate="0.03"),
    ]
    charge = pricing("GRADUATED_PERCENTAGE", tiers=tiers, tier_bound=INCLUSIVE)
    totals = [cost(charge, events(*amounts)) for amounts in ([500], [500, 550], [500, 550, 4000])]
    assert totals == [205, 205 + 306, 205 + 306 + 80]
    assert steps_of(charge, Basis(amount=Decimal(1050))) == [
        ("tier", "tier 1: 1000.00 × 0.01 + 200.00", "210", ""),
        ("tier", "tier 2: 210.00 + 50.00 × 0.02 + 300.00", "511", ""),
    ]
    assert cost(charge, Basis(amount=Decimal(0))) == 0


def test_money_on_a_bound_reaches_the_next_tier_only_if_the_bound_is_exclusive():
    tiers = [tier(1000, flat=200, rate="0.01"), tier("", flat=300, rate="0.02")]
    at_bound = Basis(amount=Decimal(1000))
    assert cost(pricing("GRADUATED_PERCENTAGE", tiers=tiers, tier_bound=INCLUSIVE), at_bound) == 210
    assert cost(pricing("GRADUATED_PERCENTAGE", tiers=tiers, tier_bound=EXCLUSIVE), at_bound) == 510


def test_a_band_of_money_keeps_its_limits():
    tiers = [tier(1000, rate="0.01", minimum_amount=4), tier("", rate="0.02", maximum_amount=5)]
    charge = pricing("GRADUATED_PERCENTAGE", tiers=tiers, tier_bound=INCLUSIVE)
    assert [cost(charge, Basis(amount=Decimal(amount))) for amount in (1, 1000, 1100, 9000)] == [4, 10, 12, 15]
    assert steps_of(charge, Basis(amount=Decimal(9000)))[-1][1].endswith("limited to 5.00")


@pytest.mark.parametrize(
    ("fields", "basis", "field", "words"),
    [
        ({}, Decimal(3), "amount", "a quantity is not an amount"),
        ({}, Basis(quantity=Decimal(3)), "amount", "is required by PERCENTAGE"),
        ({}, Basis(amount=Decimal(-1)), "amount", "at least 0"),
        ({}, Basis(amount=Decimal("NaN")), "amount", "at least 0"),
        ({"event_amount": "1"}, Basis(amount=Decimal(1)), "events", "is required by PERCENTAGE"),
        ({"event_amount": "1"}, Basis(amount=Decimal(1), events=-1), "events", "at least 0"),
        ({"free_events": 1}, Basis(amount=Decimal(1), events=1), "event_amounts", "is required by PERCENTAGE"),
        (
            {"free_amount": "1", "event_amount": "1"},
            Basis(amount=Decimal(1), events=1),
            "event_amounts",
            "is required by PERCENTAGE",
        ),
        ({"free_events": 1}, Basis(event_amounts=[Decimal(1), Decimal(-1)]), "event_amounts[1]", "at least 0"),
        ({}, Basis(event_amounts=[Decimal(-1)]), "event_amounts[0]", "at least 0"),
    ],
)
def test_what_a_percentage_needs_and_is_missing_is_named(fields, basis, field, words):
    with pytest.raises(InvalidNumber) as refused:
        cost(pricing("PERCENTAGE", rate="0.1", **fields), basis)
    assert refused.value.field == field
    assert words in refused.value.reason


def test_a_model_of_units_needs_a_quantity_and_one_of_money_has_no_unit_price():
    with pytest.raises(InvalidNumber, match="quantity: is required by PER_UNIT"):
        cost(pricing("PER_UNIT", amount="1"), Basis(amount=Decimal(1)))
    with pytest.raises(InvalidNumber, match="quantity: is not what PERCENTAGE multiplies"):
        unit_price(pricing("PERCENTAGE", rate="0.1"), Decimal(1))


MONEY = st.decimals(0, 600, places=2)


@given(RATES, st.lists(MONEY, max_size=8), st.integers(0, 5), st.one_of(st.none(), st.integers(0, 900)), MONEY)
def test_a_further_event_never_costs_less_and_nothing_free_costs_most(rate, amounts, free_events, free_amount, fixed):
    fields = {"rate": str(rate), "event_amount": str(fixed)}
    free = {"free_events": free_events} if free_events else {}
    if free_amount is not None:
        free["free_amount"] = str(free_amount)
    charge = pricing("PERCENTAGE", **fields, **free)
    totals = [cost(charge, events(*amounts[:count])) for count in range(len(amounts) + 1)]
    assert totals == sorted(totals)
    assert totals[-1] <= cost(pricing("PERCENTAGE", **fields), events(*amounts))
    steps_of(charge, events(*amounts))


@given(rows(), BOUNDS, MONEY, MONEY)
def test_a_graduated_percentage_never_falls_and_holds_every_cent_once(rows, bound, one, other):
    tiers = [tier(up_to, flat=flat, rate=format(unit / 1000, "f")) for up_to, unit, flat in rows]
    charge = pricing("GRADUATED_PERCENTAGE", tiers=tiers, tier_bound=bound)
    less, more = sorted([one, other])
    assert cost(charge, Basis(amount=less)) <= cost(charge, Basis(amount=more))
    steps = [step for step in steps_of(charge, Basis(amount=more)) if step[0] == "tier"]
    parts = [Decimal(step[1].split(" × ")[0].split(" ")[-1]) for step in steps]
    assert sum(parts) == more
