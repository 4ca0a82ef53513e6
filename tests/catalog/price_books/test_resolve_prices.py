"""Resolving prices: which book, which entry, whole plans only, and a proof of each amount."""

from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from revops.catalog.v1 import price_books_pb2 as pb
from revops.catalog.v1 import products_pb2 as products
from revops.type.v1 import pricing_pb2 as pricing

from revops_mesh.catalog.periods import rfc3339
from revops_mesh.catalog.price_books.precedence import SIDES
from revops_mesh.kernel.names import new_id
from revops_mesh.numbers.proof import verify
from tests.catalog.shop import VOLUME, Shop, amount, at, seat
from tests.world import World


def ask(*plans: str, **fields: Any) -> pb.ResolvePricesRequest:
    items = [pb.PriceQuery(rate_plan=plan, quantity="1") for plan in plans]
    return pb.ResolvePricesRequest(**{"items": items, "currency_code": "EUR", **fields})


async def test_a_price_tells_its_entry_numbers_amount_and_cost(shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    entry = await shop.entry(book, plan, "12.5", unit_cost="0.333")
    price = await shop.price(plan, quantity="3")
    assert (price.charge, price.price_entry, price.frozen_charge) == (entry.charge, entry.name, seat())
    assert (price.pricing, price.known_time) == (amount("12.5"), entry.known_from)
    assert (price.list_amount.amount, price.list_amount.currency_code) == ("37.50", "EUR")
    assert (price.cost.amount, price.cost.currency_code) == ("1.00", "EUR")


async def test_the_proof_says_which_book_and_entry_and_how_the_amount_came_about(shop: Shop) -> None:
    scope = pb.PriceScope(account="accounts/a1", channel="reseller")
    plan, book = await shop.plan(seat(model=VOLUME)), await shop.book(scope=scope, priority=9)
    tiers = [pricing.Tier(up_to="10", unit_amount="4"), pricing.Tier(unit_amount="3.333")]
    numbers = pricing.Pricing(model=VOLUME, tiers=tiers, tier_bound=pricing.TIER_BOUND_INCLUSIVE)
    entry = await shop.entry(book, plan, pricing=numbers, unit_cost="1")
    proof = (await shop.price(plan, quantity="11", scope=scope)).proof
    assert verify(proof)
    assert (proof.subject, proof.rule, proof.rule_version) == (entry.charge, entry.name, "1")
    assert [step.code for step in proof.steps] == ["book", "entry", "tier", "round"]
    assert proof.steps[0].expression == f"{book} for account accounts/a1, channel reseller, priority 9"
    assert proof.steps[1].expression == f"{entry.name}, known from {rfc3339(entry.known_from)}"
    assert (proof.steps[2].expression, proof.result) == ("tier 2: 11 × 3.333", "36.66")
    assert not any("cost" in step.code or step.read_permission for step in proof.steps)


async def test_answers_follow_the_items_and_charges_the_plan(shop: Shop) -> None:
    first, second = await shop.plan(seat("b"), seat("a")), await shop.plan()
    book = await shop.book()
    await shop.entry(book, first, "1", charge="a")
    await shop.entry(book, first, "2", charge="b")
    await shop.entry(book, second, "3")
    request = ask(first, second, first)
    request.items[2].quantity = "4"
    plans = (await shop.caller(request)).plans
    assert [plan.rate_plan for plan in plans] == [first, second, first]
    assert [[charge.list_amount.amount for charge in plan.charges] for plan in plans] == [
        ["2.00", "1.00"],
        ["3.00"],
        ["8.00", "4.00"],
    ]


async def test_nothing_costs_nothing(shop: Shop) -> None:
    plan = await shop.plan()
    await shop.entry(await shop.book(), plan, "7", unit_cost="2")
    price = await shop.price(plan, quantity="0")
    assert (price.list_amount.amount, price.cost.amount) == ("0.00", "0.00")


async def test_amounts_have_the_minor_unit_of_their_currency(shop: Shop) -> None:
    plan = await shop.plan()
    await shop.entry(await shop.book(currency_code="JPY"), plan, "10.5", unit_cost="0.4")
    price = await shop.price(plan, currency="JPY", quantity="3")
    assert (price.list_amount.amount, price.cost.amount) == ("32", "1")


async def test_of_two_charges_with_one_price_the_plan_has_none(shop: Shop) -> None:
    usage = seat("calls", type=products.Charge.TYPE_USAGE)
    plan, book = await shop.plan(seat(), usage), await shop.book()
    await shop.entry(book, plan)
    refusal = await shop.caller.refusal(ask(plan, valid_time=at(3)))
    assert (refusal.reason, refusal.metadata) == (
        "PRICE_MISSING",
        {"rate_plan": plan, "charge": f"{plan}/charges/calls", "currency": "EUR", "valid_time": "2025-01-04T00:00:00Z"},
    )
    await shop.entry(book, plan, "0", charge="calls")
    (priced,) = await shop.prices(plan)
    assert [charge.list_amount.amount for charge in priced.charges] == ["10.00", "0.00"]


async def test_a_price_that_takes_more_than_a_quantity_says_so(shop: Shop) -> None:
    share = seat("fee", type=products.Charge.TYPE_USAGE, model=pricing.CHARGE_MODEL_PERCENTAGE)
    plan, book = await shop.plan(share), await shop.book()
    percentage = pricing.Pricing(model=pricing.CHARGE_MODEL_PERCENTAGE, rate="0.012")
    await shop.entry(book, plan, charge="fee", pricing=percentage)
    refusal = await shop.caller.refusal(ask(plan))
    assert refusal.reason == "FIELD_INVALID"
    assert refusal.metadata["field"] == "items[0].quantity"


async def test_a_plan_that_no_book_prices_has_no_price(shop: Shop) -> None:
    priced, unpriced = await shop.plan(), await shop.plan()
    await shop.entry(await shop.book(), priced)
    refusal = await shop.caller.refusal(ask(priced, unpriced, valid_time=at(3)))
    assert (refusal.reason, refusal.metadata["rate_plan"]) == ("PRICE_MISSING", unpriced)
    assert "charge" not in refusal.metadata
    refusal = await shop.caller.refusal(ask("products/none/ratePlans/none"))
    assert (refusal.reason, refusal.metadata["rate_plan"]) == ("PRICE_MISSING", "products/none/ratePlans/none")


async def test_charges_of_one_plan_may_be_priced_by_different_books(shop: Shop) -> None:
    plan = await shop.plan(seat("a"), seat("b"))
    everybody, web = await shop.book(), await shop.book(scope=pb.PriceScope(channel="web"))
    await shop.entry(everybody, plan, "10", charge="a")
    await shop.entry(everybody, plan, "20", charge="b")
    await shop.entry(web, plan, "8", charge="a")
    (priced,) = await shop.prices(plan, scope=pb.PriceScope(channel="web"))
    assert [charge.list_amount.amount for charge in priced.charges] == ["8.00", "20.00"]


@pytest.mark.parametrize("why", ["draft", "retired", "not yet", "no longer", "currency", "scope"])
async def test_a_book_that_is_not_used_gives_no_price(shop: Shop, why: str) -> None:
    unused: dict[str, dict[str, Any]] = {
        "draft": {"active": False},
        "not yet": {"effective_from": at(6)},
        "no longer": {"effective_to": at(5)},
        "currency": {"currency_code": "USD"},
        "scope": {"scope": pb.PriceScope(region_code="FR")},
    }
    plan, book = await shop.plan(), await shop.book(**unused.get(why, {}))
    await shop.entry(book, plan)
    if why == "retired":
        await shop.caller(pb.RetirePriceBookRequest(name=book))
    request = ask(plan, valid_time=at(5), scope=pb.PriceScope(region_code="DE"))
    assert (await shop.caller.refusal(request)).reason == "PRICE_MISSING"


async def test_a_book_and_an_entry_begin_with_their_first_instant_and_end_before_their_last(shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book(effective_from=at(2), effective_to=at(9))
    await shop.entry(book, plan, valid_from=at(1), valid_to=at(5))
    await shop.entry(book, plan, valid_from=at(5), valid_to=at(20), pricing=amount("20"))
    assert (await shop.price(plan, valid_time=at(2))).list_amount.amount == "10.00"
    assert (await shop.price(plan, valid_time=at(5))).list_amount.amount == "20.00"
    for day in (1.99, 9):
        assert (await shop.caller.refusal(ask(plan, valid_time=at(day)))).reason == "PRICE_MISSING"


async def test_the_present_is_meant_when_no_instant_is_named(shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    await shop.entry(book, plan, valid_from=at(0), valid_to=at(1))
    assert (await shop.caller.refusal(ask(plan))).reason == "PRICE_MISSING"
    entry = await shop.caller(
        pb.CreatePriceEntryRequest(parent=book, price_entry=pb.PriceEntry(charge=f"{plan}/charges/seat", pricing=amount("5")))
    )
    assert (await shop.price(plan)).price_entry == entry.name


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"currency_code": "ZZZ"}, "currency_code"),
        ({"currency_code": "eur"}, "currency_code"),
        ({"valid_time": Timestamp(seconds=10**15)}, "valid_time"),
        ({"items": []}, "items"),
        ({"items": [pb.PriceQuery(rate_plan="products/p/ratePlans/m", quantity="-1")]}, "items[0].quantity"),
        ({"items": [pb.PriceQuery(rate_plan="products/p", quantity="1")]}, "items[0].rate_plan"),
        ({"scope": pb.PriceScope(region_code="de")}, "scope.region_code"),
    ],
)
async def test_a_malformed_question_is_refused_naming_the_field(shop: Shop, fields: dict[str, Any], field: str) -> None:
    refusal = await shop.caller.refusal(ask("products/p/ratePlans/m", **fields))
    assert (refusal.reason, refusal.metadata["field"]) == ("FIELD_INVALID", field)


