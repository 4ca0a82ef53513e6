"""Price entries through their contract: what is refused, what is frozen, what is superseded, who sees costs."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from revops.catalog.v1 import price_books_pb2 as pb
from revops.catalog.v1 import products_pb2 as products
from revops.type.v1 import pricing_pb2 as pricing

from revops_mesh.catalog.price_books.domain import PriceEntry
from revops_mesh.kernel.errors import Broken
from revops_mesh.kernel.names import parent_of
from tests.catalog.shop import FLAT, PER_UNIT, VOLUME, Shop, amount, at, seat
from tests.world import World


def offer(book: str, plan: str, charge: str = "seat", **fields: Any) -> pb.CreatePriceEntryRequest:
    entry = pb.PriceEntry(**{"charge": f"{plan}/charges/{charge}", "pricing": amount("10"), **fields})
    return pb.CreatePriceEntryRequest(parent=book, price_entry=entry)


async def test_an_entry_freezes_its_charge_and_is_valid_from_its_creation_on(world: World, shop: Shop) -> None:
    plan, book = await shop.plan(seat("seat", unit_of_measure="seat"), seat("setup")), await shop.book()
    entry = await shop.caller(offer(book, plan))
    assert entry.frozen_charge == seat("seat", unit_of_measure="seat")
    assert (entry.rate_plan, entry.product, list(entry.plan_charges)) == (plan, parent_of(plan), ["seat", "setup"])
    assert entry.valid_from == entry.create_time == entry.known_from
    assert not entry.HasField("valid_to")
    stored = await shop.caller(pb.GetPriceBookRequest(name=book))
    assert stored.known_time == entry.known_from
    created = pb.PriceEntryCreated(price_entry=entry.name, charge=entry.charge, valid_from=entry.valid_from)
    assert (entry.name, 1, created) in await world.events(shop.caller.tenant)


async def test_a_caller_cannot_write_what_an_entry_derives(shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    entry = await shop.caller(offer(book, plan, known_from=at(0), rate_plan="x", product="y", closed=True, plan_charges=["z"]))
    assert (entry.rate_plan, entry.product, entry.closed, list(entry.plan_charges)) == (plan, parent_of(plan), False, ["seat"])
    assert entry.known_from == entry.create_time


async def test_a_retired_book_takes_no_entries(shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    await shop.caller(pb.RetirePriceBookRequest(name=book))
    refusal = await shop.caller.refusal(offer(book, plan))
    assert (refusal.reason, refusal.metadata["allowed"]) == ("PRICE_BOOK_STATE", "ACTIVE or DRAFT")


@pytest.mark.parametrize("retired", [False, True])
async def test_only_an_active_product_is_priced(shop: Shop, retired: bool) -> None:
    plan, book = await shop.plan(active=retired), await shop.book()
    if retired:
        await shop.caller(products.RetireProductRequest(name=parent_of(plan)))
    refusal = await shop.caller.refusal(offer(book, plan))
    state = "RETIRED" if retired else "DRAFT"
    assert (refusal.reason, refusal.metadata) == ("PRODUCT_NOT_SELLABLE", {"product": parent_of(plan), "state": state})


async def test_a_charge_that_the_plan_has_not_is_refused(shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    refusal = await shop.caller.refusal(offer(book, plan, "other"))
    assert (refusal.reason, refusal.metadata) == ("CHARGE_UNKNOWN", {"charge": f"{plan}/charges/other"})


@pytest.mark.parametrize("missing", ["book", "plan"])
async def test_a_book_or_plan_that_does_not_exist_is_not_found(shop: Shop, missing: str) -> None:
    plan, book = await shop.plan(), await shop.book()
    names = {
        "book": book,
        "plan": plan,
        missing: {"book": "priceBooks/none", "plan": f"{parent_of(plan)}/ratePlans/none"}[missing],
    }
    refusal = await shop.caller.refusal(offer(names["book"], names["plan"]))
    assert (refusal.reason, refusal.metadata) == ("RESOURCE_NOT_FOUND", {"name": names[missing]})


async def test_an_entry_of_all_books_is_of_none(shop: Shop) -> None:
    plan = await shop.plan()
    assert (await shop.caller.refusal(offer("priceBooks/-", plan))).reason == "RESOURCE_NOT_FOUND"


TIERS = [pricing.Tier(up_to="10", unit_amount="5"), pricing.Tier(up_to="10", unit_amount="4"), pricing.Tier(unit_amount="3")]


@pytest.mark.parametrize(
    ("model", "numbers", "field"),
    [
        (PER_UNIT, pricing.Pricing(model=FLAT, amount="1"), "price_entry.pricing.model"),
        (PER_UNIT, pricing.Pricing(model=PER_UNIT), "price_entry.pricing.amount"),
        (VOLUME, pricing.Pricing(model=VOLUME, tiers=TIERS), "price_entry.pricing.tier_bound"),
        (
            VOLUME,
            pricing.Pricing(model=VOLUME, tiers=TIERS, tier_bound=pricing.TIER_BOUND_INCLUSIVE),
            "price_entry.pricing.tiers[1].up_to",
        ),
    ],
)
async def test_numbers_that_contradict_the_model_are_refused_naming_the_field(
    shop: Shop, model: int, numbers: pricing.Pricing, field: str
) -> None:
    plan, book = await shop.plan(seat(model=model)), await shop.book()
    refusal = await shop.caller.refusal(offer(book, plan, pricing=numbers))
    assert (refusal.reason, refusal.metadata["field"]) == ("PRICE_INVALID", field)
    assert refusal.metadata["problem"] in str(refusal)
    assert refusal.violations[0][0] == field


@pytest.mark.parametrize("fields", [{"valid_from": at(5), "valid_to": at(5)}, {"valid_to": at(5)}])
async def test_a_period_that_ends_before_it_begins_is_refused(shop: Shop, fields: dict[str, Any]) -> None:
    plan, book = await shop.plan(), await shop.book()
    refusal = await shop.caller.refusal(offer(book, plan, **fields))
    assert (refusal.reason, refusal.metadata["valid_to"]) == ("PRICE_PERIOD_EMPTY", "2025-01-06T00:00:00Z")


@pytest.mark.parametrize("field", ["valid_from", "valid_to"])
async def test_a_bound_of_validity_that_is_no_instant_is_refused(shop: Shop, field: str) -> None:
    plan, book = await shop.plan(), await shop.book()
    refusal = await shop.caller.refusal(offer(book, plan, "seat", **{field: Timestamp(seconds=10**15)}))
    assert (refusal.reason, refusal.metadata["field"]) == ("FIELD_INVALID", f"price_entry.{field}")


async def superseding(world: World, shop: Shop) -> list[tuple[str, str, Timestamp]]:
    """What the events say was superseded: by whom, whom, from when on."""
    events = [event for _, _, event in await world.events(shop.caller.tenant)]
    return [(e.superseded_by, e.price_entry, e.valid_from) for e in events if isinstance(e, pb.PriceEntrySuperseded)]


async def test_an_entry_supersedes_what_gave_the_price_while_it_is_valid(world: World, shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    listed = await shop.entry(book, plan)
    promised = await shop.entry(book, plan, valid_from=at(20), valid_to=at(30))
    assert await superseding(world, shop) == [(promised.name, listed.name, at(20))]
    corrected = await shop.entry(book, plan, valid_from=at(10), valid_to=at(25))
    assert sorted(each[1:] for each in await superseding(world, shop) if each[0] == corrected.name) == sorted(
        [(listed.name, at(10)), (promised.name, at(20))]
    )
    last = await shop.entry(book, plan, valid_from=at(12))
    assert sorted(each[1:] for each in await superseding(world, shop) if each[0] == last.name) == sorted(
        [(corrected.name, at(12)), (promised.name, at(25)), (listed.name, at(30))]
    )


async def test_an_entry_supersedes_nothing_of_other_charges_and_books(world: World, shop: Shop) -> None:
    plan = await shop.plan(seat("a"), seat("b"))
    # A name that begins with the other's, and one whose entries would follow in the order of names.
    book = await shop.book(price_book_id="list", currency_code="EUR")
    longer = await shop.book(price_book_id="list-2", currency_code="USD")
    await shop.entry(book, plan, charge="a")
    await shop.entry(longer, plan, charge="b")
    await shop.entry(book, plan, charge="b")
    assert await superseding(world, shop) == []


async def test_a_preview_of_an_entry_writes_nothing(world: World, shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    request = offer(book, plan)
    request.validate_only = True
    preview = await shop.caller(request)
    assert preview.known_from == preview.valid_from
    assert await world.rows(shop.caller.tenant, ["catalog.price_entries"]) == {"catalog.price_entries": 0}
    assert not (await shop.caller(pb.GetPriceBookRequest(name=book))).HasField("known_time")


async def test_entries_are_listed_and_filtered_by_book_charge_and_instant(shop: Shop) -> None:
    plan, book = await shop.plan(seat("a"), seat("b")), await shop.book()
    first, _ = await shop.entry(book, plan, charge="a"), await shop.entry(book, plan, charge="b", valid_from=at(9))
    other = await shop.entry(await shop.book(currency_code="USD"), plan, charge="a")
    text = f'charge="{first.charge}" AND valid_from<"2025-01-05T00:00:00Z"'
    listed = await shop.caller(pb.ListPriceEntriesRequest(parent=book, filter=text))
    assert [entry.name for entry in listed.price_entries] == [first.name]
    listed = await shop.caller(pb.ListPriceEntriesRequest(parent="priceBooks/-", filter=text))
    assert {entry.name for entry in listed.price_entries} == {first.name, other.name}


async def test_a_stream_gives_every_entry_of_a_book_once_in_the_order_of_names(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("revops_mesh.catalog.price_books.queries.BATCH", 3)
    plan, book = await shop.plan(), await shop.book()
    made = sorted([(await shop.entry(book, plan, str(n))).name for n in range(6)])
    other = (await shop.entry(await shop.book(currency_code="USD"), plan)).name
    assert [entry.name async for entry in shop.caller.stream(pb.StreamPriceEntriesRequest(parent=book))] == made
    everywhere = [entry.name async for entry in shop.caller.stream(pb.StreamPriceEntriesRequest(parent="priceBooks/-"))]
    assert everywhere == sorted([*made, other])


async def test_a_stream_of_a_book_that_does_not_exist_is_refused(shop: Shop) -> None:
    with pytest.raises(Exception, match="priceBooks/none was not found"):
        await anext(shop.caller.stream(pb.StreamPriceEntriesRequest(parent="priceBooks/none")))


@pytest.mark.parametrize(
    "change",
    [
        {"charge": "products/p/ratePlans/m/charges/other"},
        {"product": "products/other"},
        {"plan_charges": ["other"]},
        {"valid_to": at(0)},
        {"pricing": amount("")},
    ],
)
def test_an_entry_that_cannot_be_is_never_stored(change: dict[str, Any]) -> None:
    sound: dict[str, Any] = {
        "name": "priceBooks/b/entries/e",
        "charge": "products/p/ratePlans/m/charges/seat",
        "rate_plan": "products/p/ratePlans/m",
        "product": "products/p",
        "plan_charges": ["seat"],
        "frozen_charge": seat(),
        "pricing": amount("1"),
        "valid_from": at(1),
        "known_from": at(1),
    }
    PriceEntry(pb.PriceEntry(**sound)).check()
    with pytest.raises(Broken):
        PriceEntry(pb.PriceEntry(**{**sound, **change})).check()
