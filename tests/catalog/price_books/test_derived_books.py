"""Books whose prices follow from other books: what they take, what they never do, and that a price can always be said again."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.catalog.v1 import price_books_pb2 as pb
from revops.type.v1.price_formula_pb2 import PriceFormula
from revops.type.v1.pricing_pb2 import TIER_BOUND_INCLUSIVE, Pricing, Tier

from revops_mesh.catalog.price_books import lineage
from revops_mesh.kernel.errors import Failure
from revops_mesh.numbers.proof import verify
from revops_mesh.pricing import formula as formulas
from tests.catalog.price_books.test_price_books import draft, outcomes, update
from tests.catalog.shop import VOLUME, Shop, amount, at, seat
from tests.contract import people
from tests.world import World

RATES = st.decimals(0, 1, places=4).map(str)
FORMULAS = st.one_of(
    st.builds(lambda rate, step: PriceFormula(discount_rate=rate, rounding_step=step), RATES, st.sampled_from(["", "0.05", "1"])),
    st.builds(lambda rate, charge: PriceFormula(markup_rate=rate, surcharge=charge), RATES, st.sampled_from(["", "-0.01", "2"])),
)


def less(rate: str, **more: Any) -> PriceFormula:
    return PriceFormula(discount_rate=rate, **more)


async def family(shop: Shop, *steps: PriceFormula) -> list[str]:
    """A list with a price of 100 for a plan, books that follow one another from it, and the plan."""
    plan, books = await shop.plan(), [await shop.book(priority=0)]
    await shop.entry(books[0], plan, "100", unit_cost="60")
    for n, step in enumerate(steps, start=1):
        books.append(await shop.book(priority=n, parent_book=books[-1], formula=step))
    return [*books, plan]


async def test_a_price_follows_from_the_parents(shop: Shop) -> None:
    _, middle, last, plan = await family(shop, less("0.15"), PriceFormula(markup_rate="0.1", rounding_step="0.5"))
    price = await shop.price(plan)
    assert (price.price_book, price.pricing.amount, price.list_amount.amount) == (last, "93.5", "93.50")
    assert price.cost.amount == "60.00"
    assert verify(price.proof)
    said = [step.expression for step in price.proof.steps]
    assert said[0].startswith(f"{last} for everybody")
    assert [step.code for step in price.proof.steps][:4] == ["book", "entry", "formula", "formula"]
    await shop.caller(pb.RetirePriceBookRequest(name=last))
    assert ((await shop.price(plan)).price_book, (await shop.price(plan)).list_amount.amount) == (middle, "85.00")


async def test_a_price_of_its_own_goes_before(shop: Shop) -> None:
    _, book, plan = await family(shop, less("0.15"))
    own = await shop.entry(book, plan, "70")
    price = await shop.price(plan)
    assert (price.price_entry, price.list_amount.amount) == (own.name, "70.00")


async def test_a_new_price_of_the_parent_is_followed_from_then_on(shop: Shop) -> None:
    parent, _, plan = await family(shop, less("0.5"))
    before = await shop.price(plan, valid_time=at(50))
    await shop.entry(parent, plan, "200", valid_from=at(100))
    assert (await shop.price(plan, valid_time=at(50))).list_amount.amount == "50.00"
    assert (await shop.price(plan, valid_time=at(100))).list_amount.amount == "100.00"
    assert (await shop.replay(before, valid_time=at(200))).list_amount.amount == "50.00", "as it was known"
    assert (await shop.replay(before, valid_time=at(50))) == before


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"currency_code": "USD"}, "it is in EUR, not in USD"),
        ({"draft": True}, "it is DRAFT, and only active books are followed"),
        ({"retired": True}, "it is RETIRED, and only active books are followed"),
    ],
)
async def test_not_every_book_can_be_followed(shop: Shop, fields: dict[str, Any], problem: str) -> None:
    parent = await shop.book(active=not fields.pop("draft", False))
    if fields.pop("retired", False):
        await shop.caller(pb.RetirePriceBookRequest(name=parent))
    refused = await shop.caller.refusal(draft(parent_book=parent, **fields))
    assert (refused.reason, refused.metadata["problem"]) == ("PRICE_BOOK_PARENT_UNFIT", problem)


async def test_nothing_runs_in_a_circle(shop: Shop) -> None:
    own = await shop.book(active=False)
    refused = await shop.caller.refusal(update(own, parent_book=own))
    assert refused.metadata["problem"] == "it is the book itself"
    parent, child, _ = await family(shop, less("0.1"))
    refused = await shop.caller.refusal(update(parent, parent_book=child))
    assert refused.reason == "PRICE_BOOK_STATE", "what an active book follows is settled"
    assert (await shop.caller.refusal(draft(parent_book="priceBooks/none"))).reason == "RESOURCE_NOT_FOUND"


async def test_at_most_eight_formulas_follow_one_another(shop: Shop) -> None:
    *_, last, plan = await family(shop, *[less("0.5")] * formulas.MOST_FORMULAS)
    assert (await shop.price(plan)).pricing.amount == "0.390625"
    refused = await shop.caller.refusal(draft(parent_book=last, priority=99))
    assert refused.metadata["problem"] == "it has 8 books above it already"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"formula": less("0.1")}, "price_book.parent_book"),
        ({"formula": less("1.5")}, "price_book.formula.discount_rate"),
        ({"formula": PriceFormula(min_margin="5", max_margin="1")}, "price_book.formula.max_margin"),
    ],
)
async def test_a_formula_that_cannot_be_meant_is_refused(shop: Shop, fields: dict[str, Any], named: str) -> None:
    parent = "" if named.endswith("parent_book") else await shop.book()
    refused = await shop.caller.refusal(draft(parent_book=parent, **fields))
    assert refused.reason == "FIELD_INVALID"
    assert named in {field for field, _ in refused.violations} | {refused.metadata.get("field")}


async def test_a_formula_for_one_price_is_refused_where_there_are_several(shop: Shop) -> None:
    plan = await shop.plan(seat(model=VOLUME))
    parent = await shop.book()
    tiers = [Tier(up_to="10", unit_amount="5"), Tier(unit_amount="4")]
    await shop.entry(parent, plan, pricing=Pricing(model=VOLUME, tiers=tiers, tier_bound=TIER_BOUND_INCLUSIVE))
    await shop.book(priority=1, parent_book=parent, formula=PriceFormula(surcharge="1"))
    refused = await shop.caller.refusal(
        pb.ResolvePricesRequest(items=[pb.PriceQuery(rate_plan=plan, quantity="1")], currency_code="EUR")
    )
    assert (refused.reason, refused.metadata["charge"]) == ("PRICE_NOT_DERIVABLE", f"{plan}/charges/seat")


async def test_who_is_followed_is_not_retired(shop: Shop) -> None:
    parent, child, plan = await family(shop, less("0.1"))
    refused = await shop.caller.refusal(pb.RetirePriceBookRequest(name=parent))
    assert (refused.reason, refused.metadata) == ("PRICE_BOOK_IN_USE", {"price_book": parent, "other": child})
    for book in (child, parent):
        await shop.caller(pb.RetirePriceBookRequest(name=book))
    assert (await shop.caller.refusal(pb.ResolvePricesRequest(
        items=[pb.PriceQuery(rate_plan=plan, quantity="1")], currency_code="EUR"
    ))).reason == "PRICE_MISSING"  # fmt: skip


async def test_of_a_retirement_and_a_follower_s_activation_one_wins(shop: Shop) -> None:
    for _ in range(8):
        parent = await shop.book(scope=pb.PriceScope(segment="race"))
        child = await shop.book(active=False, parent_book=parent, priority=1)
        came = await outcomes(
            shop.caller(pb.ActivatePriceBookRequest(name=child)), shop.caller(pb.RetirePriceBookRequest(name=parent))
        )
        assert came["OK"] == 1, came
        for book in (child, parent):
            try:
                await shop.caller(pb.RetirePriceBookRequest(name=book))
            except Failure as failure:
                assert failure.reason == "PRICE_BOOK_STATE"


async def test_what_a_price_costs_is_not_told_by_its_formula(shop: Shop, world: World) -> None:
    *_, plan = await family(shop, PriceFormula(base=PriceFormula.BASE_COST, margin_rate="0.2"))
    price = await shop.price(plan)
    assert price.list_amount.amount == "75.00", "60 ÷ 0.8"
    eve = await people.lacking(world, shop.caller.tenant, lineage.COSTS)
    seen = await Shop(eve).price(plan)
    assert seen.list_amount.amount == "75.00"
    assert not any("60" in step.expression for step in seen.proof.steps)


@given(st.lists(FORMULAS, min_size=1, max_size=8), st.decimals(0, 10_000, places=4))
def test_a_lineage_gives_what_its_formulas_give_one_after_the_other(steps: list[PriceFormula], base: Decimal) -> None:
    books = [pb.PriceBook(name="priceBooks/0", currency_code="EUR", state=pb.PriceBook.STATE_ACTIVE)]
    for n, step in enumerate(steps, start=1):
        book = pb.PriceBook(name=f"priceBooks/{n}", currency_code="EUR", parent_book=books[-1].name, formula=step)
        lineage.descend(book, books[-1])
        book.state = pb.PriceBook.STATE_ACTIVE
        books.append(book)
    pricing = amount(str(base))
    for depth in range(1, len(books)):
        found, _ = lineage.derived(books[-1], depth, pb.PriceEntry(pricing=pricing), "EUR")
        one_by_one = pricing
        for step in steps[len(steps) - depth :]:
            one_by_one = formulas.derived([formulas.parsed(step)], one_by_one, None, "EUR")
        assert found == one_by_one
