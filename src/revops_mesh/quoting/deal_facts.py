"""Facts of a deal: what a quote comes down to for those who have to agree to it.

Amounts are decimals in the currency of the deal. Rates are shares with 6 decimals, rounded to the careful side: discounts up,
margins down. So a rule never overlooks what rounding would hide.
"""

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_UP, Decimal
from typing import Any

from revops.quoting.v1 import deal_facts_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.numbers.money import EXACT, amount_text, decimal_text

QUANTUM = Decimal("0.000001")
"""Of a rate."""
LOWEST_MARGIN = Decimal(-1)
"""Stands for any margin rate below it, and for one that is not known."""
ZERO = Decimal(0)
MOST_KEPT = 5
"""Lines of a kind that are kept with an approval."""


def number(text: str) -> Decimal:
    """The decimal of a fact; an empty one is 0."""
    return Decimal(text) if text else ZERO


def facts_of(quote: quotes.Quote) -> pb.DealFacts:
    """The facts of a quote as it is. Families, special terms, days of payment and people are not known from it
    and stay empty."""
    facts = pb.DealFacts(
        subject=quote.name,
        version=quote.version,
        account=quote.account,
        partner=quote.partner,
        currency_code=quote.currency_code,
        mrr=quote.totals.mrr,
        term_months=quote.term_months,
        lines=[_line_of(line) for line in quote.lines],
    )
    return summed(facts, {line.line_id: line.cost for line in quote.lines})


def _line_of(line: quotes.QuoteLine) -> pb.LineFacts:
    product = line.rate_plan.partition("/ratePlans/")[0]
    found = pb.LineFacts(line_id=line.line_id, product=product, quantity=line.quantity)
    found.list_amount, found.net_amount = line.list_amount or "0", line.net_amount or "0"
    # A stated rate counts as stated: what rounding to the minor unit makes of it is no discount, and usage has it, too.
    if line.WhichOneof("discount") == "discount_rate":
        found.discount_rate = line.discount_rate
    return found


def summed(facts: pb.DealFacts, costs: Mapping[str, str]) -> pb.DealFacts:
    """The facts with all that follows from their lines and from what these cost, by line id; a rate that a line states stays."""
    lines = facts.lines
    for line in lines:
        rate = number(line.discount_rate) or discount_rate(number(line.list_amount), number(line.net_amount))
        line.discount_rate = decimal_text(rate)
    listed, net = (sum((number(getattr(line, of)) for line in lines), ZERO) for of in ("list_amount", "net_amount"))
    largest = max((number(line.discount_rate) for line in lines), default=ZERO)
    facts.line_count = len(lines)
    facts.list_amount, facts.net_amount = (amount_text(each, facts.currency_code) for each in (listed, net))
    facts.discount_total = amount_text(listed - net, facts.currency_code)
    facts.max_line_discount_rate = decimal_text(largest)
    # The whole is discounted by no more than its most discounted line; only rounding to the minor unit says otherwise.
    facts.discount_rate = decimal_text(min(discount_rate(listed, net), largest))
    facts.products[:] = sorted({line.product for line in lines} - {""})
    facts.families[:] = sorted({line.family for line in lines} - {""})
    _add_margins(facts, net, costs)
    return facts


def _add_margins(facts: pb.DealFacts, net: Decimal, costs: Mapping[str, str]) -> None:
    facts.ClearField("margins")
    if not all(costs.get(line.line_id) for line in facts.lines):
        return
    margins = facts.margins
    for line in facts.lines:
        rate = margin_rate(number(line.net_amount), Decimal(costs[line.line_id]))
        margins.lines.add(line_id=line.line_id, cost=costs[line.line_id], margin_rate=decimal_text(rate))
    cost = sum((Decimal(each.cost) for each in margins.lines), ZERO)
    margins.margin_rate = decimal_text(margin_rate(net, cost))
    margins.min_line_margin_rate = decimal_text(min((Decimal(each.margin_rate) for each in margins.lines), default=ZERO))


def costs_of(facts: pb.DealFacts) -> dict[str, str]:
    """What the lines cost, by line id; empty if that is not known of all."""
    return {each.line_id: each.cost for each in facts.margins.lines}


def discount_rate(listed: Decimal, net: Decimal) -> Decimal:
    """What was taken off as a share of the amount before, rounded up; 0 of nothing."""
    return EXACT.divide(listed - net, listed).quantize(QUANTUM, ROUND_UP, EXACT) if listed else ZERO


def margin_rate(net: Decimal, cost: Decimal) -> Decimal:
    """What is left of the net amount as a share of it, rounded down, at least -1; of a gift -1 if it costs anything, else 0."""
    if net <= 0:
        return LOWEST_MARGIN if cost > net else ZERO
    share = EXACT.divide(net - cost, net)
    return max(LOWEST_MARGIN, share.quantize(QUANTUM, ROUND_FLOOR if share < 0 else ROUND_DOWN, EXACT))


def kept(facts: pb.DealFacts) -> pb.DealFacts:
    """A copy as an approval keeps it: of the lines the most discounted and those of the least margin, in their order."""
    copy = pb.DealFacts()
    copy.CopyFrom(facts)
    discounted = sorted(facts.lines, key=lambda line: number(line.discount_rate), reverse=True)
    thin = sorted(facts.margins.lines, key=lambda line: number(line.margin_rate))
    worst = {line.line_id for line in discounted[:MOST_KEPT]} | {line.line_id for line in thin[:MOST_KEPT]}
    several: list[Any] = [copy.lines, copy.margins.lines] if facts.HasField("margins") else [copy.lines]
    for lines in several:
        left = [line for line in lines if line.line_id in worst]
        del lines[:]
        lines.extend(left)
    return copy
