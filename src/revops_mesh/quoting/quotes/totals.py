"""The sums of a quote: what it lists, what it nets, what recurs, what it costs. Amounts are in the quote's currency.

Usage counts in none of them: what it will cost is known only when the use is metered. Everything is a sum of amounts at the
minor unit and so exact, but for the monthly recurring revenue, a quotient that is rounded once.
"""

from decimal import Decimal

from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.numbers.money import money, money_text
from revops_mesh.pricing.recurring import mrr

NOTHING = Decimal(0)


class Sums:
    """Running sums over charges that are not usage. Add inside `localcontext(EXACT)`."""

    __slots__ = ("cost", "listed", "net", "once", "recurring")

    def __init__(self) -> None:
        self.listed = NOTHING
        self.net = NOTHING
        self.once = NOTHING
        """Net of the charges that fall due once."""
        self.recurring: dict[int, Decimal] = {}
        """Net of one billing period by its months."""
        self.cost: Decimal | None = NOTHING
        """None once it is unknown for a charge."""

    def count(self, listed: Decimal, net: Decimal, months: int, cost: Decimal | None) -> None:
        """Adds a charge; `months` of its billing period are 0 for one that falls due once."""
        self.listed += listed
        self.net += net
        if months:
            self.recurring[months] = self.recurring.get(months, NOTHING) + net
        else:
            self.once += net
        self.cost = None if self.cost is None or cost is None else self.cost + cost

    def include(self, other: "Sums") -> None:
        """Adds the sums of a line."""
        self.listed += other.listed
        self.net += other.net
        self.once += other.once
        for months, net in other.recurring.items():
            self.recurring[months] = self.recurring.get(months, NOTHING) + net
        self.cost = None if self.cost is None or other.cost is None else self.cost + other.cost


def totals(sums: Sums, currency: str) -> pb.QuoteTotals:
    """The sums of all lines as the contract states them. Raises InvalidNumber beyond the digits of Money."""

    def text(value: Decimal) -> str:
        return money_text(value, currency)

    return pb.QuoteTotals(
        list_amount=money(sums.listed, currency).amount,
        discount_total=text(sums.listed - sums.net),
        net_amount=money(sums.net, currency),
        one_time=text(sums.once),
        recurring=text(sums.net - sums.once),
        mrr=text(mrr(((net, months) for months, net in sums.recurring.items()), currency)),
        cost="" if sums.cost is None else text(sums.cost),
        margin="" if sums.cost is None else text(sums.net - sums.cost),
    )
