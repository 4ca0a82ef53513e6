"""That nothing is lost between a charge and the total: parts sum to wholes to the minor unit, at every level.

It counts in whole minor units, so it shares no arithmetic with what it checks. Raises `Broken`.
"""

from functools import cache
from math import lcm

from revops.catalog.v1 import products_pb2 as products
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import Broken
from revops_mesh.numbers.money import minor_unit


def verify(quote: pb.Quote) -> None:
    """Checks the sums of every line and of the quote."""
    digits, totals, unknown = _digits(quote.currency_code), quote.totals, False
    listed = net = once = recurring = cost = 0
    by_months: dict[int, int] = {}
    for line in quote.lines:
        line_listed, line_net = _line(line, digits, by_months)
        listed += line_listed
        net += line_net
        if text := line.cost:
            cost += _units(text, digits)
        else:
            unknown = True
    once, recurring = by_months.pop(0, 0), sum(by_months.values())
    said = (totals.list_amount, totals.discount_total, totals.net_amount.amount, totals.one_time, totals.recurring)
    if tuple(_units(text, digits) for text in said) != (listed, listed - net, net, once, recurring):
        raise Broken(f"the lines sum to {(listed, listed - net, net, once, recurring)} minor units, the totals say {said}")
    if net != once + recurring or totals.net_amount.currency_code != quote.currency_code:
        raise Broken(f"net {net} is not {once} once and {recurring} recurring in {quote.currency_code}")
    if unknown != (not totals.cost) or unknown != (not totals.margin):
        raise Broken("cost and margin must be known exactly if every line's cost is")
    if totals.cost and (_units(totals.cost, digits), _units(totals.margin, digits)) != (cost, net - cost):
        raise Broken(f"the lines cost {cost} minor units, the totals say {totals.cost} and a margin of {totals.margin}")
    common = lcm(*by_months) if by_months else 1
    exact = sum(amount * common // months for months, amount in by_months.items())
    if not -common <= 2 * (exact - _units(totals.mrr, digits) * common) < common:
        raise Broken(f"{exact}/{common} minor units a month are not rounded half up to {totals.mrr}")


def _line(line: pb.QuoteLine, digits: int, by_months: dict[int, int]) -> tuple[int, int]:
    """List and net amount of a line; its charges' net amounts are added by the months of their period, 0 for one-time."""
    listed, net, line_id = 0, 0, line.line_id
    for charge in line.charges:
        key, amount = charge.charge_key, charge.net_amount
        charge_listed, left = _units(charge.list_amount, digits), _units(amount, digits)
        taken = _units(charge.discount_total, digits)
        if charge_listed - taken != left or not 0 <= left <= charge_listed:
            raise Broken(f"{key} lists {charge_listed}, takes {taken} off and leaves {left} minor units")
        if charge.type == products.Charge.TYPE_USAGE:
            if charge_listed:
                raise Broken(f"{charge.charge_key} is usage and has an amount before it is metered")
        else:
            months = charge.billing_period_months
            by_months[months] = by_months.get(months, 0) + left
        if key != f"{line_id}/{charge.charge.rpartition('/')[2]}":
            raise Broken(f"{key} is not the key of {charge.charge} in line {line_id}")
        if charge.proof.result != amount:
            raise Broken(f"{key} nets {amount} and proves {charge.proof.result}")
        listed += charge_listed
        net += left
    said = _units(line.list_amount, digits), _units(line.discount_total, digits), _units(line.net_amount, digits)
    if said != (listed, listed - net, net):
        raise Broken(f"the charges of line {line.line_id} sum to {(listed, listed - net, net)} minor units, it says {said}")
    return listed, net


@cache
def _digits(currency: str) -> int:
    return -int(minor_unit(currency).as_tuple().exponent)


def _units(text: str, digits: int) -> int:
    """An amount in whole minor units: "12.50" with 2 digits is 1250."""
    whole, _, decimals = text.partition(".")
    if len(decimals) != digits or not whole:
        raise Broken(f"{text!r} is no amount with {digits} decimals")
    return int(whole + decimals)
