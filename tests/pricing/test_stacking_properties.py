"""What must hold for every document, every set of discounts and every policy."""

import random
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from revops.type.v1 import discount_pb2 as pb

from revops_mesh.numbers.money import minor_unit
from revops_mesh.numbers.proof import ProofBuilder, verify
from revops_mesh.pricing.stacking.stack import side_by_side, stack
from tests.pricing.stacking import REFUSE, candidates, discount, documents, how, line, nets, policies

SALES = documents().flatmap(lambda lines: st.tuples(st.just(lines), candidates(lines)))
RATES = st.lists(st.integers(0, 1000).map(lambda permille: f"{Decimal(permille) / 1000:f}"), max_size=5)
UNIT = minor_unit("EUR")


@given(SALES, policies())
def test_nothing_is_lost_between_list_discounts_and_net(sale, policy):
    lines, discounts = sale
    stacked = stack(lines, discounts, policy, "EUR")
    assert len(stacked.outcomes) == len(discounts)
    for index, (each, net) in enumerate(zip(lines, stacked.nets, strict=True)):
        taken = [outcome.amounts[index] for outcome in stacked.outcomes]
        assert each.list_amount - sum(taken) == net
        assert all(amount >= 0 and amount % UNIT == 0 for amount in taken)


@given(SALES, policies())
def test_no_floor_is_undercut_and_no_price_raised(sale, policy):
    lines, discounts = sale
    for each, net in zip(lines, stack(lines, discounts, policy, "EUR").nets, strict=True):
        assert min(each.floor, each.list_amount) <= net <= each.list_amount


@given(SALES, policies(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_never_matters(sale, policy, chance: random.Random):
    lines, discounts = sale
    shuffled = chance.sample(discounts, len(discounts))
    assert stack(lines, discounts, policy, "EUR") == stack(lines, shuffled, policy, "EUR")


@given(SALES, policies(modes=["ADDITIVE", "BEST_OF"]), policies(modes=["ADDITIVE", "BEST_OF"]))
def test_the_order_of_the_policy_does_not_matter_where_that_is_promised(sale, one, other):
    lines, discounts = sale
    one = one._replace(refuses_below_floor=False, by_document=False)
    reordered = one._replace(order=other.order, classes=other.classes, kinds=other.kinds)
    assert nets(lines, discounts, one, "EUR") == nets(lines, discounts, reordered, "EUR")


@given(RATES, st.integers(0, 10**7), st.randoms(use_true_random=False))
def test_rates_may_follow_one_another_in_any_order(rates, cents, chance: random.Random):
    first = [pb.STACKING_KEY_PRIORITY]
    lines = [line("a", Decimal(cents) / 100)]
    ranks = chance.sample(range(len(rates)), len(rates))
    one = [discount(f"r{number}", rate=rate) for number, rate in enumerate(rates)]
    other = [each._replace(priority=rank) for each, rank in zip(one, ranks, strict=True)]
    assert nets(lines, one, how(order=first), "EUR") == nets(lines, other, how(order=first), "EUR")


@given(RATES, st.integers(0, 10**7))
def test_rates_equal_the_fractions_they_are(rates, cents):
    listed = Fraction(cents, 100)
    left = listed
    for rate in rates:
        left *= 1 - Fraction(rate)
    lines = [line("a", Decimal(cents) / 100)]
    discounts = [discount(f"r{number}", rate=rate) for number, rate in enumerate(rates)]
    assert Fraction(nets(lines, discounts, how(), "EUR")[0]) == (left * 100 + Fraction(1, 2)).__floor__() * Fraction(1, 100)
    added = max(listed * (1 - sum(Fraction(rate) for rate in rates)), Fraction(0))
    assert Fraction(nets(lines, discounts, how("ADDITIVE"), "EUR")[0]) == (added * 100 + Fraction(1, 2)).__floor__() * Fraction(
        1, 100
    )


@given(SALES, policies(modes=["ADDITIVE", "SEQUENTIAL", "BEST_OF"]))
def test_best_of_takes_no_more_than_stacking(sale, policy):
    lines, discounts = sale
    cut = policy._replace(refuses_below_floor=False, by_document=False, rounds_document=False)
    found = side_by_side(lines, discounts, cut, "EUR")
    best = found[pb.STACKING_MODE_BEST_OF].net
    assert found[pb.STACKING_MODE_ADDITIVE_ON_BASE].net <= best <= found[pb.STACKING_MODE_EXCLUSIVE_OVERRIDE].net


@given(SALES, policies())
def test_only_a_discount_that_applied_took_anything_off_and_losers_name_who_won(sale, policy):
    lines, discounts = sale
    outcomes = stack(lines, discounts, policy, "EUR").outcomes
    applied = {each.key for each in outcomes if each.why.applied}
    for each in outcomes:
        assert each.why.applied or not each.amount
        assert not each.by or each.by in applied
        assert each.amount <= each.alone + UNIT * len(lines)


@given(SALES, policies())
def test_a_floor_that_refuses_never_cuts(sale, policy):
    lines, discounts = sale
    refusing = policy._replace(refuses_below_floor=True)
    assert not any(each.why.value == "CUT_TO_FLOOR" for each in stack(lines, discounts, refusing, "EUR").outcomes)
    assert how(floor_action=REFUSE).refuses_below_floor


@given(SALES, policies())
def test_every_line_is_proven_to_its_net_amount(sale, policy):
    lines, discounts = sale
    proofs = [ProofBuilder(each.key, "r", "1") for each in lines]
    for proof, each in zip(proofs, lines, strict=True):
        proof.step("list", "list", each.list_amount)
    stacked = stack(lines, discounts, policy, "EUR", proofs)
    assert stacked == stack(lines, discounts, policy, "EUR")
    for proof, net in zip(proofs, stacked.nets, strict=True):
        assert verify(proof.finish(net, "EUR"))


@given(documents(), st.integers(1, 100_000))
def test_an_amount_across_lines_takes_all_of_it_if_so_much_is_left(lines, cents):
    amount = Decimal(cents) / 100
    free = [each._replace(floor=Decimal(0), quantity=Decimal(1)) for each in lines]
    total = sum(each.list_amount for each in free)
    net = stack(free, [discount("x", amount=f"{amount:f}")], how(), "EUR").net
    assert net == max(total - amount, 0)