@pytest.mark.parametrize("numbers", [{"text": "9" * 18}, {"text": "1", "unit_cost": "9" * 18}])
async def test_an_amount_beyond_eighteen_digits_is_refused_naming_the_quantity(shop: Shop, numbers: dict[str, str]) -> None:
    plan, book = await shop.plan(), await shop.book()
    entry = await shop.entry(book, plan, **numbers)
    request = ask(plan, plan)
    request.items[1].quantity = "999999999999"
    refusal = await shop.caller.refusal(request)
    assert (refusal.reason, refusal.metadata["field"]) == ("FIELD_INVALID", "items[1].quantity")
    replay = pb.ReplayPriceRequest(price_book=book, charge=entry.charge, quantity="999999999999")
    refusal = await shop.caller.refusal(replay)
    assert (refusal.reason, refusal.metadata["field"]) == ("FIELD_INVALID", "quantity")


async def test_the_longest_numbers_are_multiplied_without_loss(shop: Shop) -> None:
    plan = await shop.plan()
    await shop.entry(await shop.book(), plan, "123456789.123456789123", unit_cost="123456789.123456789123")
    price = await shop.price(plan, quantity="123456.654321")
    exact = (Decimal("123456789.123456789123") * 123456654321).scaleb(-6).quantize(Decimal("0.01"))
    assert price.list_amount.amount == price.cost.amount == str(exact)


