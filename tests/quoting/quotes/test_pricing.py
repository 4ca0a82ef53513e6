"""Pricing a quote: nothing is lost from a charge to the total, whatever the discount, the currency and the period."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from revops.catalog.v1 import price_books_pb2 as books
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import BadField, Broken, Failure
from revops_mesh.numbers.money import minor_unit
from revops_mesh.numbers.proof import verify
from revops_mesh.quoting.quotes import pricing
from revops_mesh.quoting.quotes.domain import Quote
from tests.quoting.quotes.offers import NOW, ONE_TIME, RECURRING, USAGE, Charged, answered, drafted, line, offer, plan, prices


def decimals(places: int, most: int = 10_000) -> st.SearchStrategy[str]:
    return st.decimals(0, most, places=places).map(lambda value: f"{value:f}")


@st.composite
def charges(draw: st.DrawFn) -> Charged:
    kind = draw(st.sampled_from([ONE_TIME, RECURRING, RECURRING, USAGE]))
    cost = draw(st.just("") | decimals(4))
    return Charged(draw(decimals(4)), kind, draw(st.sampled_from([1, 3, 7, 12])), cost, by_document=draw(st.booleans()))


@st.composite
def priced_quotes(draw: st.DrawFn) -> Quote:
    """A draft of up to five lines, each with charges of its own and no discount, a rate or an amount."""
    currency = draw(st.sampled_from(["EUR", "JPY", "BHD"]))
    plans = draw(st.lists(st.lists(charges(), min_size=1, max_size=4), min_size=1, max_size=5))
    quantities = [draw(st.decimals("0.000001", 1000, places=6)) for _ in plans]
    lines = [line(f"p{i}", f"{quantity:f}") for i, quantity in enumerate(quantities)]
    plain = Quote.draft("quotes/q", offer(*lines, currency=currency), answered(offer(*lines, currency=currency), plans))
    for each, listed in zip(lines, plain.state.lines, strict=True):
        discount = draw(st.sampled_from(["none", "rate", "amount"]))
        if discount == "rate":
            each.discount_rate = f"{draw(st.decimals(0, 1, places=6)):f}"
        elif discount == "amount":
            unit = minor_unit(currency)
            each.discount_amount = f"{draw(st.integers(0, int(Decimal(listed.list_amount) / unit))) * unit:f}"
    wanted = offer(*lines, currency=currency)
    return Quote.draft("quotes/q", wanted, answered(wanted, plans))


@given(priced_quotes())
@settings(max_examples=80, deadline=None)
def test_parts_sum_to_wholes_at_every_level(quote: Quote) -> None:
    quote.check()
    state, totals, unit = quote.state, quote.state.totals, minor_unit(quote.state.currency_code)
    fees = [c for each in state.lines for c in each.charges if c.type != USAGE]

    def total(of: str) -> Decimal:
        return sum((Decimal(getattr(c, of)) for c in fees), Decimal(0))

    assert total("list_amount") == Decimal(totals.list_amount)
    assert total("discount_total") == Decimal(totals.discount_total)
    assert total("net_amount") == Decimal(totals.net_amount.amount)
    assert Decimal(totals.one_time) + Decimal(totals.recurring) == Decimal(totals.net_amount.amount)
    assert all(0 <= Decimal(c.net_amount) <= Decimal(c.list_amount) and Decimal(c.net_amount) % unit == 0 for c in fees)
    assert all(verify(c.proof) and c.proof.result == c.net_amount for each in state.lines for c in each.charges)


@given(priced_quotes())
@settings(max_examples=50, deadline=None)
def test_an_amount_is_taken_off_to_the_minor_unit_and_a_rate_off_every_charge(quote: Quote) -> None:
    unit = minor_unit(quote.state.currency_code)
    for each in quote.state.lines:
        kind = each.WhichOneof("discount")
        if kind is None:
            assert Decimal(each.discount_total) == 0
        elif kind == "discount_amount":
            assert Decimal(each.discount_total) == Decimal(each.discount_amount)
        else:
            for charge in each.charges:
                exact = Decimal(charge.list_amount) * Decimal(each.discount_rate)
                assert abs(Decimal(charge.discount_total) - exact) <= unit / 2


@given(priced_quotes())
@settings(max_examples=50, deadline=None)
def test_cost_and_margin_are_known_exactly_if_every_charge_says_its_cost(quote: Quote) -> None:
    totals = quote.state.totals
    known = all(each.cost for each in quote.state.lines)
    assert bool(totals.cost) == bool(totals.margin) == known
    if known:
        assert Decimal(totals.cost) == sum(Decimal(each.cost) for each in quote.state.lines)
        assert Decimal(totals.margin) == Decimal(totals.net_amount.amount) - Decimal(totals.cost)


def test_a_discount_in_an_amount_is_spread_by_list_amounts() -> None:
    quote = drafted(line(quantity="1", discount_amount="100"), charges=(Charged("100"), Charged("100"), Charged("100", ONE_TIME)))
    assert [c.discount_total for c in quote.state.lines[0].charges] == ["33.34", "33.33", "33.33"]
    assert quote.state.totals.one_time == "66.67"
    assert [s.code for s in quote.state.lines[0].charges[0].proof.steps] == ["list", "share", "discount"]


def test_usage_is_pinned_and_counts_nowhere() -> None:
    usage = Charged("0.05", USAGE, cost="")
    state = drafted(line(quantity="1000", discount_rate="0.1"), charges=(Charged("4", cost="1"), usage)).state
    pinned = state.lines[0].charges[1]
    assert (pinned.list_amount, pinned.net_amount, pinned.pricing.amount) == ("0.00", "0.00", "0.05")
    assert (state.totals.net_amount.amount, state.totals.mrr, state.totals.cost) == ("3600.00", "3600.00", "1000.00")
    assert pinned.proof.steps[-1].code == "usage"


def test_an_amount_takes_nothing_off_usage() -> None:
    state = drafted(line(quantity="1", discount_amount="5"), charges=(Charged("10"), Charged("90", USAGE))).state
    assert [c.discount_total for c in state.lines[0].charges] == ["5.00", "0.00"]


def test_a_proof_tells_the_whole_way_from_the_entry_to_the_net_amount() -> None:
    (charge,) = drafted(line(quantity="3", discount_rate="0.15"), charges=(Charged("3.33"),)).state.lines[0].charges
    assert [(s.code, s.value, s.rounding) for s in charge.proof.steps] == [
        ("list", "9.99", ""),
        ("discount", "8.4915", ""),
        ("round", "8.49", "HALF_UP 0.01"),
    ]
    assert charge.proof.steps[0].expression.endswith("3 × 3.33")
    assert (charge.proof.subject, charge.proof.rule) == ("quotes/q/lines/1/charges/c0", "priceBooks/list/entries/e1")


def test_the_steps_of_a_cost_do_not_reach_the_proof_of_a_net_amount() -> None:
    wanted = offer(line())
    found = prices(wanted)
    found.plans[0].charges[0].proof.steps.add(
        code="cost", expression="10 × 1.23", value="12.3", read_permission="catalog.costs.read"
    )
    assert "1.23" not in str(Quote.draft("quotes/q", wanted, found).state.lines[0].charges[0].proof)


@pytest.mark.parametrize(("discount", "listed"), [("40.01", "40.00"), ("1000000", "40.00")])
def test_a_discount_above_the_list_amount_is_refused(discount: str, listed: str) -> None:
    with pytest.raises(Failure) as refused:
        drafted(line(discount_amount=discount))
    assert refused.value.reason == "QUOTE_DISCOUNT_TOO_LARGE"
    assert refused.value.metadata == {"line": "1", "list_amount": listed, "discount": discount}


def test_a_discount_in_fractions_of_the_minor_unit_is_refused_at_its_field() -> None:
    with pytest.raises(BadField) as refused:
        drafted(line(), line("disk", discount_amount="1.005"))
    assert refused.value.field == "quote.lines[1].discount_amount"


def test_sums_beyond_the_digits_of_money_are_refused() -> None:
    with pytest.raises(BadField) as refused:
        drafted(*(line(quantity="1") for _ in range(2)), charges=(Charged("999999999999999999"),))
    assert refused.value.field == "quote.lines"


def test_an_unknown_currency_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(BadField) as refused:
        pricing.question(offer(line(), currency="ZZZ"), NOW)
    assert refused.value.field == "quote.currency_code"


@pytest.mark.parametrize(("what", "lines", "each"), [("charges", 101, 50), ("price entries", 1, 1001)])
def test_a_quote_that_pins_more_than_it_may_hold_is_refused(what: str, lines: int, each: int) -> None:
    wanted = offer(*(line() for _ in range(lines)))
    charge = books.ChargePrice(price_entry="priceBooks/list/entries/e")
    many = [books.ChargePrice(price_entry=f"priceBooks/list/entries/{i if what != 'charges' else 0}") for i in range(each)]
    plans = [books.PlanPrice(rate_plan=plan(), charges=many or [charge]) for _ in range(lines)]
    with pytest.raises(Failure) as refused:
        pricing.price(wanted, pricing.Prices(NOW, plans))
    assert (refused.value.reason, refused.value.metadata["what"]) == ("QUOTE_TOO_LARGE", what)


def test_an_answer_that_does_not_fit_the_question_is_a_fault() -> None:
    wanted = offer(line())
    with pytest.raises(Broken, match="the catalog priced"):
        pricing.price(wanted, prices(offer(line("disk"))))
    with pytest.raises(Broken, match="in USD"):
        pricing.price(wanted, prices(offer(line(), currency="USD")))


def test_price_entries_are_listed_once_and_in_order() -> None:
    found = (Charged("1", entry="b"), Charged("2", entry="a"), Charged("3", entry="b"))
    state = drafted(line(), line("disk"), charges=found).state
    assert list(state.price_entries) == ["priceBooks/list/entries/a", "priceBooks/list/entries/b"]


def test_an_offer_without_lines_is_worth_nothing() -> None:
    state = Quote.draft("quotes/q", offer(), pricing.Prices(NOW, ())).state
    assert (state.totals.net_amount.amount, state.totals.mrr, state.totals.margin) == ("0.00", "0.00", "0.00")
    assert isinstance(state, pb.Quote)


def test_list_amounts_that_are_rounded_by_document_sum_to_their_rounded_sum() -> None:
    lines = [line(f"p{i}", "1") for i in range(3)]
    quote = drafted(*lines, charges=(Charged("0.375", by_document=True),))
    assert [each.list_amount for each in quote.state.lines] == ["0.38", "0.38", "0.37"]
    assert quote.state.totals.list_amount == "1.13"
    assert [step.code for step in quote.state.lines[0].charges[0].proof.steps] == ["list", "document"]
    quote.check()
