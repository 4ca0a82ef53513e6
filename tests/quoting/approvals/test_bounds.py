"""Approval bounds: a better deal never needs more, a value that leaves them is named, and nobody's word counts above his step."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.quoting.v1 import approval_events_pb2 as events
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import deal_facts_pb2 as facts_pb

from revops_mesh.kernel.errors import Failure
from revops_mesh.quoting.approvals.assessing import seats_by
from revops_mesh.quoting.approvals.bounds import Excess, bounds_of, completed, excesses, narrowest
from revops_mesh.quoting.approvals.judgement import judge
from revops_mesh.quoting.approvals.matching import matches
from revops_mesh.quoting.approvals.request import ApprovalRequest, Asked
from tests.quoting.approvals.deals import NOW, approve, asked, deal, discounted, line, person, rule, user, version

A = pb.CheckBoundsResponse
RULES = version(
    rule("region", "max_line_discount_rate > 0.15", level=1),
    rule("unit", "max_line_discount_rate > 0.2", level=2),
    rule("margin", "min_line_margin_rate < 0.3", chain="finance"),
    rule("term", "term_months > 36", chain="legal"),
)
rates = st.integers(0, 60).map(lambda n: n / 100)
deals = st.builds(
    lambda parts, term, days, terms: deal(
        *(line("1000.00", f"{1000 * (1 - rate):.2f}", f"{cost}.00") for rate, cost in parts),
        term_months=term,
        payment_days=days,
        special_terms=sorted(terms),
    ),
    st.lists(st.tuples(rates, st.integers(0, 900)), min_size=1, max_size=3),
    st.integers(1, 60),
    st.integers(0, 90),
    st.sets(st.sampled_from(["exit", "price hold", "cap"])),
)


def answer(facts: facts_pb.DealFacts, *requests: ApprovalRequest, fingerprint: str = "f2", rules: Any = RULES) -> A:
    """What is said about a deal after some requests, the latest first."""
    found = matches([rules], facts)
    states = [request.state for request in requests]
    return judge(facts, fingerprint, found, states, seats_by(facts, ()), lambda _: matches([RULES], facts))


def approved(facts: facts_pb.DealFacts, **bounds: Any) -> ApprovalRequest:
    """A request that everybody approved who had to."""
    request = asked(facts, RULES)
    while request.state.state == pb.ApprovalRequest.STATE_IN_PROGRESS:
        approve(request, person("maria", "boss"), **bounds)
    return request


def better(facts: facts_pb.DealFacts, cut: float, shorter: int) -> facts_pb.DealFacts:
    """The same deal with less discount on every line, earlier payment and fewer special terms; the term stays."""
    lines = []
    for each, margin in zip(facts.lines, facts.margins.lines, strict=True):
        net = Decimal(each.net_amount) + (Decimal(each.list_amount) - Decimal(each.net_amount)) * Decimal(str(cut))
        lines.append(line(each.list_amount, f"{net:.2f}", margin.cost))
    days, terms = max(0, facts.payment_days - shorter), facts.special_terms[shorter % 3 :]
    return deal(*lines, term_months=facts.term_months, payment_days=days, special_terms=terms)


@given(deals)
def test_a_deal_is_within_its_own_bounds(facts: facts_pb.DealFacts) -> None:
    assert excesses(bounds_of(facts), facts) == []


@given(deals, st.integers(0, 100).map(lambda n: n / 100), st.integers(0, 30))
def test_a_better_deal_never_needs_more(facts: facts_pb.DealFacts, cut: float, shorter: int) -> None:
    assert excesses(bounds_of(facts), better(facts, cut, shorter)) == []
    if matches([RULES], facts):
        said = answer(better(facts, cut, shorter), approved(facts))
        assert said.outcome in (A.OUTCOME_GRANTED, A.OUTCOME_NOT_NEEDED)


@given(deals, deals)
def test_a_deal_that_is_granted_is_worse_in_nothing_that_was_approved(one: facts_pb.DealFacts, other: facts_pb.DealFacts) -> None:
    if not matches([RULES], one):
        return
    said = answer(other, approved(one))
    if said.outcome == A.OUTCOME_GRANTED:
        assert Decimal(other.max_line_discount_rate) <= Decimal(one.max_line_discount_rate)
        assert Decimal(other.margins.min_line_margin_rate) >= Decimal(one.margins.min_line_margin_rate)
        assert other.term_months == one.term_months
        assert set(other.special_terms) <= set(one.special_terms)
    elif said.outcome == A.OUTCOME_NEEDED:
        assert all(need.kind in (need.KIND_BOUND, need.KIND_NEW_RULE) for need in said.needs)


@given(st.lists(deals, min_size=1, max_size=4), deals)
def test_the_narrowest_bounds_keep_all_of_them(several: list[facts_pb.DealFacts], facts: facts_pb.DealFacts) -> None:
    all_bounds = [bounds_of(each) for each in several]
    within_all = all(not excesses(each, facts) for each in all_bounds)
    assert (not excesses(narrowest(all_bounds), facts)) == within_all


@pytest.mark.parametrize(
    ("changed", "excess"),
    [
        (discounted("0.19"), Excess("max_line_discount_rate", "0.18", "0.19")),
        (discounted("0.18", term_months=24), Excess("max_term_months", "12", "24")),
        (discounted("0.18", term_months=6), Excess("min_term_months", "12", "6")),
        (discounted("0.18", term_months=0), Excess("max_term_months", "12", "1000000")),
        (discounted("0.18", payment_days=30), Excess("max_payment_days", "0", "30")),
        (discounted("0.18", special_terms=["exit"]), Excess("special_terms", "", "exit")),
        (discounted("0.18", account="accounts/other"), Excess("account", "accounts/acme", "accounts/other")),
        (deal(line("1000.01", "820.01", "400.00")), Excess("max_list_amount", "1000", "1000.01")),
        (deal(line("1000.00", "820.00", "500.00")), Excess("min_margin_rate", "0.512195", "0.390243")),
    ],
)
def test_what_leaves_the_bounds_is_named_with_both_values(changed: facts_pb.DealFacts, excess: Excess) -> None:
    request = approved(discounted("0.18"))
    said = answer(changed, request)
    assert said.outcome == A.OUTCOME_NEEDED
    assert excess in [Excess(need.bound, need.limit, need.actual) for need in said.needs]
    assert excess in excesses(request.state.bounds, changed)


def test_a_wide_bound_is_the_word_of_who_gave_it_and_of_nobody_above() -> None:
    request = approved(
        discounted("0.18"),
        max_line_discount_rate="0.3",
        max_discount_rate="0.3",
        margins=pb.MarginBounds(min_margin_rate="0", min_line_margin_rate="0"),
    )
    assert answer(discounted("0.2"), request).outcome == A.OUTCOME_GRANTED
    said = answer(discounted("0.21"), request)
    assert (said.outcome, [need.step_id for need in said.needs]) == (A.OUTCOME_NEEDED, ["p/unit"])
    assert said.needs[0].kind == pb.ApprovalNeed.KIND_NEW_RULE


def test_who_approved_above_has_approved_below() -> None:
    strict = version(
        rule("unit", "max_line_discount_rate > 0.2", level=2), rule("region", "max_line_discount_rate <= 0.2", level=1)
    )
    request = asked(discounted("0.25"), strict)
    approve(request, person("maria", "boss"))
    found = matches([strict], discounted("0.18"))
    said = judge(discounted("0.18"), "f2", found, [request.state], seats_by(deal(), ()), lambda _: found)
    assert said.outcome == A.OUTCOME_GRANTED


def test_a_later_policy_does_not_take_back_what_was_approved() -> None:
    request = approved(discounted("0.18"))
    stricter = version(rule("all", "true", chain="new"), number=2)
    assert answer(discounted("0.17"), request, rules=stricter).outcome == A.OUTCOME_GRANTED
    assert answer(discounted("0.19"), request, rules=stricter).outcome == A.OUTCOME_NEEDED


def test_the_same_content_gets_the_same_answer() -> None:
    request = asked(discounted("0.18"), RULES)
    assert answer(discounted("0.18"), request, fingerprint="f1").outcome == A.OUTCOME_PENDING
    request.reject(person("maria", "boss"), "", "", NOW)
    assert answer(discounted("0.18"), request, fingerprint="f1").outcome == A.OUTCOME_REJECTED
    assert answer(discounted("0.18"), approved(discounted("0.18")), fingerprint="f1").outcome == A.OUTCOME_GRANTED


def test_bounds_that_exclude_the_deal_are_refused() -> None:
    request = asked(discounted("0.18"), RULES)
    with pytest.raises(Failure) as refused:
        approve(request, person("maria", "boss"), max_line_discount_rate="0.17")
    assert refused.value.metadata == {"bound": "max_line_discount_rate", "limit": "0.17", "actual": "0.18"}


def test_what_an_approver_leaves_open_holds_for_the_deal_as_it_is() -> None:
    facts = discounted("0.18")
    found = completed(pb.ApprovalBounds(max_discount_rate="0.25"), facts)
    assert (found.max_discount_rate, found.max_line_discount_rate) == ("0.25", "0.18")


def test_the_narrowest_word_counts() -> None:
    both = version(rule("r", "true", user("a"), user("b")))
    request = asked(discounted("0.18"), both)
    approve(request, person("a"), max_discount_rate="0.3")
    approve(request, person("b"), max_discount_rate="0.2", max_term_months=36)
    assert (request.state.bounds.max_discount_rate, request.state.bounds.max_term_months) == ("0.2", 12)


def smart(then: facts_pb.DealFacts, now: facts_pb.DealFacts, *rules: policies.ApprovalRule) -> list[bool]:
    """Which steps of a deal are covered by what was approved of an earlier one."""
    request = asked(then, version(*rules))
    approve(request, person("maria", "boss"))
    found = matches([version(*rules)], now)
    said = judge(now, "f2", found, [request.state], seats_by(now, ()), lambda _: found)
    assert said.outcome == A.OUTCOME_NEEDED
    return [step.carried_from == request.name for step in said.steps]


def test_a_step_is_approved_by_itself_where_what_it_is_about_did_not_get_worse() -> None:
    discount, term = rule("d", "max_line_discount_rate > 0.1"), rule("t", "term_months > 6", chain="t")
    assert smart(discounted("0.2"), discounted("0.19", term_months=24), discount, term) == [True, False]
    assert smart(discounted("0.2"), discounted("0.21"), discount, term) == [False, True]
    assert smart(discounted("0.2"), discounted("0.19", term_months=24), rule("l", "lines.exists(l, l.discount_rate > 0.1)")) == [
        False
    ]


def test_whoever_has_an_interest_by_now_counts_no_more() -> None:
    then, now = discounted("0.2"), discounted("0.19", term_months=24, owner="users/maria")
    assert smart(then, now, rule("d", "max_line_discount_rate > 0.1")) == [False]


def test_all_steps_covered_is_approved_at_once() -> None:
    request = asked(discounted("0.2"), version(rule("d", "true")))
    approve(request, person("maria", "boss"))
    again = discounted("0.2", term_months=24)
    found = matches([version(rule("d", "true"))], again)
    said = judge(again, "f2", found, [request.state], seats_by(again, ()), lambda _: found)
    second = ApprovalRequest.ask("approvalRequests/s", Asked(again, "f2", said.steps, []), "", NOW)
    assert second.state.state == pb.ApprovalRequest.STATE_APPROVED
    assert [type(event) for event in second.events] == [events.ApprovalRequestCreated, events.ApprovalRequestApproved]
    second.check()
