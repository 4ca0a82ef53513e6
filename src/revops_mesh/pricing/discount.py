"""Discounts on a line: a rate or an amount off its list amount, and two ways to stack rates.

Rates are decimals from 0 to 1 (0.15 is 15 %). Amounts are in the line's currency. What is rounded is the net amount,
once: rounding the discount instead would differ by a minor unit on halves.
"""

from collections.abc import Iterable
from decimal import Decimal, localcontext

from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import EXACT, InvalidNumber, decimal_text, money_text, rounded, rounding_text
from revops_mesh.numbers.proof import ProofBuilder


def discounted(
    list_amount: Decimal,
    rate: Decimal | None,
    amount: Decimal | None,
    currency: str,
    rounding: pricing_pb2.Rounding.ValueType = pricing_pb2.ROUNDING_UNSPECIFIED,
    proof: ProofBuilder | None = None,
) -> Decimal:
    """The net amount after a discount by `rate` or by `amount`, at the minor unit of the currency.

    Neither means no discount. Steps, by code: "discount", and "round" if rounding changed the net amount. Raises
    InvalidNumber: both given; a rate outside 0 to 1; an amount below 0 or above the list amount, which is never cut
    silently; a negative list amount.
    """
    with localcontext(EXACT):
        return net_of(list_amount, rate, amount, currency, rounding, proof)


def net_of(
    list_amount: Decimal,
    rate: Decimal | None,
    amount: Decimal | None,
    currency: str,
    rounding: pricing_pb2.Rounding.ValueType = pricing_pb2.ROUNDING_UNSPECIFIED,
    proof: ProofBuilder | None = None,
) -> Decimal:
    """As `discounted`; call it inside `localcontext(EXACT)`."""
    if not list_amount.is_finite() or list_amount < 0:
        raise InvalidNumber("list_amount", f"must be at least 0, got {list_amount}")
    if rate is not None:
        if amount is not None:
            raise InvalidNumber("discount", "must be a rate or an amount, not both")
        _check_rate(rate, "discount_rate")
        net = list_amount * (1 - rate)
    elif amount is not None:
        _check_amount(amount, list_amount)
        net = list_amount - amount
    else:
        net = list_amount
    result = rounded(net, currency, rounding)
    if proof is not None:
        listed = money_text(list_amount, currency)
        if rate is not None:
            proof.step("discount", f"{listed} × (1 − {decimal_text(rate)})", net)
        elif amount is not None:
            proof.step("discount", f"{listed} − {money_text(amount, currency)}", net)
        if result != net:
            proof.step("round", decimal_text(net), result, rounding_text(rounding, currency))
    return result


def sequential(rates: Iterable[Decimal]) -> Decimal:
    """The one rate equal to taking each rate off what the rate before left: 0.1 then 0.05 make 0.145. Order does not
    matter; the result never exceeds 1.
    """
    with localcontext(EXACT):
        left = Decimal(1)
        for index, rate in enumerate(rates):
            _check_rate(rate, f"rates[{index}]")
            left *= 1 - rate
        return 1 - left


def additive(rates: Iterable[Decimal]) -> Decimal:
    """The one rate equal to taking every rate off the base: 0.1 and 0.05 make 0.15. Raises InvalidNumber above 1."""
    with localcontext(EXACT):
        total = Decimal(0)
        for index, rate in enumerate(rates):
            _check_rate(rate, f"rates[{index}]")
            total += rate
    if total > 1:
        raise InvalidNumber("rates", f"must sum to at most 1, got {decimal_text(total)}")
    return total


def _check_rate(rate: Decimal, field: str) -> None:
    if not rate.is_finite() or not 0 <= rate <= 1:
        raise InvalidNumber(field, f"must be from 0 to 1, got {rate}")


def _check_amount(amount: Decimal, list_amount: Decimal) -> None:
    if not amount.is_finite() or amount < 0:
        raise InvalidNumber("discount_amount", f"must be at least 0, got {amount}")
    if amount > list_amount:
        raise InvalidNumber("discount_amount", f"must be at most the list amount {list_amount}, got {amount}")
