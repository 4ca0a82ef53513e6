"""The monthly recurring revenue, and the check that would find a lost minor unit anywhere."""

from collections.abc import Callable

import pytest
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import Broken
from tests.quoting.quotes.offers import ONE_TIME, Charged, drafted, line


def test_monthly_revenue_is_not_rounded_charge_by_charge() -> None:
    state = drafted(line(quantity="1"), charges=tuple(Charged("0.01", months=3) for _ in range(3))).state
    assert (state.totals.recurring, state.totals.mrr) == ("0.03", "0.01")


FAULTS: dict[str, Callable[[pb.Quote], object]] = {
    "a charge nets a cent less": lambda q: setattr(q.lines[0].charges[0], "net_amount", "35.99"),
    "a charge takes a cent more off": lambda q: setattr(q.lines[0].charges[0], "discount_total", "4.01"),
    "a line lists a cent more": lambda q: setattr(q.lines[0], "list_amount", "140.01"),
    "a line nets a cent less": lambda q: setattr(q.lines[1], "net_amount", "125.99"),
    "the total nets a cent less": lambda q: setattr(q.totals.net_amount, "amount", "251.99"),
    "the total lists a cent more": lambda q: setattr(q.totals, "list_amount", "280.01"),
    "a cent moves from once to recurring": lambda q: (
        setattr(q.totals, "one_time", "179.99"),
        setattr(q.totals, "recurring", "72.01"),
    ),
    "the monthly revenue is a cent too high": lambda q: setattr(q.totals, "mrr", "24.01"),
    "the cost loses a cent": lambda q: setattr(q.totals, "cost", "39.99"),
    "the margin gains a cent": lambda q: setattr(q.totals, "margin", "212.01"),
    "the cost of a line is forgotten": lambda q: setattr(q.lines[0], "cost", ""),
    "an amount has too many decimals": lambda q: setattr(q.lines[0].charges[0], "net_amount", "36.000"),
    "an amount is missing": lambda q: setattr(q.totals, "recurring", ""),
    "a charge is lost": lambda q: q.lines[0].charges.pop(),
    "a line is lost": lambda q: q.lines.pop(),
    "a line is counted twice": lambda q: q.lines.add(line_id="9").MergeFrom(q.lines[1]),
    "a key names another charge": lambda q: setattr(q.lines[0].charges[0], "charge_key", "1/c1"),
    "a proof proves something else": lambda q: setattr(q.lines[0].charges[0].proof, "result", "36.01"),
    "usage has an amount": lambda q: setattr(q.lines[0].charges[0], "type", 3),
    "two lines share an id": lambda q: setattr(q.lines[1], "line_id", "1"),
    "the totals are in another currency": lambda q: setattr(q.totals.net_amount, "currency_code", "USD"),
    "it is priced for another account": lambda q: setattr(q.price_scope, "account", "accounts/other"),
}


def test_the_check_finds_a_cost_that_nobody_knows() -> None:
    quote = drafted(charges=(Charged("4"),))
    quote.state.totals.cost, quote.state.totals.margin = "0.00", "40.00"
    with pytest.raises(Broken, match="cost and margin"):
        quote.check()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_finds_a_lost_minor_unit_wherever_it_is(fault: str) -> None:
    charges = (Charged("4", months=3, cost="1"), Charged("10", ONE_TIME, cost="1"))
    quote = drafted(line(discount_rate="0.1"), line("disk", discount_rate="0.1"), charges=charges)
    quote.check()
    FAULTS[fault](quote.state)
    with pytest.raises(Broken):
        quote.check()
