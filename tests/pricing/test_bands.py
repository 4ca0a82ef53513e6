"""Stair-step, cumulative block, tiered with overage, and what a tier may say: published examples and oracles."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import pricing_pb2 as pb

from tests.pricing.making import (
    BOUNDS,
    EXCLUSIVE,
    INCLUSIVE,
    QUANTITIES,
    WHOLE,
    cost,
    pricing,
    rows,
    steps_of,
    tier,
    walked,
)

FEES = [tier(250, flat=10), tier(500, flat=20), tier("", flat=30)]


def flat_only(rows):
    return [tier(up_to, flat=flat) for up_to, _, flat in rows]


def priced(rows, **last):
    return [tier(up_to, unit, flat) for up_to, unit, flat in rows]


def test_a_block_is_two_models_as_oracle_prints_them():
    # E5 (OR-slab): bands 0–250, 251–500, above 500 with fees of 10, 20 and 30; a count of 1,000.
    cumulative = pricing("CUMULATIVE_BLOCK", tiers=FEES, tier_bound=INCLUSIVE)
    stair_step = pricing("STAIR_STEP", tiers=FEES, tier_bound=INCLUSIVE)
    assert (cost(cumulative, 1000), cost(stair_step, 1000)) == (60, 30)
    assert steps_of(stair_step, 1000) == [("tier", "tier 3: 30.00 flat", "30", "")]
    assert steps_of(cumulative, 1000) == [
        ("tier", "tier 1: 10.00 flat", "10", ""),
        ("tier", "tier 2: 10.00 + 20.00 flat", "30", ""),
        ("tier", "tier 3: 30.00 + 30.00 flat", "60", ""),
    ]


def test_a_slab_is_two_models_as_oracle_prints_them():
    # OR-slab, with unit: 1, 2 and 3 a unit; 250 + 500 + 1,500 against 3 × 1,000.
    tiers = [tier(250, 1), tier(500, 2), tier("", 3)]
    assert cost(pricing("GRADUATED", tiers=tiers, tier_bound=INCLUSIVE), 1000) == 2250
    assert cost(pricing("VOLUME", tiers=tiers, tier_bound=INCLUSIVE), 1000) == 3000


@pytest.mark.parametrize(("bound", "at_250"), [(INCLUSIVE, (10, 10)), (EXCLUSIVE, (20, 30))])
def test_a_quantity_on_the_bound_of_a_block_follows_the_convention(bound, at_250):
    stair_step = pricing("STAIR_STEP", tiers=FEES, tier_bound=bound)
    cumulative = pricing("CUMULATIVE_BLOCK", tiers=FEES, tier_bound=bound)
    assert (cost(stair_step, 250), cost(cumulative, 250)) == at_250


def test_tiers_with_overage_as_zuora_prints_them():
    # E9 (Z-ovgx): 0–100 at 0, 101–200 at 2; 130 units. Beyond the last tier the overage begins.
    tiers = [tier(100), tier(200, 2)]
    overage = pricing("TIERED_OVERAGE", tiers=tiers, tier_bound=INCLUSIVE, overage_amount="5")
    assert cost(overage, 130) == Decimal("60.00")
    assert [cost(overage, quantity) for quantity in (100, 200, 201, 210)] == [0, 200, 205, 250]
    assert steps_of(overage, 203)[-1] == ("tier", "tier 3: 200.00 + 3 × 5.00", "215", "")


def test_the_bound_of_the_last_tier_with_overage_follows_the_convention():
    tiers = [tier(101), tier(201, 2)]
    overage = pricing("TIERED_OVERAGE", tiers=tiers, tier_bound=EXCLUSIVE, overage_amount="5")
    assert [cost(overage, quantity) for quantity in (130, 200, 201)] == [60, 200, 205]


def test_the_limits_of_a_tier_and_of_a_charge_as_zuora_combines_them():
    # Z-minmax, tier and charge level together: tier 1 makes 10 (5 to 20), tier 2 makes 15 (10 to 100), 25 in all; the
    # charge is at least 30.
    tiers = [
        tier(10, 1, minimum_amount=5, maximum_amount=20),
        tier("", 3, minimum_amount=10, maximum_amount=100),
    ]
    graduated = pricing("GRADUATED", tiers=tiers, tier_bound=INCLUSIVE, minimum_amount="30")
    assert cost(graduated, 15) == 30
    assert [step[:3] for step in steps_of(graduated, 15)] == [
        ("tier", "tier 1: 10 × 1.00", "10"),
        ("tier", "tier 2: 10.00 + 5 × 3.00", "25"),
        ("minimum", "at least 30.00", "30"),
    ]


def test_the_limits_of_a_tier_hold_for_what_it_adds():
    tiers = [tier(10, 1, minimum_amount=15), tier("", 3, 1, maximum_amount=20)]
    graduated = pricing("GRADUATED", tiers=tiers, tier_bound=INCLUSIVE)
    assert [cost(graduated, quantity) for quantity in (1, 10, 11, 30)] == [15, 15, 19, 35]
    assert steps_of(graduated, 30)[1:] == [
        ("tier_limit", "tier 1: at least 15.00", "15", ""),
        ("tier", "tier 2: 15.00 + 20 × 3.00 + 1.00", "76", ""),
        ("tier_limit", "tier 2: 15.00 + at most 20.00", "35", ""),
    ]
    volume = pricing("VOLUME", tiers=tiers, tier_bound=INCLUSIVE)
    assert [cost(volume, quantity) for quantity in (1, 10, 11, 30)] == [15, 15, 20, 20]


def test_packages_in_a_tier_are_counted_where_its_units_are():
    # FLEX: under volume 4,500 calls in packages of 1,000 at 1.00 make 5 packages; graduated counts in each tier.
    tiers = [tier(2500, "1", package_size=1000), tier("", "0.5", package_size=1000)]
    assert cost(pricing("VOLUME", tiers=[tier("", "1", package_size=1000)], tier_bound=INCLUSIVE), 4500) == 5
    graduated = pricing("GRADUATED", tiers=tiers, tier_bound=INCLUSIVE)
    assert cost(graduated, 4500) == 4
    assert steps_of(graduated, 4500)[1] == ("tier", "tier 2: 3.00 + 2 packages of 1000 × 0.50", "4", "")


@pytest.mark.parametrize(
    ("model", "tiers", "at_0"),
    [
        ("GRADUATED", [tier(10, 1, 5), tier("", 1, 7)], 5),
        ("VOLUME", [tier(10, 1, 5), tier("", 1, 7)], 5),
        ("STAIR_STEP", FEES, 10),
        ("CUMULATIVE_BLOCK", FEES, 10),
    ],
)
def test_quantity_0_costs_the_flat_amount_of_the_first_tier_if_it_is_charged(model, tiers, at_0):
    free = pricing(model, tiers=tiers, tier_bound=INCLUSIVE)
    charged = pricing(model, tiers=tiers, tier_bound=INCLUSIVE, zero_quantity=pb.ZERO_QUANTITY_CHARGED)
    assert (cost(free, 0), cost(charged, 0)) == (0, at_0)
    assert cost(free, 1) == cost(charged, 1)


@given(rows(), BOUNDS, st.integers(1, 400))
def test_stair_step_is_the_row_found_by_walking_and_cumulative_block_all_up_to_it(rows, bound, quantity):
    own = walked(rows, bound, quantity)
    flats = [flat for _, _, flat in rows[: rows.index(own) + 1]]
    exact = Decimal("0.01")
    stair_step = pricing("STAIR_STEP", tiers=flat_only(rows), tier_bound=bound)
    cumulative = pricing("CUMULATIVE_BLOCK", tiers=flat_only(rows), tier_bound=bound)
    assert abs(cost(stair_step, quantity) - own[2]) <= exact / 2
    assert abs(cost(cumulative, quantity) - sum(flats)) <= exact / 2


@given(rows(), BOUNDS, QUANTITIES, QUANTITIES)
def test_more_never_costs_less_in_cumulative_blocks(rows, bound, one, other):
    blocks = pricing("CUMULATIVE_BLOCK", tiers=flat_only(rows), tier_bound=bound)
    less, more = sorted([one, other])
    assert cost(blocks, less) <= cost(blocks, more)


@given(rows(), BOUNDS, WHOLE, st.decimals(0, 50, places=2))
def test_tiered_overage_is_graduated_with_the_overage_as_its_open_tier(rows, bound, quantity, overage):
    closed = [*rows[:-1], (301, *rows[-1][1:])]
    own = pricing("TIERED_OVERAGE", tiers=priced(closed), tier_bound=bound, overage_amount=str(overage))
    same = pricing("GRADUATED", tiers=priced([*closed, ("", overage, 0)]), tier_bound=bound)
    assert cost(own, quantity) == cost(same, quantity)


LIMITS = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted)


@given(rows(), st.lists(LIMITS, min_size=7, max_size=7), BOUNDS, QUANTITIES, QUANTITIES)
def test_limits_and_packages_of_tiers_keep_graduated_prices_from_falling(rows, limits, bound, one, other):
    tiers = [
        tier(up_to, unit, flat, minimum_amount=low, maximum_amount=high, package_size="7")
        for (up_to, unit, flat), (low, high) in zip(rows, limits, strict=False)
    ]
    graduated = pricing("GRADUATED", tiers=tiers, tier_bound=bound)
    less, more = sorted([one, other])
    assert cost(graduated, less) <= cost(graduated, more)
    steps_of(graduated, more)
