"""Counterfactuals: the change that is given is enough, and of rules with a threshold none smaller is."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import deal_facts_pb2 as facts_pb

from revops_mesh.quoting.approvals.counterfactuals import capped, counterfactuals, nearest
from revops_mesh.quoting.approvals.matching import matches
from tests.quoting.approvals.deals import deal, discounted, line, rule, version

CENT = Decimal("0.01")


def found(facts: facts_pb.DealFacts, *conditions: str) -> dict[str, pb.Counterfactual]:
    """By lever, for rules with these conditions."""
    rules = [version(*(rule(f"r{i}", condition) for i, condition in enumerate(conditions)))]
    return {each.lever: each for each in counterfactuals(facts, conditions, lambda changed: not matches(rules, changed))}


def test_two_points_less_discount_need_no_approval() -> None:
    each = found(discounted("0.17"), "max_line_discount_rate > 0.15")["line_discount_cap"]
    assert (each.actual, each.target, each.amount) == ("0.17", "0.15", "20.00")
    assert each.text == "2 points less discount, at most 15 % on any line, needs no approval: 20.00 EUR more"


def test_a_limit_that_is_excluded_is_met_to_the_last_decimal() -> None:
    each = found(discounted("0.17"), "max_line_discount_rate >= 0.15")["line_discount_cap"]
    assert each.target == "0.149999"


def test_a_cap_on_lines_is_enough_for_the_margin_too() -> None:
    facts = deal(line("1000.00", "700.00", "600.00"), line("500.00", "500.00", "100.00"))
    each = found(facts, "min_line_margin_rate < 0.25")["line_discount_cap"]
    assert Decimal("0.2") <= Decimal(each.target) < Decimal("0.20001")  # (800 - 600) / 800, up to half a cent
    assert each.amount == "100.00"


def test_a_term_is_made_shorter_or_longer_whichever_is_nearer() -> None:
    assert found(deal(term_months=40), "term_months > 36")["term_months"].target == "36"
    assert found(deal(term_months=6), "term_months < 12")["term_months"].target == "12"
    assert found(deal(term_months=0), "term_months > 60")["term_months"].target == "60"
    assert "term_months" not in found(discounted("0.2"), "max_line_discount_rate > 0.1")


def test_earlier_payment_and_terms_that_are_left_out_are_found() -> None:
    facts = deal(payment_days=60, special_terms=["cap", "exit"])
    assert found(facts, "payment_days > 30")["payment_days"].target == "30"
    assert found(facts, '"exit" in special_terms')["special_terms"].text == "without exit it needs no approval"
    assert found(facts, "size(special_terms) > 0")["special_terms"].target == ""


def test_two_reasons_of_different_kinds_have_no_single_way_out() -> None:
    assert found(discounted("0.2", term_months=48), "max_line_discount_rate > 0.1", "term_months > 36") == {}


def test_a_rule_that_no_lever_moves_has_no_way_out() -> None:
    assert found(discounted("0.2"), 'account == "accounts/acme"') == {}


@given(st.lists(st.tuples(st.integers(100, 9999), st.integers(0, 90)), min_size=1, max_size=4), st.integers(0, 60), st.booleans())
def test_the_cap_is_enough_and_the_next_one_up_is_not(parts: list[tuple[int, int]], limit: int, whole: bool) -> None:
    facts = deal(*(line(f"{listed}.00", f"{listed * (100 - off) / 100:.2f}", "0.00") for listed, off in parts))
    condition = f"{'discount_rate' if whole else 'max_line_discount_rate'} > {limit / 100:.2f}"
    each = found(facts, condition).get("line_discount_cap")
    rules = [version(rule("r", condition))]
    if each is None:
        assert (
            not matches(rules, facts) or Decimal(facts.max_line_discount_rate) == 0 or matches(rules, capped(facts, Decimal(0)))
        )
        return
    target = Decimal(each.target)
    assert not matches(rules, capped(facts, target))
    if matches(rules, facts):
        assert matches(rules, capped(facts, target + Decimal("0.000001")))
        more = sum(
            Decimal(new.net_amount) - Decimal(old.net_amount)
            for new, old in zip(capped(facts, target).lines, facts.lines, strict=True)
        )
        assert Decimal(each.amount) == more


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_the_term_is_the_nearest_that_a_scan_of_all_finds(now: int, low: int, high: int) -> None:
    conditions = (f"term_months < {low}", f"term_months > {high}")
    rules = [version(rule("a", conditions[0]), rule("b", conditions[1]))]
    passing = [months for months in range(1, 1201) if not matches(rules, deal(term_months=months))]
    each = found(deal(term_months=now), *conditions).get("term_months")
    if now in passing:
        return
    assert (each is None) == (not passing)
    if each is not None:
        assert abs(int(each.target) - now) == min(abs(months - now) for months in passing)


@given(st.integers(0, 300), st.integers(0, 300), st.sets(st.integers(1, 300), max_size=5))
def test_the_nearest_step_is_that_of_a_scan_where_more_never_hurts(threshold: int, most: int, marks: set[int]) -> None:
    scan = next((step for step in range(1, most + 1) if step >= threshold), None)
    assert nearest(marks, most, lambda step: step >= threshold) == scan


@pytest.mark.parametrize("marks", [[3], [3, 5], []])
def test_a_step_that_passes_between_those_that_do_not_is_found_if_it_is_marked(marks: list[int]) -> None:
    assert nearest(marks, 9, lambda step: step == 3) == (3 if marks else None)
