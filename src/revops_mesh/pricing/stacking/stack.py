"""The discounts of a document, stacked: net amounts, what became of each discount, and the proof of each line.

Nothing is rounded until all discounts are applied. Then each line, or their sum, is rounded to the minor unit, and what a
line lost is attributed to its discounts by largest remainder, so that list − discounts = net to the minor unit.

Promises. The order of the input never matters. Under ADDITIVE_ON_BASE with floors that cut, the order of the policy does
not either; nor does it among rates under SEQUENTIAL, nor under BEST_OF. No net amount is below its line's floor, or 0, or
above its list amount.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext

from revops.type.v1 import discount_pb2 as pb

from revops_mesh.numbers.apportion import apportion
from revops_mesh.numbers.money import (
    EXACT,
    InvalidNumber,
    decimal_text,
    minor_unit,
    money_text,
    rounded,
    rounding_text,
)
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.document import settled
from revops_mesh.pricing.stacking.applying import Applied, alone, applied, left_of
from revops_mesh.pricing.stacking.outcome import Outcome, Stacked, Why
from revops_mesh.pricing.stacking.policy import MODES, Candidate, Line, Policy

_ZERO = Decimal(0)


def stack(
    lines: Sequence[Line],
    candidates: Sequence[Candidate],
    policy: Policy,
    currency: str,
    proofs: Sequence[ProofBuilder] = (),
) -> Stacked:
    """The net amounts that the candidates leave of the lines, and what became of each candidate.

    `proofs`, one a line or none, already hold the way to the list amount. Steps, by code: "discount", one for each discount
    of the line, and "round". Raises InvalidNumber: keys that repeat; numbers below 0; amounts that are not whole minor
    units; UnknownCurrency.
    """
    with localcontext(EXACT):
        check_document(lines, candidates, currency)
        results = applied(lines, policy.ordered(candidates), policy, currency)
        exact = left_of(lines, results)
        nets = _nets(exact, policy, currency)
        attributed = _attributed(lines, nets, results, currency)
        outcomes = tuple(
            Outcome(
                result.candidate.key,
                result.why,
                tuple(attributed[index][number] for index in range(len(lines))),
                _ZERO if result.why is Why.CONDITIONS else alone(lines, result.candidate, currency),
                result.by,
                result.detail,
            )
            for number, result in enumerate(results)
        )
        for index, proof in enumerate(proofs):
            _prove(proof, index, lines[index], results, nets[index], policy, currency)
    return Stacked(policy.mode, nets, outcomes)


def side_by_side(
    lines: Sequence[Line], candidates: Sequence[Candidate], policy: Policy, currency: str
) -> Mapping[pb.StackingMode.ValueType, Stacked]:
    """As `stack`, under every mode."""
    return {mode: stack(lines, candidates, policy._replace(mode=mode), currency) for mode in MODES}


def check_document(lines: Sequence[Line], candidates: Sequence[Candidate], currency: str) -> None:
    """Raises InvalidNumber for what `stack` cannot use."""
    unit = minor_unit(currency)
    for index, line in enumerate(lines):
        for field, value, quantum in (
            ("quantity", line.quantity, None),
            ("list_amount", line.list_amount, unit),
            ("floor", line.floor, unit),
        ):
            if not value.is_finite() or value < 0:
                raise InvalidNumber(f"lines[{index}].{field}", f"must be at least 0, got {value}")
            if quantum is not None and value % quantum:
                raise InvalidNumber(f"lines[{index}].{field}", f"must be a multiple of {quantum}, got {value}")
    _must_be_unique([line.key for line in lines], "lines")
    _must_be_unique([candidate.key for candidate in candidates], "candidates")
    for index, candidate in enumerate(candidates):
        own = frozenset(line.key for line in lines) if candidate.lines is None else candidate.lines
        if candidate.bought is not None and own & candidate.bought:
            raise InvalidNumber(f"candidates[{index}].bought", "must be other lines than those that are discounted")
        rule = candidate.rule
        amount = rule.value if rule.kind == pb.DISCOUNT_KIND_AMOUNT and not rule.each else _ZERO
        if amount % unit or (rule.max_amount or _ZERO) % unit:
            raise InvalidNumber(f"candidates[{index}].rule", f"{candidate.key} must be in whole multiples of {unit} {currency}")


def _must_be_unique(keys: Sequence[str], field: str) -> None:
    seen: set[str] = set()
    for index, key in enumerate(keys):
        if key in seen:
            raise InvalidNumber(f"{field}[{index}].key", f"{key!r} occurs twice")
        seen.add(key)


def _nets(exact: Sequence[Decimal], policy: Policy, currency: str) -> tuple[Decimal, ...]:
    if policy.rounds_document:
        return tuple(settled(exact, currency, policy.rounding))
    return tuple(rounded(amount, currency, policy.rounding) for amount in exact)


def _attributed(lines: Sequence[Line], nets: Sequence[Decimal], results: Sequence[Applied], currency: str) -> list[list[Decimal]]:
    """What each candidate took off each line at the minor unit: for each line one amount a candidate, list − net in all."""
    unit = minor_unit(currency)
    attributed = []
    for index, (line, net) in enumerate(zip(lines, nets, strict=True)):
        amounts = [_ZERO] * len(results)
        takers = [number for number, result in enumerate(results) if index in result.taken]
        if len(takers) == 1:
            amounts[takers[0]] = line.list_amount - net
        elif takers:
            weights = [results[number].taken[index] for number in takers]
            for number, amount in zip(takers, apportion(line.list_amount - net, weights, unit), strict=True):
                amounts[number] = amount
        attributed.append(amounts)
    return attributed


def _prove(
    proof: ProofBuilder,
    index: int,
    line: Line,
    results: Sequence[Applied],
    net: Decimal,
    policy: Policy,
    currency: str,
) -> None:
    """Adds the steps of a line, from its list amount to its net amount. A step that shows the floor needs its permission."""
    left = line.list_amount
    for result in results:
        if not (amount := result.taken.get(index)):
            continue
        before, left = left, left - amount
        at_floor = result.why is Why.CUT_TO_FLOOR and left == line.floor
        cut = ", cut to the floor" if at_floor else ""
        because = f"{result.candidate.key}: {result.candidate.rule.text(currency)}{cut}"
        text = f"{money_text(before, currency)} − {money_text(amount, currency)} ({because})"
        proof.step("discount", text, left, read_permission=line.floor_permission if at_floor else "")
    if net != left:
        where = " of the document" if policy.rounds_document else ""
        proof.step("round", f"{decimal_text(left)}{where}", net, rounding_text(policy.rounding, currency))
