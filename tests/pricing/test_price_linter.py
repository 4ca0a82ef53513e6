"""The linter finds every cliff of a volume table and nothing else."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import pricing_pb2 as pb

from revops_mesh.pricing.charge import InvalidPricing
from revops_mesh.pricing.linter import Fault, lint

BOUNDS = st.sampled_from([pb.TIER_BOUND_INCLUSIVE, pb.TIER_BOUND_EXCLUSIVE])


def volume(bound, *rows):
    tiers = [pb.Tier(up_to=str(up_to), unit_amount=str(unit), flat_amount=str(flat)) for up_to, unit, flat in rows]
    return pb.Pricing(model=pb.CHARGE_MODEL_VOLUME, tier_bound=bound, tiers=tiers)


def test_a_cliff_names_who_pays_too_much():
    [finding] = lint(volume(pb.TIER_BOUND_INCLUSIVE, (10, "10", ""), ("", "8", "")))
    assert finding.field == "tiers[1]"
    assert (finding.first, finding.last, finding.amount, finding.next_amount) == (9, 10, 100, 88)
    assert finding.description == "11 units cost 88, less than 9 to 10 (up to 100)"


def test_the_bound_convention_moves_the_cliff():
    [finding] = lint(volume(pb.TIER_BOUND_EXCLUSIVE, (10, "10", ""), ("", "8", "")))
    assert (finding.first, finding.last, finding.amount, finding.next_amount) == (9, 9, 90, 80)
    assert finding.description == "10 units cost 80, less than 9 (up to 90)"


def test_a_table_that_always_rises_has_no_finding():
    assert lint(volume(pb.TIER_BOUND_INCLUSIVE, (10, "1", ""), (100, "1", "5"), ("", "1.1", "5"))) == []


def test_a_cliff_of_the_last_decimal_is_found_under_the_largest_amounts():
    rows = [(10, "10000000000000000.000000000002", ""), ("", "", "100000000000000000.00000000001")]
    assert [finding.last for finding in lint(volume(pb.TIER_BOUND_INCLUSIVE, *rows))] == [10]


def test_models_that_add_unit_by_unit_have_no_cliffs():
    pricing = volume(pb.TIER_BOUND_INCLUSIVE, (10, "10", ""), ("", "8", ""))
    pricing.model = pb.CHARGE_MODEL_GRADUATED
    assert lint(pricing) == []
    assert lint(pb.Pricing(model=pb.CHARGE_MODEL_FLAT, amount="1")) == []
    assert lint(pb.Pricing(model=pb.CHARGE_MODEL_PERCENTAGE, rate="0.1")) == []


def test_a_stair_step_that_goes_down_is_a_cliff():
    tiers = [pb.Tier(up_to="5", flat_amount="30"), pb.Tier(up_to="8", flat_amount="20"), pb.Tier(flat_amount="25")]
    pricing = pb.Pricing(model=pb.CHARGE_MODEL_STAIR_STEP, tier_bound=pb.TIER_BOUND_INCLUSIVE, tiers=tiers)
    [finding] = lint(pricing)
    assert (finding.fault, finding.field, finding.first, finding.last) == (Fault.CLIFF, "tiers[1]", 1, 5)
    assert finding.description == "6 units cost 20, less than 1 to 5 (up to 30)"
    pricing.zero_quantity = pb.ZERO_QUANTITY_CHARGED
    assert lint(pricing)[0].first == 0
    pricing.model = pb.CHARGE_MODEL_CUMULATIVE_BLOCK
    assert lint(pricing) == []


def test_limits_move_a_cliff_or_level_it():
    rows = volume(pb.TIER_BOUND_INCLUSIVE, (10, "10", ""), ("", "8", ""))
    rows.maximum_amount = "95"
    assert [(finding.first, finding.last, finding.amount) for finding in lint(rows)] == [(9, 10, 95)]
    rows.maximum_amount = "80"
    assert lint(rows) == []
    rows.maximum_amount = ""
    rows.tiers[1].minimum_amount = "100"
    assert lint(rows) == []


def test_a_commitment_hides_no_cliff():
    rows = volume(pb.TIER_BOUND_INCLUSIVE, (10, "10", ""), ("", "8", ""))
    rows.committed_amount = "1000"
    rows.rounding_place = pb.ROUNDING_PLACE_UNIT
    assert [finding.last for finding in lint(rows)] == [10]


def test_a_pricing_that_check_refuses_is_not_linted():
    with pytest.raises(InvalidPricing):
        lint(volume(pb.TIER_BOUND_INCLUSIVE, (10, "10", "")))


@st.composite
def tables(draw):
    prices = st.decimals(0, 20, places=1)
    bounds = sorted(draw(st.sets(st.decimals("0.5", 40, places=1), max_size=5)))
    rows = [(bound, draw(prices), draw(prices)) for bound in [*bounds, ""]]
    return draw(BOUNDS), rows


@given(tables())
def test_findings_are_exactly_the_quantities_that_more_units_undercut(table):
    bound, rows = table

    def total(quantity):
        for up_to, unit, flat in rows:
            if up_to == "" or quantity < up_to or (bound == pb.TIER_BOUND_INCLUSIVE and quantity == up_to):
                return quantity * unit + flat, up_to
        raise AssertionError

    findings = lint(volume(bound, *rows))
    drops = [quantity for quantity in range(1, 45) if total(quantity + 1)[0] < total(quantity)[0]]
    assert [finding.last for finding in findings] == drops
    for finding in findings:
        last = int(finding.last)
        in_band = [quantity for quantity in range(1, last + 1) if total(quantity)[1] == total(last)[1]]
        dearer = [quantity for quantity in in_band if total(quantity)[0] > total(last + 1)[0]]
        assert list(range(int(finding.first), last + 1)) == dearer
        assert (finding.amount, finding.next_amount) == (total(last)[0], total(last + 1)[0])
        assert finding.next_amount == Decimal(total(last + 1)[0])
