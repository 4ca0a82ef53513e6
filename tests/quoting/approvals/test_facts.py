"""Facts of a deal: rates on the careful side, and nothing that rounding makes up."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.quoting.deal_facts import discount_rate, facts_of, kept, margin_rate
from tests.quoting.approvals.deals import deal, line
from tests.quoting.quotes.offers import ONE_TIME, USAGE, Charged, drafted
from tests.quoting.quotes.offers import line as quote_line

CENTS = st.integers(0, 10**9).map(lambda n: Decimal(n) / 100)


def test_the_facts_of_a_quote_are_its_totals_and_its_worst_line() -> None:
    quote = drafted(
        quote_line("cloud", "10", discount_rate="0.2"),
        quote_line("disk", "1", discount_amount="1.00"),
        charges=(Charged("4.00", cost="1.00"),),
        term_months=24,
    )
    facts = facts_of(quote.state)
    assert (facts.list_amount, facts.net_amount, facts.discount_total) == ("44.00", "35.00", "9.00")
    assert facts.net_amount == quote.state.totals.net_amount.amount
    assert (facts.max_line_discount_rate, facts.discount_rate) == ("0.25", "0.204546")
    assert facts.margins.margin_rate == "0.685714"  # (35 - 11) / 35
    assert facts.margins.min_line_margin_rate == "0.666666"  # (3 - 1) / 3
    assert list(facts.products) == ["products/cloud", "products/disk"]
    assert (facts.subject, facts.version, facts.term_months, facts.line_count) == ("quotes/q", 1, 24, 2)


def test_a_stated_rate_counts_as_stated_whatever_rounding_made_of_it() -> None:
    quote = drafted(quote_line(quantity="1", discount_rate="0.1"), charges=(Charged("0.06", ONE_TIME),))
    facts = facts_of(quote.state)
    assert (facts.list_amount, facts.net_amount) == ("0.06", "0.05")  # a sixth off, by rounding
    assert (facts.max_line_discount_rate, facts.discount_rate) == ("0.1", "0.1")


def test_the_discount_on_usage_counts_although_its_amount_is_not_known_yet() -> None:
    facts = facts_of(drafted(quote_line(discount_rate="0.3"), charges=(Charged("0.01", USAGE),)).state)
    assert (facts.list_amount, facts.max_line_discount_rate, facts.discount_rate) == ("0.00", "0.3", "0")


def test_a_margin_is_unknown_as_soon_as_one_cost_is() -> None:
    facts = deal(line(), line(cost=""))
    assert not facts.HasField("margins")
    assert deal(line()).margins.margin_rate == "0.6"


def test_of_the_lines_the_worst_are_kept() -> None:
    lines = [line(net=f"{100 - i}.00", cost="99.00" if i == 3 else "40.00") for i in range(20)]
    facts = deal(*lines)
    found = kept(facts)
    assert [each.discount_rate for each in found.lines] == ["0.03", "0.15", "0.16", "0.17", "0.18", "0.19"]
    assert [each.line_id for each in found.margins.lines] == [each.line_id for each in found.lines]
    assert (found.line_count, len(facts.lines)) == (20, 20)


@given(CENTS, CENTS)
def test_a_discount_is_never_rounded_down(listed: Decimal, off: Decimal) -> None:
    off = min(off, listed)
    rate = discount_rate(listed, listed - off)
    assert 0 <= rate <= 1
    assert rate * listed >= off
    assert (rate - Decimal("0.000001")) * listed < off or not rate


@given(CENTS, CENTS)
def test_a_margin_is_never_rounded_up_and_at_least_minus_one(net: Decimal, cost: Decimal) -> None:
    rate = margin_rate(net, cost)
    assert -1 <= rate <= 1
    assert rate == -1 or rate * net <= net - cost


@given(st.lists(st.tuples(CENTS, st.integers(0, 100)), min_size=1, max_size=6))
def test_the_whole_is_discounted_by_no_more_than_its_worst_line(parts: list[tuple[Decimal, int]]) -> None:
    facts = deal(*(line(f"{listed:f}", f"{listed * (100 - off) / 100:.2f}") for listed, off in parts))
    assert Decimal(facts.discount_rate) <= Decimal(facts.max_line_discount_rate)
