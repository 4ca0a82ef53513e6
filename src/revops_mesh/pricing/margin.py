"""Margin and markup, two names for one difference: margin is its part of the price, markup its part of the cost.

Rates are decimals: 20 % markup on a cost of 4.68 make 5.616, a margin of 16.67 %; a margin of 20 % takes a price of 5.85.
Results have 12 decimals; prices and costs are in one currency.
"""

from decimal import Decimal, localcontext

from revops_mesh.numbers.money import EXACT, InvalidNumber, intermediate


def margin_rate(price: Decimal, cost: Decimal) -> Decimal | None:
    """(price − cost) ÷ price, at most 1; negative below cost. None at price 0, where it is undefined."""
    return _ratio(price, cost, price)


def markup_rate(price: Decimal, cost: Decimal) -> Decimal | None:
    """(price − cost) ÷ cost, at least −1. None at cost 0, where it is undefined."""
    return _ratio(price, cost, cost)


def price_at_margin(cost: Decimal, rate: Decimal) -> Decimal:
    """The price of which the margin is this part, 0 to below 1."""
    if not rate.is_finite() or not 0 <= rate < 1:
        raise InvalidNumber("margin_rate", f"must be from 0 to below 1, got {rate}")
    with localcontext(EXACT):
        return intermediate(_at_least_zero(cost, "cost") / (1 - rate))


def price_at_markup(cost: Decimal, rate: Decimal) -> Decimal:
    """The cost and this part of it, at least 0."""
    with localcontext(EXACT):
        return intermediate(_at_least_zero(cost, "cost") * (1 + _at_least_zero(rate, "markup_rate")))


def margin_of_markup(rate: Decimal) -> Decimal:
    """The margin that a markup makes: 0.2 makes 0.166666666667. At least 0, below 1."""
    with localcontext(EXACT):
        return intermediate(_at_least_zero(rate, "markup_rate") / (1 + rate))


def markup_of_margin(rate: Decimal) -> Decimal:
    """The markup that makes a margin, 0 to below 1: 0.2 takes 0.25."""
    if not rate.is_finite() or not 0 <= rate < 1:
        raise InvalidNumber("margin_rate", f"must be from 0 to below 1, got {rate}")
    with localcontext(EXACT):
        return intermediate(rate / (1 - rate))


def _ratio(price: Decimal, cost: Decimal, of: Decimal) -> Decimal | None:
    _at_least_zero(price, "price")
    _at_least_zero(cost, "cost")
    if not of:
        return None
    with localcontext(EXACT):
        return intermediate((price - cost) / of)


def _at_least_zero(value: Decimal, field: str) -> Decimal:
    if not value.is_finite() or value < 0:
        raise InvalidNumber(field, f"must be at least 0, got {value}")
    return value
