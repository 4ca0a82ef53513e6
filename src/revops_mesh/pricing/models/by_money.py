"""Charge models that take a part of an amount of money: percentage and graduated percentage.

Rates are decimals, 0.012 is 1.2 %. Amounts are in the currency of the charge.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from revops_mesh.numbers.money import InvalidNumber, decimal_text, money_text
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.terms import Basis, Terms, needed
from revops_mesh.pricing.tiers import money_by_band

_ZERO = Decimal(0)


class _Charged(NamedTuple):
    """What of an amount of money is not free, and how many of its events are not."""

    whole: Decimal
    free: Decimal
    events: int


def percentage(terms: Terms, basis: Basis, currency: str, proof: ProofBuilder | None) -> Decimal:
    """What is not free × rate + events that are not free × event amount. Raises InvalidNumber for what is missing."""
    charged = _charged(terms, basis)
    share = (charged.whole - charged.free) * terms.rate
    amount = share + charged.events * terms.event_amount
    if proof is not None:
        whole = money_text(charged.whole, currency)
        base = f"({whole} − {money_text(charged.free, currency)} free)" if charged.free else whole
        proof.step("rate", f"{base} × {decimal_text(terms.rate)}", share)
        if terms.event_amount:
            each = f"{charged.events} events × {money_text(terms.event_amount, currency)}"
            proof.step("events", f"{money_text(share, currency)} + {each}", amount)
    return amount


def graduated_percentage(terms: Terms, basis: Basis, currency: str, proof: ProofBuilder | None) -> Decimal:
    """Each band that is reached adds its money × its rate + its flat amount, within its own limits."""
    whole = _base(terms, basis)
    amount = _ZERO
    if not whole and proof is not None:
        proof.step("zero", "nothing of an amount of 0", amount)
    for band, money in money_by_band(terms.tiers, whole) if whole else ():
        before, own = amount, money * band.unit_amount + band.flat_amount
        amount = before + band.clamped(own)
        if proof is not None:
            carried = f"{money_text(before, currency)} + " if before else ""
            flat = f" + {money_text(band.flat_amount, currency)}" if band.flat_amount else ""
            limited = "" if amount == before + own else f", limited to {money_text(amount - before, currency)}"
            part = f"{money_text(money, currency)} × {decimal_text(band.unit_amount)}{flat}{limited}"
            proof.step("tier", f"tier {band.number}: {carried}{part}", amount)
    return amount


def _charged(terms: Terms, basis: Basis) -> _Charged:
    """What remains after what is free. Only the events one by one tell which of them used it up."""
    if terms.free_events or (terms.free_amount is not None and terms.event_amount):
        return _after_free_events(terms, needed(basis.event_amounts, "event_amounts", terms.model))
    whole = _base(terms, basis)
    free = _ZERO if terms.free_amount is None else min(whole, terms.free_amount)
    if not terms.event_amount:
        return _Charged(whole, free, 0)
    counted = basis.events if basis.event_amounts is None else len(basis.event_amounts)
    events = needed(counted, "events", terms.model)
    if events < 0:
        raise InvalidNumber("events", f"must be at least 0, got {events}")
    return _Charged(whole, free, events)


def _after_free_events(terms: Terms, amounts: Sequence[Decimal]) -> _Charged:
    """An event is free while both its number and the sum up to it are within what is free; one that goes beyond the free
    amount is charged for its part beyond.
    """
    whole = free = _ZERO
    charged = 0
    for number, amount in enumerate(amounts, 1):
        whole += _at_least_zero(amount, f"event_amounts[{number - 1}]")
        within = not terms.free_events or number <= terms.free_events
        if within:
            free = whole if terms.free_amount is None else min(whole, terms.free_amount)
        if not within or whole > free:
            charged += 1
    return _Charged(whole, free, charged)


def _base(terms: Terms, basis: Basis) -> Decimal:
    """The amount of money that the rate is of."""
    if basis.event_amounts is not None:
        amounts = enumerate(basis.event_amounts)
        return sum((_at_least_zero(amount, f"event_amounts[{index}]") for index, amount in amounts), _ZERO)
    return _at_least_zero(needed(basis.amount, "amount", terms.model), "amount")


def _at_least_zero(amount: Decimal, field: str) -> Decimal:
    if not amount.is_finite() or amount < 0:
        raise InvalidNumber(field, f"must be at least 0, got {amount}")
    return amount
