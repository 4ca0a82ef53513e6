"""The worst reachable stack: exact against every assignment, and refused rather than cut short."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from revops.type.v1 import discount_pb2 as pb

from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.stacking.stack import stack
from revops_mesh.pricing.stacking.worst import Conditional, SearchTooLarge, worst
from tests.pricing.stacking import REFUSE, candidates, discount, documents, how, line, policies

HUNDRED = line("a", 100)


def when(candidate, requires="", excludes=""):
    return Conditional(candidate, frozenset(requires.split()), frozenset(excludes.split()))


def test_all_that_can_be_true_at_once_is_the_worst():
    discounts = [
        when(discount("welcome", rate="0.2"), "new"),
        when(discount("loyal", rate="0.3"), "renewal"),
        when(discount("volume", rate="0.1"), "large"),
    ]
    found = worst(HUNDRED, discounts, how(), "EUR")
    assert (found.net, found.facts) == (Decimal("50.40"), {"new", "renewal", "large"})
    # Nobody is new and renews.
    found = worst(HUNDRED, discounts, how(), "EUR", one_of=[frozenset({"new", "renewal"})])
    assert (found.net, found.facts) == (63, {"renewal", "large"})
    assert [each.key for each in found.stacked.outcomes] == ["loyal", "volume"]


def test_a_policy_that_excludes_a_fact_is_worth_its_absence():
    discounts = [
        when(discount("standard", rate="0.3"), excludes="promotion"),
        when(discount("promotion", rate="0.2"), "promotion"),
    ]
    assert worst(HUNDRED, discounts, how(), "EUR").net == 70


def test_an_exclusive_policy_may_be_worst_without_the_first():
    discounts = [
        when(discount("manual", rate="0.05", priority=9), "manual"),
        when(discount("voucher", rate="0.3"), "voucher"),
    ]
    found = worst(HUNDRED, discounts, how("EXCLUSIVE"), "EUR")
    assert (found.net, found.facts) == (70, {"voucher"})


def test_an_exclusive_policy_that_only_may_come_first_hides_nothing():
    discounts = [
        when(discount("first", rate="0.05", priority=9), "known present"),
        when(discount("stranger", rate="0.1", priority=5), excludes="known"),
        when(discount("friend", rate="0.5"), "known friend"),
    ]
    found = worst(HUNDRED, discounts, how("EXCLUSIVE"), "EUR")
    assert (found.net, found.facts) == (50, {"known", "friend"})


def test_what_is_refused_below_the_floor_makes_room_for_another_mix():
    discounts = [
        when(discount("half", rate="0.5", priority=9), "half"),
        when(discount("third", amount="35", priority=8), "third"),
        when(discount("tenth", amount="10"), "tenth"),
    ]
    first = [pb.STACKING_KEY_PRIORITY]
    guarded = HUNDRED._replace(floor=Decimal(45))
    found = worst(guarded, discounts, how(floor_action=REFUSE, order=first), "EUR")
    assert found.net == 50
    assert worst(guarded, discounts, how(order=first), "EUR").net == 45
    assert worst(HUNDRED, discounts, how(order=first), "EUR").net == 5


def test_whatever_must_be_bought_elsewhere_is_bought():
    offer = pb.BuyXGetY(buy_quantity=2, get_quantity=1, max_times=3)
    gift = discount("gift", lines=["a"], bought=["printer"], buy_x_get_y=offer)
    assert worst(line("a", 100, 10), [when(gift)], how(), "EUR").net == 70


def test_discounts_of_other_lines_and_without_hope_are_left_out():
    discounts = [
        when(discount("elsewhere", lines=["b"], rate="1"), "x"),
        when(discount("never", rate="1"), "y", "y"),
        when(discount("refused", rate="1", refused="ended")),
    ]
    found = worst(HUNDRED, discounts, how(), "EUR")
    assert (found.net, found.stacked.outcomes) == (100, ())


def test_the_proof_shows_the_combination():
    proof = ProofBuilder("products/p", "discountPolicies", "1")
    proof.step("list", "list", Decimal(100))
    found = worst(HUNDRED, [when(discount("welcome", rate="0.2"), "new")], how(), "EUR", proof=proof)
    assert [step.expression for step in proof.finish(found.net, "EUR").steps] == ["list", "100.00 − 20.00 (welcome: 0.2 off)"]


def test_forty_independent_policies_are_found_at_once():
    discounts = [when(discount(f"d{number}", rate="0.01"), f"f{number}") for number in range(40)]
    found = worst(HUNDRED, discounts, how(), "EUR")
    assert len(found.facts) == 40
    assert found.evaluations <= 100


def test_a_search_that_is_too_large_is_refused():
    discounts = [
        when(discount(f"d{number:02}", amount=f"{7 + number * 3 % 11}.{number:02}", priority=number), f"f{number}")
        for number in range(30)
    ]
    guarded = HUNDRED._replace(floor=Decimal("0.01"))
    with pytest.raises(SearchTooLarge, match="30 discounts over 30 facts take more than 500 evaluations"):
        worst(guarded, discounts, how(floor_action=REFUSE), "EUR", most_evaluations=500)


FACTS = ["f0", "f1", "f2", "f3"]
CONDITIONS = st.frozensets(st.sampled_from(FACTS), max_size=2)
GROUPS = st.lists(st.frozensets(st.sampled_from(FACTS), min_size=2, max_size=3), max_size=2)


@st.composite
def conditional(draw):
    [own] = draw(documents(most=1))
    found = draw(candidates([own], most=5))
    return own, [Conditional(each, draw(CONDITIONS), draw(CONDITIONS)) for each in found]


@settings(max_examples=150)
@given(conditional(), policies(), GROUPS)
def test_the_worst_stack_is_the_lowest_of_all_reachable_ones(sale, policy, groups):
    own, discounts = sale
    found = worst(own, discounts, policy, "EUR", groups)
    reachable = []
    for truth in product([False, True], repeat=len(FACTS)):
        facts = frozenset(fact for fact, true in zip(FACTS, truth, strict=True) if true)
        if any(len(facts & group) > 1 for group in groups):
            continue
        active = [each.candidate for each in discounts if each.requires <= facts and not each.excludes & facts]
        reachable.append(stack([own], active, policy, "EUR").net)
    assert found.net == min(reachable)
    assert not any(len(found.facts & group) > 1 for group in groups)
