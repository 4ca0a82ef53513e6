"""Stacked discounts: published documents, what became of each discount, floors and order."""

from decimal import Decimal

import pytest
from revops.type.v1 import discount_pb2 as pb
from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.numbers.proof import ProofBuilder, verify
from revops_mesh.pricing.stacking.floors import floor_of
from revops_mesh.pricing.stacking.outcome import Why
from revops_mesh.pricing.stacking.rules import InvalidRule
from revops_mesh.pricing.stacking.stack import side_by_side, stack
from tests.pricing.stacking import (
    DOCUMENT,
    EACH,
    ORDER,
    REFUSE,
    became,
    discount,
    how,
    line,
    nets,
    rates,
)

HUNDRED = [line("a", 100)]


def decimals(*texts):
    return [Decimal(text) for text in texts]


# Published documents


def test_stacked_and_sequential_discounts_as_zuora_rules_them():
    # E16 (Z-stack): 5, 10 and 15 % off 100.
    three = rates("0.05", "0.10", "0.15")
    assert nets(HUNDRED, three, how("ADDITIVE")) == decimals("70.00")
    assert nets(HUNDRED, three, how("SEQUENTIAL")) == decimals("72.68")


def test_chain_and_additive_discounts_as_liferay_prints_them():
    # E17 (LIF): 10 then 5 % off 100.
    assert nets(HUNDRED, rates("0.10", "0.05"), how("SEQUENTIAL")) == decimals("85.50")
    assert nets(HUNDRED, rates("0.10", "0.05"), how("ADDITIVE")) == decimals("85.00")


def test_an_amount_across_lines_as_medusa_spreads_it():
    # E21, E22 (MED-t): 400 over 200 and 600; 30 and then 50 over 50 and 150.
    lines = [line("a", 200), line("b", 600)]
    assert stack(lines, [discount("x", amount="400")], how(), "USD").outcomes[0].amounts == (100, 300)
    both = [discount("x", amount="30", priority=1), discount("y", amount="50")]
    stacked = stack([line("a", 50), line("b", 150)], both, how(), "USD")
    assert [each.amounts for each in stacked.outcomes] == [tuple(decimals("7.5", "22.5")), tuple(decimals("12.5", "37.5"))]
    assert list(stacked.nets) == decimals("30", "90")


def test_an_amount_each_is_capped_by_the_price_of_a_unit_as_medusa_caps_it():
    # E24 (MED-t): 200 each for one unit of each line; 1 of 100, 5 of 750 in all.
    lines = [line("a", 100, 1), line("b", 750, 5)]
    each = discount("x", amount="200", allocation=EACH, max_quantity="1")
    assert stack(lines, [each], how(), "USD").outcomes[0].amounts == (100, 150)


def test_a_document_of_line_shipping_and_manual_discounts_as_saleor_prints_it():
    # E26 (SAL-ex): 2 × 50 less 20 % and 30; shipping of 20 less 40 %; then 10 % off the order by hand.
    lines = [line("shirt", 100, 2), line("cap", 30), line("shipping", 20)]
    discounts = [
        discount("manual", rate="0.1", level=ORDER),
        discount("catalogue", lines=["shirt"], rate="0.2"),
        discount("freight", lines=["shipping"], rate="0.4"),
    ]
    stacked = stack(lines, discounts, how(), "USD")
    assert stacked.net == Decimal("109.80")
    assert became(stacked) == {
        "catalogue": ("APPLIED", 20, ""),
        "freight": ("APPLIED", 8, ""),
        "manual": ("APPLIED", Decimal("12.20"), ""),
    }


