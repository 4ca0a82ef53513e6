"""Which discounts apply to which lines, and what each takes off: the four stacking modes, exact and unrounded.

Call everything here inside `localcontext(EXACT)`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from revops_mesh.pricing.stacking.outcome import Why
from revops_mesh.pricing.stacking.policy import ADDITIVE, BEST_OF, EXCLUSIVE, Candidate, Line, Policy
from revops_mesh.pricing.stacking.rules import Share, taken

_ZERO = Decimal(0)


class Applied(NamedTuple):
    """What became of one candidate: what it takes off lines by their position, above 0."""

    candidate: Candidate
    why: Why
    taken: Mapping[int, Decimal] = {}
    by: str = ""
    detail: str = ""


def applied(lines: Sequence[Line], ordered: Sequence[Candidate], policy: Policy, currency: str) -> list[Applied]:
    """What becomes of each candidate, in their order. Raises InvalidNumber for amounts that are not whole minor units."""
    if policy.mode in (BEST_OF, EXCLUSIVE):
        contenders = [_contend(lines, lists(lines), each, policy, currency) for each in ordered]
        return list(_won(contenders, policy))
    left = lists(lines)
    results = []
    for candidate in ordered:
        result = _contend(lines, left, candidate, policy, currency)
        for position, amount in result.taken.items():
            left[position] -= amount
        results.append(result)
    return results


def lists(lines: Sequence[Line]) -> list[Decimal]:
    """The list amounts."""
    return [line.list_amount for line in lines]


def left_of(lines: Sequence[Line], results: Sequence[Applied]) -> list[Decimal]:
    """What all discounts leave of each line, from its floor to its list amount, unrounded."""
    left = lists(lines)
    for result in results:
        for position, amount in result.taken.items():
            left[position] -= amount
    return left


def alone(lines: Sequence[Line], candidate: Candidate, currency: str) -> Decimal:
    """What a candidate would take off by itself, from list amounts and without floors."""
    return sum(_shares(lines, lists(lines), candidate, currency).values(), _ZERO)


def _contend(lines: Sequence[Line], left: Sequence[Decimal], candidate: Candidate, policy: Policy, currency: str) -> Applied:
    """What a candidate takes off of what is left, as if it were the next."""
    if candidate.refused:
        return Applied(candidate, Why.CONDITIONS, detail=candidate.refused)
    base = lists(lines) if policy.mode == ADDITIVE else left
    shares = _shares(lines, base, candidate, currency)
    if not shares:
        return Applied(candidate, Why.NO_LINE)
    if not any(shares.values()):
        exhausted = all(base[position] <= _floor(lines[position]) for position in shares)
        return Applied(candidate, Why.NOTHING_LEFT if exhausted else Why.NO_EFFECT)
    why = Why.APPLIED
    for position, share in shares.items():
        floor = _floor(lines[position])
        room = left[position] - floor
        if share <= room:
            continue
        if floor and policy.refuses_below_floor:
            return Applied(candidate, Why.BELOW_FLOOR, detail=lines[position].key)
        shares[position] = room
        if floor or why is Why.APPLIED:
            why = Why.CUT_TO_FLOOR if floor else Why.CUT_TO_ZERO
    given = {position: share for position, share in shares.items() if share}
    return Applied(candidate, why if given else Why.NOTHING_LEFT, given)


def _won(contenders: Sequence[Applied], policy: Policy) -> Iterator[Applied]:
    """What is left of each contender where only one may win."""
    winners = _by_document(contenders, policy) if policy.by_document else _by_line(contenders, policy)
    lost = Why.OUTDONE if policy.mode == BEST_OF else Why.OVERRIDDEN
    for each in contenders:
        if not each.taken:
            yield each
            continue
        own = {position: share for position, share in each.taken.items() if winners[position] is each}
        if own:
            yield each._replace(taken=own)
        else:
            winner = winners[next(iter(each.taken))]
            yield Applied(each.candidate, lost, by=winner.candidate.key)


def _by_document(contenders: Sequence[Applied], policy: Policy) -> Mapping[int, Applied]:
    """One winner for every line."""
    winner = _first(contenders, policy, lambda each: sum(each.taken.values(), _ZERO))
    return {position: winner for each in contenders for position in each.taken} if winner else {}


def _by_line(contenders: Sequence[Applied], policy: Policy) -> Mapping[int, Applied]:
    """The winner of each line."""
    positions = {position for each in contenders for position in each.taken}
    found = {
        position: _first(contenders, policy, lambda each, on=position: each.taken.get(on, _ZERO))  # type: ignore[misc]
        for position in positions
    }
    return {position: winner for position, winner in found.items() if winner}


def _first(contenders: Sequence[Applied], policy: Policy, worth: Callable[[Applied], Decimal]) -> Applied | None:
    """The contender that takes most off, the first of equals; under EXCLUSIVE_OVERRIDE the first that takes anything off."""
    able = [each for each in contenders if worth(each)]
    if policy.mode == EXCLUSIVE:
        return next(iter(able), None)
    return max(able, key=worth, default=None)


def _shares(lines: Sequence[Line], base: Sequence[Decimal], candidate: Candidate, currency: str) -> dict[int, Decimal]:
    """What the rule of a candidate takes off each line that it is for, by the position of the line."""
    keys, bought = candidate.lines, None
    positions = [i for i, line in enumerate(lines) if line.quantity and (keys is None or line.key in keys)]
    if candidate.bought is not None:
        bought = sum((line.quantity for line in lines if line.key in candidate.bought), _ZERO)
    of = [Share(lines[position].quantity, base[position]) for position in positions]
    return dict(zip(positions, taken(candidate.rule, of, bought, currency), strict=True))


def _floor(line: Line) -> Decimal:
    """What no discount undercuts: a list amount below the floor stays as it is."""
    return min(line.floor, line.list_amount)
