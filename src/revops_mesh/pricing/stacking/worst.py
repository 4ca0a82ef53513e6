"""The worst reachable stack: the lowest net amount that policies can leave of a line, whatever the facts of a sale are.

Conditions are opaque: each policy names facts that must be true and facts that must not. The search is exact: branch and
bound over the facts. What a set of policies leaves is never less than all that may still apply leave together, or under
EXCLUSIVE_OVERRIDE the best of them, where a floor cuts; branches whose bound is not lower than the best found are skipped.
A search that takes too many evaluations is refused, never cut short.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from revops_mesh.numbers.money import EXACT, InvalidNumber, rounded
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.stacking.applying import applied, left_of
from revops_mesh.pricing.stacking.outcome import Stacked
from revops_mesh.pricing.stacking.policy import BEST_OF, EXCLUSIVE, Candidate, Line, Policy
from revops_mesh.pricing.stacking.stack import check_document, stack

MOST_EVALUATIONS = 20_000
"""Stacks that a search may compute: some seconds."""


class SearchTooLarge(ValueError):
    """The lowest amount was not found and proven within the evaluations that were allowed."""


class Conditional(NamedTuple):
    """A discount and when it applies."""

    candidate: Candidate
    requires: frozenset[str] = frozenset()
    """Facts that must be true."""
    excludes: frozenset[str] = frozenset()
    """Facts that must not be true."""


class Worst(NamedTuple):
    """The lowest net amount, and a sale that reaches it."""

    net: Decimal
    facts: frozenset[str]
    """The facts that are true then; all others are not."""
    stacked: Stacked
    """The discounts that apply then; those whose conditions do not hold are not listed."""
    evaluations: int


def worst(
    line: Line,
    discounts: Sequence[Conditional],
    policy: Policy,
    currency: str,
    one_of: Iterable[frozenset[str]] = (),
    proof: ProofBuilder | None = None,
    most_evaluations: int = MOST_EVALUATIONS,
) -> Worst:
    """The lowest net amount of a line over all reachable facts, exact.

    Of each set in `one_of`, as the segments of a customer, at most one fact is true. A candidate that is refused by itself
    never applies; whatever buy-X-get-Y asks for on other lines is bought. Alone in its document the line bears all of an
    amount across lines. With `line.floor` the answer is what the floor leaves; without one, compare it with the floor. The
    proof gets the steps of that stack. Raises SearchTooLarge, and InvalidNumber as `stack`.
    """
    usable = [_with_enough_bought(each) for each in discounts if _is_for(each, line)]
    with localcontext(EXACT):
        check_document([line], [each.candidate for each in discounts], currency)
        order = policy.ordered(each.candidate for each in usable)
        rank = {candidate.key: position for position, candidate in enumerate(order)}
        usable.sort(key=lambda each: rank[each.candidate.key])
        search = _Search(line, usable, policy, currency, list(one_of), most_evaluations)
        search.run()
    candidates = [each.candidate for each in usable if _holds(each, search.facts)]
    stacked = stack([line], candidates, policy, currency, [proof] if proof is not None else ())
    if stacked.net != search.lowest:
        raise InvalidNumber("discounts", f"leave {stacked.net} where the search found {search.lowest}")
    return Worst(stacked.net, search.facts, stacked, search.evaluations)


class _Search:
    """Branch and bound; `discounts` are in the order of the policy."""

    def __init__(
        self,
        line: Line,
        discounts: Sequence[Conditional],
        policy: Policy,
        currency: str,
        one_of: Sequence[frozenset[str]],
        most: int,
    ) -> None:
        self._line, self._discounts, self._policy, self._currency = line, discounts, policy, currency
        self._one_of, self._most = one_of, most
        # A superset of discounts that may cut never leaves more; the best of them never more than the only one.
        mode = BEST_OF if policy.mode == EXCLUSIVE else policy.mode
        self._relaxed = policy._replace(mode=mode, refuses_below_floor=False, by_document=False)
        # Parts of a line are cut at 12 decimals: a bound must not be above what is reachable by such a fraction.
        cut = any(each.candidate.rule.max_quantity or each.candidate.rule.get for each in discounts)
        self._slack = Decimal("1E-9") if cut else Decimal(0)
        self.lowest: Decimal | None = None
        self.facts: frozenset[str] = frozenset()
        self.evaluations = 0

    def run(self) -> None:
        """Visits assignments of truth to facts, the most promising first."""
        nobody: frozenset[str] = frozenset()
        branches = [(self._bound(nobody, nobody), nobody, nobody)]
        while branches:
            bound, true, false = branches.pop()
            if self.lowest is not None and bound >= self.lowest:
                continue
            fact = self._undecided(true, false)
            if fact is None:
                self._reach(true)
                continue
            branches += self._split(fact, true, false)

    def _split(
        self, fact: str, true: frozenset[str], false: frozenset[str]
    ) -> list[tuple[Decimal, frozenset[str], frozenset[str]]]:
        """Both branches of a fact, the one to visit first last."""
        others = frozenset(other for group in self._one_of if fact in group for other in group if other != fact)
        sides = [(true, false | {fact})]
        if not others & true:
            sides.append((true | {fact}, false | others))
        bounded = [(self._bound(*side), *side) for side in sides]
        return sorted(bounded, key=lambda branch: branch[0], reverse=True)

    def _undecided(self, true: frozenset[str], false: frozenset[str]) -> str | None:
        """The next fact that still matters, in the order of the discounts; None if every discount is decided."""
        for each in self._discounts:
            if each.requires & false or each.excludes & true:
                continue
            if open_facts := sorted((each.requires - true) | (each.excludes - false)):
                return open_facts[0]
        return None

    def _bound(self, true: frozenset[str], false: frozenset[str]) -> Decimal:
        """No lower net amount is reachable: that of all discounts that may still apply."""
        possible = [each for each in self._discounts if not each.requires & false and not each.excludes & true]
        return self._net(possible, self._relaxed, self._slack)

    def _reach(self, true: frozenset[str]) -> None:
        """Everything is decided: what does it leave?"""
        net = self._net([each for each in self._discounts if _holds(each, true)], self._policy)
        if self.lowest is None or net < self.lowest:
            self.lowest, self.facts = net, true

    def _net(self, discounts: Iterable[Conditional], policy: Policy, slack: Decimal = Decimal(0)) -> Decimal:
        self.evaluations += 1
        if self.evaluations > self._most:
            facts = {fact for each in self._discounts for fact in each.requires | each.excludes}
            raise SearchTooLarge(
                f"{len(self._discounts)} discounts over {len(facts)} facts take more than {self._most} evaluations: "
                "ask about fewer discounts at once"
            )
        lines = [self._line]
        [left] = left_of(lines, applied(lines, [each.candidate for each in discounts], policy, self._currency))
        return rounded(left - slack, self._currency, policy.rounding)


def _holds(discount: Conditional, true: frozenset[str]) -> bool:
    return discount.requires <= true and not discount.excludes & true


def _is_for(discount: Conditional, line: Line) -> bool:
    """Whether a discount could apply to a line at all."""
    candidate = discount.candidate
    reachable = not candidate.refused and not discount.requires & discount.excludes
    return reachable and (candidate.lines is None or line.key in candidate.lines)


def _with_enough_bought(discount: Conditional) -> Conditional:
    candidate = discount.candidate
    if candidate.bought is None:
        return discount
    return discount._replace(candidate=candidate._replace(rule=candidate.rule._replace(buy=0), bought=None))