CUSTOMER = pb.PriceScope(account="accounts/a", segment="b", channel="c", region_code="DE")
sides = {side: st.sampled_from(["", "", getattr(CUSTOMER, side), getattr(CUSTOMER, side), "XX"]) for side in SIDES}
scopes = st.builds(pb.PriceScope, **sides)
several_books = st.lists(scopes, min_size=1, max_size=3).flatmap(
    lambda few: st.lists(
        st.tuples(st.sampled_from(few), st.integers(0, 3)),
        min_size=2,
        max_size=7,
        unique_by=lambda book: (str(book[0]), book[1]),
    )
)
"""Few scopes, so that priorities decide too."""


async def test_a_more_specific_book_comes_before_a_higher_priority(shop: Shop) -> None:
    plan = await shop.plan()
    account = await shop.book(scope=pb.PriceScope(account="accounts/a"))
    rest = await shop.book(scope=pb.PriceScope(segment="b", channel="c", region_code="DE"), priority=1000)
    entry = await shop.entry(account, plan)
    await shop.entry(rest, plan)
    assert (await shop.price(plan, scope=CUSTOMER)).price_entry == entry.name


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scopes, several_books)
async def test_the_most_specific_book_wins_and_then_the_highest_priority(
    world: World, customer: pb.PriceScope, books: list[tuple[pb.PriceScope, int]]
) -> None:
    shop = Shop(await world.caller())
    plan = await shop.plan()
    weights = dict(zip(SIDES, (8, 4, 2, 1), strict=True))
    ranked: list[tuple[int, int, str]] = []
    for scope, priority in books:
        book = await shop.book(scope=scope, priority=priority, price_book_id=new_id())
        entry = await shop.entry(book, plan)
        named = [side for side in SIDES if getattr(scope, side)]
        if all(getattr(scope, side) == getattr(customer, side) for side in named):
            ranked.append((sum(weights[side] for side in named), priority, entry.name))
    if ranked:
        assert (await shop.price(plan, scope=customer)).price_entry == max(ranked)[2]
    else:
        assert (await shop.caller.refusal(ask(plan, scope=customer))).reason == "PRICE_MISSING"
