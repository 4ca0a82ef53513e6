"""Discount rules: what one discount takes off lines, without conditions, without others, without floors.

Rates are decimals from 0 to 1. Amounts are in the currency of the document; what is taken is exact, except that an amount
across lines is spread in whole minor units.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from revops.type.v1 import discount_pb2 as pb

from revops_mesh.numbers.apportion import apportion
from revops_mesh.numbers.money import decimal_text, intermediate, minor_unit, money_text
from revops_mesh.pricing.violations import InvalidTerms, Violation, check_decimal

_ZERO, _ONE = Decimal(0), Decimal(1)
_KINDS = {
    "rate": pb.DISCOUNT_KIND_RATE,
    "amount": pb.DISCOUNT_KIND_AMOUNT,
    "fixed_price": pb.DISCOUNT_KIND_FIXED_PRICE,
    "buy_x_get_y": pb.DISCOUNT_KIND_BUY_X_GET_Y,
}


class InvalidRule(InvalidTerms):
    """A rule or a stacking policy that its check finds fault with; `violations` lists every fault."""


class Rule(NamedTuple):
    """A rule that passed `check`, its numbers parsed."""

    kind: pb.DiscountKind.ValueType
    level: pb.DiscountLevel.ValueType
    value: Decimal
    """The rate, the amount or the fixed price; of buy-X-get-Y the rate."""
    each: bool
    buy: int
    """Of buy-X-get-Y; 0 if enough is bought whatever the document says."""
    get: int
    max_times: int
    max_quantity: Decimal | None
    max_amount: Decimal | None

    def text(self, currency: str) -> str:
        """What it takes off, as a person would write it: "5 % off" is "0.05 off"."""
        if self.kind == pb.DISCOUNT_KIND_BUY_X_GET_Y:
            bought = f"buy {self.buy}, " if self.buy else ""
            return f"{bought}get {self.get} at {decimal_text(self.value)} off"
        if self.kind == pb.DISCOUNT_KIND_RATE:
            return f"{decimal_text(self.value)} off"
        if self.kind == pb.DISCOUNT_KIND_FIXED_PRICE:
            return f"{money_text(self.value, currency)} a unit"
        return f"{money_text(self.value, currency)} off {'each unit' if self.each else 'across lines'}"


class Share(NamedTuple):
    """What a rule sees of a line: units above 0, and the amount that it takes its part of."""

    quantity: Decimal
    amount: Decimal


def check(rule: pb.DiscountRule) -> list[Violation]:
    """Everything that is wrong with a rule; empty if it can be used."""
    kind = rule.WhichOneof("value")
    if kind is None:
        return [Violation("value", "must be a rate, an amount, a fixed price or buy-X-get-Y")]
    found = [
        *check_decimal(rule.rate, "rate", most=_ONE),
        *check_decimal(rule.amount, "amount", positive=True),
        *check_decimal(rule.fixed_price, "fixed_price"),
        *check_decimal(rule.max_quantity, "max_quantity", positive=True),
        *check_decimal(rule.max_amount, "max_amount", positive=True),
    ]
    if kind != "buy_x_get_y" and not getattr(rule, kind):
        found.append(Violation(kind, "must be a decimal"))
    if rule.allocation and kind != "amount":
        found.append(Violation("allocation", "is only used beside amount; leave it empty"))
    each = rule.allocation == pb.DISCOUNT_ALLOCATION_EACH
    if rule.max_quantity and (kind == "buy_x_get_y" or (kind == "amount" and not each)):
        found.append(Violation("max_quantity", "is only used beside rate, fixed_price and an amount EACH; leave it empty"))
    if rule.allocation not in pb.DiscountAllocation.values():
        found.append(Violation("allocation", "must be ACROSS or EACH"))
    if rule.level not in pb.DiscountLevel.values():
        found.append(Violation("level", "must be LINE, ORDER or ACCOUNT"))
    if kind == "buy_x_get_y":
        found += _check_buy(rule.buy_x_get_y)
    return found


def parsed(rule: pb.DiscountRule) -> Rule:
    """The parsed numbers of a rule. Raises InvalidRule."""
    if violations := check(rule):
        raise InvalidRule(violations)
    kind = rule.WhichOneof("value") or ""
    offer = rule.buy_x_get_y
    return Rule(
        kind=_KINDS[kind],
        level=rule.level or pb.DISCOUNT_LEVEL_LINE,
        value=Decimal(offer.rate or 1) if kind == "buy_x_get_y" else Decimal(getattr(rule, kind)),
        each=rule.allocation == pb.DISCOUNT_ALLOCATION_EACH,
        buy=offer.buy_quantity,
        get=offer.get_quantity,
        max_times=offer.max_times,
        max_quantity=Decimal(rule.max_quantity) if rule.max_quantity else None,
        max_amount=Decimal(rule.max_amount) if rule.max_amount else None,
    )


def taken(rule: Rule, lines: Sequence[Share], bought: Decimal | None, currency: str) -> list[Decimal]:
    """What a rule takes off each of its lines, from 0 to the line's amount; call it inside `localcontext(EXACT)`.

    `bought` counts the units of other lines that buy-X-get-Y asks for, None if its own lines are both bought and
    discounted. Raises InvalidNumber for an amount or a limit that is no multiple of the minor unit.
    """
    if rule.kind == pb.DISCOUNT_KIND_BUY_X_GET_Y:
        shares = _of_free_units(rule, lines, bought)
    elif rule.kind == pb.DISCOUNT_KIND_AMOUNT and not rule.each:
        shares = spread(rule.value, [line.amount for line in lines], minor_unit(currency))
    else:
        shares = [_of_line(rule, line) for line in lines]
    if rule.max_amount is not None:
        shares = spread(rule.max_amount, shares, minor_unit(currency))
    return shares


def spread(total: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """Parts of a total in proportion to weights, none above its weight: the weights themselves if the total is as large.

    In whole minor units by largest remainder; a part that would exceed a weight with a fraction of one gives it up to the
    next that has room for it. Raises InvalidNumber for a total that is no multiple of the unit.
    """
    if total >= sum(weights, _ZERO):
        return list(weights)
    parts = apportion(total, weights, unit)
    spare = 0
    for index, (part, weight) in enumerate(zip(parts, weights, strict=True)):
        if part > weight:
            parts[index] = part - unit
            spare += 1
    for index, weight in enumerate(weights):
        if spare and weight - parts[index] >= unit:
            parts[index] += unit
            spare -= 1
    return parts


def _of_line(rule: Rule, line: Share) -> Decimal:
    """What a rate, a fixed price or an amount each takes off one line."""
    units = line.quantity if rule.max_quantity is None else min(line.quantity, rule.max_quantity)
    amount = _part(line, units)
    if rule.kind == pb.DISCOUNT_KIND_RATE:
        return amount * rule.value
    if rule.kind == pb.DISCOUNT_KIND_FIXED_PRICE:
        return max(amount - rule.value * units, _ZERO)
    return min(rule.value * units, amount)


def _of_free_units(rule: Rule, lines: Sequence[Share], bought: Decimal | None) -> list[Decimal]:
    """What the cheapest units cost of which so many are discounted."""
    whole = [int(line.quantity) for line in lines]
    left = _discounted_units(rule, sum(whole), bought)
    shares = [_ZERO] * len(lines)
    for index in sorted(range(len(lines)), key=lambda each: lines[each].amount / lines[each].quantity):
        units = min(left, whole[index])
        left -= units
        shares[index] = _part(lines[index], Decimal(units)) * rule.value
    return shares


def _part(line: Share, units: Decimal) -> Decimal:
    """What so many units of a line amount to. Of all of them exactly the amount: a quotient would leave a fraction."""
    return line.amount if units == line.quantity else min(intermediate(line.amount * units / line.quantity), line.amount)


def _discounted_units(rule: Rule, units: int, bought: Decimal | None) -> int:
    if bought is None:
        sets, rest = divmod(units, rule.buy + rule.get)
        discounted = sets * rule.get + max(rest - rule.buy, 0)
    else:
        discounted = min(int(bought) // rule.buy * rule.get, units)
    return min(discounted, rule.max_times * rule.get) if rule.max_times else discounted


def _check_buy(offer: pb.BuyXGetY) -> list[Violation]:
    found = list(check_decimal(offer.rate, "buy_x_get_y.rate", positive=True, most=_ONE))
    for field, least in (("buy_quantity", 1), ("get_quantity", 1), ("max_times", 0)):
        if getattr(offer, field) < least:
            found.append(Violation(f"buy_x_get_y.{field}", f"must be at least {least}, got {getattr(offer, field)}"))
    return found
