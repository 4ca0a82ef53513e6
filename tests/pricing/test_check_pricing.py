"""The structure of a pricing: every fault is found and named."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import pricing_pb2 as pb

from revops_mesh.pricing.charge import MODELS, Basis, check, price

TIERS = [pb.Tier(up_to="10", unit_amount="2"), pb.Tier(unit_amount="1")]
GRADUATED = {"model": pb.CHARGE_MODEL_GRADUATED, "tier_bound": pb.TIER_BOUND_INCLUSIVE}
SALESFORCE = {"model": pb.CHARGE_MODEL_GRADUATED, "tier_bound": pb.TIER_BOUND_EXCLUSIVE}
VOLUME = {"model": pb.CHARGE_MODEL_VOLUME, "tier_bound": pb.TIER_BOUND_EXCLUSIVE}
PER_UNIT = {"model": pb.CHARGE_MODEL_PER_UNIT, "amount": "1"}
PACKAGE = {"model": pb.CHARGE_MODEL_PACKAGE, "amount": "5", "package_size": "100"}
STAIR_STEP = {"model": pb.CHARGE_MODEL_STAIR_STEP, "tier_bound": pb.TIER_BOUND_EXCLUSIVE}
PERCENTAGE = {"model": pb.CHARGE_MODEL_PERCENTAGE, "rate": "0.01"}
RATES = {"model": pb.CHARGE_MODEL_GRADUATED_PERCENTAGE, "tier_bound": pb.TIER_BOUND_INCLUSIVE}
OVERAGE = {"model": pb.CHARGE_MODEL_OVERAGE, "included_units": "10", "overage_amount": "1"}
TIERED_OVERAGE = {
    "model": pb.CHARGE_MODEL_TIERED_OVERAGE,
    "tier_bound": pb.TIER_BOUND_INCLUSIVE,
    "overage_amount": "1",
}


def tiers(*bounds):
    return [pb.Tier(up_to=bound, unit_amount="1") for bound in bounds]


@pytest.mark.parametrize(
    "fields",
    [
        {"model": pb.CHARGE_MODEL_FLAT, "amount": "0"},
        PER_UNIT | {"amount": "0.000000000001", "rounding": pb.ROUNDING_DOWN},
        GRADUATED | {"tiers": TIERS},
        GRADUATED | {"tiers": tiers("0.5", "2.25", "")},
        GRADUATED | {"tiers": [pb.Tier()]},
        SALESFORCE | {"tiers": tiers("2", "3", "")},
        VOLUME | {"tiers": tiers("1", "1.5", "")},
        PACKAGE,
        PACKAGE | {"free_units": "0.5", "package_size": "0.000001"},
        STAIR_STEP | {"tiers": [pb.Tier(up_to="1.5", flat_amount="1"), pb.Tier(flat_amount="2")]},
        PERCENTAGE | {"event_amount": "0.1", "free_events": 3, "free_amount": "500"},
        OVERAGE | {"amount": "9", "package_size": "10", "zero_quantity": pb.ZERO_QUANTITY_CHARGED},
        TIERED_OVERAGE | {"tiers": tiers("10", "20")},
        GRADUATED | {"tiers": [pb.Tier(package_size="5", minimum_amount="1", maximum_amount="1")]},
        PER_UNIT | {"minimum_amount": "1", "maximum_amount": "2", "committed_amount": "2"},
        PER_UNIT | {"rounding_place": pb.ROUNDING_PLACE_DOCUMENT},
    ],
)
def test_a_sound_pricing_has_no_violation(fields):
    assert check(pb.Pricing(**fields)) == []


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "model", "FLAT, PER_UNIT, GRADUATED, VOLUME, PACKAGE"),
        ({"model": 99}, "model", "must be one of"),
        ({"model": pb.CHARGE_MODEL_FLAT}, "amount", "required by FLAT"),
        (PER_UNIT | {"amount": "-1"}, "amount", "at least 0"),
        (PER_UNIT | {"amount": "ten"}, "amount", "'ten'"),
        (PER_UNIT | {"tiers": TIERS}, "tiers", "not used by PER_UNIT"),
        (PER_UNIT | {"tier_bound": pb.TIER_BOUND_INCLUSIVE}, "tier_bound", "not used by PER_UNIT"),
        (PER_UNIT | {"package_size": "1"}, "package_size", "not used"),
        (PER_UNIT | {"free_units": "1"}, "free_units", "not used"),
        (PER_UNIT | {"rounding": 99}, "rounding", "HALF_EVEN"),
        (GRADUATED, "tiers", "required by GRADUATED"),
        (GRADUATED | {"tiers": TIERS, "amount": "1"}, "amount", "not used by GRADUATED"),
        (GRADUATED | {"tiers": TIERS, "tier_bound": 0}, "tier_bound", "required by GRADUATED"),
        (GRADUATED | {"tiers": TIERS, "tier_bound": 99}, "tier_bound", "INCLUSIVE or EXCLUSIVE"),
        (GRADUATED | {"tiers": tiers("10", "20")}, "tiers[1].up_to", "last tier"),
        (GRADUATED | {"tiers": tiers("", "")}, "tiers[0].up_to", "required"),
        (GRADUATED | {"tiers": tiers("10", "10", "")}, "tiers[1].up_to", "above 10, got 10"),
        (GRADUATED | {"tiers": tiers("10", "9", "")}, "tiers[1].up_to", "above 10, got 9"),
        (GRADUATED | {"tiers": tiers("0", "")}, "tiers[0].up_to", "above 0"),
        (GRADUATED | {"tiers": tiers("x", "")}, "tiers[0].up_to", "'x'"),
        (SALESFORCE | {"tiers": tiers("1", "")}, "tiers[0].up_to", "above 1"),
        (SALESFORCE | {"tiers": tiers("10.5", "")}, "tiers[0].up_to", "must be whole"),
        (VOLUME | {"tiers": [pb.Tier(unit_amount="-1")]}, "tiers[0].unit_amount", "at least 0"),
        (VOLUME | {"tiers": [pb.Tier(flat_amount="1,5")]}, "tiers[0].flat_amount", "'1,5'"),
        (PACKAGE | {"package_size": ""}, "package_size", "required by PACKAGE"),
        (PACKAGE | {"package_size": "0.0"}, "package_size", "above 0"),
        (PACKAGE | {"free_units": "-1"}, "free_units", "at least 0"),
        (STAIR_STEP | {"tiers": [pb.Tier(unit_amount="1")]}, "tiers[0].unit_amount", "not used by the model"),
        (GRADUATED | {"tiers": [pb.Tier(rate="0.1")]}, "tiers[0].rate", "not used by the model"),
        (GRADUATED | {"tiers": [pb.Tier(package_size="0")]}, "tiers[0].package_size", "above 0"),
        (
            GRADUATED | {"tiers": [pb.Tier(minimum_amount="2", maximum_amount="1")]},
            "tiers[0].maximum_amount",
            "at least minimum_amount, 2, got 1",
        ),
        (RATES | {"tiers": [pb.Tier(unit_amount="1")]}, "tiers[0].unit_amount", "not used by the model"),
        (RATES | {"tiers": [pb.Tier(rate="0.1")], "zero_quantity": 1}, "zero_quantity", "not used by GRADUATED_PERCENTAGE"),
        (PERCENTAGE | {"amount": "1"}, "amount", "not used by PERCENTAGE"),
        (PERCENTAGE | {"rate": ""}, "rate", "required by PERCENTAGE"),
        (PERCENTAGE | {"rate": "-1"}, "rate", "at least 0"),
        (PERCENTAGE | {"free_events": -1}, "free_events", "at least 0"),
        (OVERAGE | {"included_units": ""}, "included_units", "required by OVERAGE"),
        (OVERAGE | {"tiers": TIERS}, "tiers", "not used by OVERAGE"),
        (TIERED_OVERAGE | {"tiers": TIERS}, "tiers[1].up_to", "required in every tier"),
        (TIERED_OVERAGE | {"tiers": tiers("10"), "overage_amount": ""}, "overage_amount", "required by TIERED_OVERAGE"),
        ({"model": pb.CHARGE_MODEL_FLAT, "amount": "1", "minimum_amount": "1"}, "minimum_amount", "not used by FLAT"),
        (PER_UNIT | {"minimum_amount": "2", "maximum_amount": "1"}, "maximum_amount", "at least minimum_amount, 2, got 1"),
        (PER_UNIT | {"committed_amount": "2", "maximum_amount": "1"}, "maximum_amount", "at least committed_amount"),
        (PER_UNIT | {"rounding_place": 99}, "rounding_place", "UNIT, LINE or DOCUMENT"),
        (PER_UNIT | {"zero_quantity": 99}, "zero_quantity", "FREE or CHARGED"),
    ],
)
def test_a_fault_is_named_by_field_and_reason(fields, field, words):
    [violation] = check(pb.Pricing(**fields))
    assert violation.field == field
    assert words in violation.description


def test_every_fault_is_listed_at_once():
    pricing = pb.Pricing(**GRADUATED | {"tiers": tiers("9", "5", "7", "")}, amount="1")
    pricing.tiers[0].unit_amount = "-1"
    assert [violation.field for violation in check(pricing)] == [
        "amount",
        "tiers[0].unit_amount",
        "tiers[1].up_to",
        "tiers[2].up_to",
    ]


def test_every_model_of_the_contract_is_in_the_table():
    assert set(MODELS) == set(pb.ChargeModel.values()) - {pb.CHARGE_MODEL_UNSPECIFIED}


TEXTS = st.one_of(st.just(""), st.text(max_size=4), st.sampled_from(["0", "1", "2", "10", "1.5", "-1", "NaN"]))
BANDS = st.builds(
    pb.Tier,
    up_to=TEXTS,
    unit_amount=TEXTS,
    flat_amount=TEXTS,
    rate=TEXTS,
    package_size=TEXTS,
    minimum_amount=TEXTS,
    maximum_amount=TEXTS,
)


@given(
    st.builds(
        pb.Pricing,
        model=st.integers(0, 12),
        amount=TEXTS,
        tiers=st.lists(BANDS, max_size=4),
        tier_bound=st.integers(0, 3),
        package_size=TEXTS,
        free_units=TEXTS,
        rounding=st.integers(0, 5),
        rounding_place=st.integers(0, 4),
        zero_quantity=st.integers(0, 3),
        rate=TEXTS,
        event_amount=TEXTS,
        free_events=st.integers(-1, 3),
        free_amount=TEXTS,
        included_units=TEXTS,
        overage_amount=TEXTS,
        minimum_amount=TEXTS,
        maximum_amount=TEXTS,
        committed_amount=TEXTS,
    )
)
def test_hostile_pricings_are_judged_not_tripped_over(pricing):
    violations = check(pricing)
    for violation in violations:
        assert violation.field
        assert violation.description
    if not violations:
        everything = Basis(quantity=Decimal("7.5"), event_amounts=[Decimal(3), Decimal("4.5")])
        assert price(pricing, everything, "EUR") >= 0
