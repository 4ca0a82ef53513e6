"""Tables of other systems: their bounds, their gaps and overlaps, and what would differ if they were read otherwise."""

from decimal import Decimal

import pytest
from hypothesis import given
from revops.type.v1 import pricing_pb2 as pb

from revops_mesh.numbers.money import InvalidNumber, UnknownCurrency
from revops_mesh.pricing.charge import InvalidPricing
from revops_mesh.pricing.linter import Fault
from revops_mesh.pricing.tier_import import LAGO, SALESFORCE, STRIPE, Row, differences, imported, reread
from tests.pricing.making import BOUNDS, EXCLUSIVE, INCLUSIVE, WHOLE, cost, pricing, rows, tier


def row(lower, upper, unit, flat=0):
    bounds = (None if bound is None else Decimal(bound) for bound in (lower, upper))
    return Row(*bounds, Decimal(unit), Decimal(flat))


def volume(result):
    return pb.Pricing(model=pb.CHARGE_MODEL_VOLUME, tiers=result.tiers, tier_bound=result.tier_bound)


def test_three_conventions_say_the_same_prices():
    # STR-tier: up_to is inclusive, in cents. SF-tier-ja: set 100 for a tier up to 99. LG-vol: first and last unit.
    stripe = imported([row(None, 99, "200"), row(None, None, "150")], STRIPE, "EUR")
    salesforce = imported([row(1, 100, "2"), row(100, None, "1.5")], SALESFORCE, "EUR")
    lago = imported([row(0, 99, "2"), row(100, None, "1.5")], LAGO, "EUR")
    for result in (stripe, salesforce, lago):
        assert result.findings == []
        assert [cost(volume(result), quantity, "EUR") for quantity in (99, 100)] == [198, 150]
    assert (stripe.tiers[0].up_to, salesforce.tiers[0].up_to) == ("99", "100")
    assert stripe.tiers[0].unit_amount == "2"
    assert imported([row(None, None, "200")], STRIPE, "JPY").tiers[0].unit_amount == "200"


def test_gaps_and_overlaps_are_reported_where_the_tiers_had_to_choose():
    rows = [row(1, 10, "3"), row(13, 20, "2"), row(18, 30, "1")]
    found = imported(rows, LAGO, "EUR").findings
    assert [(each.fault, each.field, each.first, each.last) for each in found] == [
        (Fault.GAP, "rows[1]", 11, 12),
        (Fault.OVERLAP, "rows[2]", 18, 20),
        (Fault.GAP, "rows[2]", 31, None),
    ]
    assert [each.description for each in found] == [
        "units 11 to 12 are in no row; the price of this one applies",
        "units 18 to 20 are in this row and before; the price before applies",
        "units from 31 on are in no row",
    ]


def test_a_table_read_by_the_wrong_convention_shows_it():
    # Salesforce rows whose bounds were typed as last units: each bound is missing from both rows.
    found = imported([row(1, 99, "2"), row(100, None, "1.5")], SALESFORCE, "EUR").findings
    assert [(each.fault, each.first, each.last) for each in found] == [(Fault.GAP, 99, 99)]
    assert found[0].description == "unit 99 is in no row; the price of this one applies"


@pytest.mark.parametrize(
    ("rows", "field", "words"),
    [
        ([], "rows", "at least one"),
        ([row(1, None, "1"), row(2, None, "1")], "rows[0].upper", "every row but the last"),
        ([row(1, 5, "1"), row(6, 5, "1")], "rows[1].upper", "above 5"),
        ([row(1, 0, "1")], "rows[0].upper", "above 0"),
    ],
)
def test_rows_that_are_no_table_are_refused(rows, field, words):
    with pytest.raises(InvalidNumber) as refused:
        imported(rows, LAGO, "EUR")
    assert refused.value.field == field
    assert words in refused.value.reason


def test_cents_of_an_unknown_currency_are_refused():
    with pytest.raises(UnknownCurrency):
        imported([row(None, None, "1")], STRIPE, "QQQ")


def test_a_difference_report_names_the_quantities_on_the_bounds():
    tiers = [tier(100, 2, 5), tier("", 1, 7)]
    inclusive = pricing("VOLUME", tiers=tiers, tier_bound=INCLUSIVE)
    exclusive = pricing("VOLUME", tiers=tiers, tier_bound=EXCLUSIVE)
    assert differences(inclusive, exclusive) == [(100, 205, 107)]
    assert differences(inclusive, inclusive) == []


def test_a_pricing_without_whole_bounds_cannot_be_written_otherwise():
    measured = pricing("VOLUME", tiers=[tier("1.5", 2), tier("", 1)], tier_bound=INCLUSIVE)
    with pytest.raises(InvalidNumber, match=r"tiers\[0\].up_to: must be whole"):
        reread(measured, EXCLUSIVE)
    assert reread(measured, INCLUSIVE) == measured
    with pytest.raises(InvalidPricing):
        reread(pricing("PER_UNIT", amount="1"), EXCLUSIVE)


@pytest.mark.parametrize("model", ["VOLUME", "GRADUATED"])
@given(rows=rows(), bound=BOUNDS, quantity=WHOLE)
def test_a_table_written_by_the_other_convention_prices_alike(model, rows, bound, quantity):
    own = pricing(model, tiers=[tier(*each) for each in rows], tier_bound=bound)
    other = reread(own, EXCLUSIVE if bound == INCLUSIVE else INCLUSIVE)
    assert cost(own, quantity) == cost(other, quantity)
    assert differences(own, other) == []
    assert reread(other, bound) == own