def test_the_better_promotion_wins_as_saleor_chooses_it():
    # E28 (SAL-promo): a cart of 12; 10 % of it, or a gift worth 5.
    lines = [line("cart", 12), line("gift", 5)]
    offer = pb.BuyXGetY(buy_quantity=1, get_quantity=1)
    discounts = [
        discount("ten", lines=["cart"], rate="0.1"),
        discount("present", lines=["gift"], bought=["cart"], buy_x_get_y=offer),
    ]
    stacked = stack(lines, discounts, how("BEST_OF", scope=DOCUMENT), "USD")
    assert became(stacked) == {"present": ("APPLIED", 5, ""), "ten": ("OUTDONE", 0, "present")}
    assert {each.key: each.alone for each in stacked.outcomes} == {"present": 5, "ten": Decimal("1.2")}
    # On each line by itself both win.
    assert stack(lines, discounts, how("BEST_OF"), "USD").net == Decimal("10.80")


def test_an_exclusive_discount_overrides_a_better_one_as_in_saleor():
    # SAL-ex: a manual discount overrides a voucher that takes more.
    both = [discount("manual", rate="0.05", priority=9), discount("voucher", rate="0.30")]
    stacked = stack(HUNDRED, both, how("EXCLUSIVE"), "USD")
    assert became(stacked) == {"manual": ("APPLIED", 5, ""), "voucher": ("OVERRIDDEN", 0, "manual")}
    assert stacked.outcomes[1].alone == 30


def test_all_modes_side_by_side():
    found = side_by_side(HUNDRED, rates("0.05", "0.10", "0.15"), how(), "USD")
    assert {pb.StackingMode.Name(mode): stacked.net for mode, stacked in found.items()} == {
        "STACKING_MODE_ADDITIVE_ON_BASE": 70,
        "STACKING_MODE_SEQUENTIAL": Decimal("72.68"),
        "STACKING_MODE_BEST_OF": 85,
        "STACKING_MODE_EXCLUSIVE_OVERRIDE": 95,
    }


# Order


def test_percentages_come_before_amounts_unless_the_policy_says_otherwise():
    both = [discount("a", amount="20"), discount("b", rate="0.1")]
    assert nets(HUNDRED, both, how()) == [70]
    assert nets(HUNDRED, both, how(kinds=[pb.DISCOUNT_KIND_AMOUNT, pb.DISCOUNT_KIND_RATE])) == [72]
    first = [pb.STACKING_KEY_PRIORITY, pb.STACKING_KEY_KIND]
    assert nets(HUNDRED, [both[0]._replace(priority=1), both[1]], how(order=first)) == [72]


def test_classes_are_ordered_by_the_policy_and_unknown_ones_come_last():
    both = [discount("a", amount="20", discount_class="new"), discount("b", rate="0.1", discount_class="old")]
    assert nets(HUNDRED, both, how(classes=["new", "old"])) == [72]
    assert nets(HUNDRED, both, how(classes=["old"])) == [70]


# Floors and why a discount did not apply


def test_a_discount_is_cut_to_the_floor_or_refused():
    lines = [line("a", 100, floor=60), line("b", 100)]
    half = [discount("x", rate="0.5")]
    cut = stack(lines, half, how(), "USD")
    assert (list(cut.nets), cut.outcomes[0].why) == ([60, 50], Why.CUT_TO_FLOOR)
    refused = stack(lines, half, how(floor_action=REFUSE), "USD")
    assert (list(refused.nets), refused.outcomes[0].why, refused.outcomes[0].detail) == ([100, 100], Why.BELOW_FLOOR, "a")


def test_a_smaller_discount_may_apply_after_one_was_refused():
    lines = [line("a", 100, floor=60)]
    stacked = stack(lines, rates("0.5", "0.3"), how(floor_action=REFUSE), "USD")
    assert became(stacked) == {"r0": ("BELOW_FLOOR", 0, ""), "r1": ("APPLIED", 30, "")}


def test_a_list_price_below_the_floor_stays_and_is_not_raised():
    stacked = stack([line("a", 50, floor=60)], rates("0.1"), how(), "USD")
    assert (list(stacked.nets), stacked.outcomes[0].why) == ([50], Why.NOTHING_LEFT)


def test_added_rates_above_all_of_it_are_cut_to_zero():
    stacked = stack(HUNDRED, rates("0.6", "0.5", "0.1"), how("ADDITIVE"), "USD")
    assert became(stacked) == {
        "r0": ("APPLIED", 60, ""),
        "r1": ("CUT_TO_ZERO", 40, ""),
        "r2": ("NOTHING_LEFT", 0, ""),
    }


def test_every_discount_that_does_not_apply_says_why():
    lines = [line("a", 100), line("none", 0, quantity=0)]
    discounts = [
        discount("conditions", rate="0.1", refused="only for renewals"),
        discount("elsewhere", lines=["z"], rate="0.1"),
        discount("empty", lines=["none"], rate="0.1"),
        discount("cheap", fixed_price="150"),
        discount("few", buy_x_get_y=pb.BuyXGetY(buy_quantity=1, get_quantity=1)),
        discount("zero", rate="0"),
    ]
    stacked = stack(lines, discounts, how(), "USD")
    assert {each.key: each.why for each in stacked.outcomes} == {
        "conditions": Why.CONDITIONS,
        "elsewhere": Why.NO_LINE,
        "empty": Why.NO_LINE,
        "cheap": Why.NO_EFFECT,
        "few": Why.NO_EFFECT,
        "zero": Why.NO_EFFECT,
    }
    assert next(each for each in stacked.outcomes if each.key == "conditions").detail == "only for renewals"
    assert not any(each.why.applied or each.amount for each in stacked.outcomes)


def test_a_floor_is_the_higher_of_price_and_margin_rounded_up():
    floor = pb.PriceFloor(unit_price="7", margin_rate="0.3")
    assert floor_of(floor, Decimal(3), Decimal(16), "EUR") == Decimal("22.86")
    assert floor_of(floor, Decimal(3), Decimal(10), "EUR") == 21
    assert floor_of(pb.PriceFloor(), Decimal(3), None, "EUR") == 0
    with pytest.raises(InvalidNumber, match="cost: is required by a floor on the margin"):
        floor_of(floor, Decimal(3), None, "EUR")
    with pytest.raises(InvalidRule, match="margin_rate: must be below 1"):
        floor_of(pb.PriceFloor(margin_rate="1"), Decimal(3), Decimal(1), "EUR")


# Proofs


def test_the_proof_of_a_line_goes_on_from_its_list_amount():
    lines = [line("a", 100, 2, floor=80), line("b", 40)]
    proofs = []
    for each in lines:
        proof = ProofBuilder(each.key, "entries/e", "1")
        proof.step("list", "list", each.list_amount)
        proofs.append(proof)
    stacked = stack(lines, [*rates("0.05", "0.333"), discount("x", amount="10")], how(), "USD", proofs)
    steps = []
    for proof, net in zip(proofs, stacked.nets, strict=True):
        made = proof.finish(net, "USD")
        assert verify(made)
        steps.append([(step.code, step.expression, step.value, step.read_permission) for step in made.steps[1:]])
    assert steps[0] == [
        ("discount", "100.00 − 5.00 (r0: 0.05 off)", "95", ""),
        ("discount", "95.00 − 15.00 (r1: 0.333 off, cut to the floor)", "80", "catalog.costs.read"),
    ]
    assert steps[1] == [
        ("discount", "40.00 − 2.00 (r0: 0.05 off)", "38", ""),
        ("discount", "38.00 − 12.654 (r1: 0.333 off)", "25.346", ""),
        ("discount", "25.346 − 2.41 (x: 10.00 off across lines)", "22.936", ""),
        ("round", "22.936", "22.94", ""),
    ]


def test_a_document_is_rounded_once():
    lines = [line(key, "0.05") for key in "abc"]
    by_line, by_document = how(), how(rounding_place=pricing_pb2.ROUNDING_PLACE_DOCUMENT)
    assert nets(lines, rates("0.1"), by_line) == decimals("0.05", "0.05", "0.05")
    assert nets(lines, rates("0.1"), by_document) == decimals("0.05", "0.05", "0.04")
