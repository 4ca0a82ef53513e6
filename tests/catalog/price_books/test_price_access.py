"""Who may see and set costs, who may replay, and that price books are closed to partners."""

from typing import Any

import pytest
from google.protobuf.message import Message
from revops.catalog.v1 import price_books_pb2 as pb
from revops.platform.v1 import access_pb2 as access

from tests.catalog.shop import Shop, amount, at
from tests.world import BUSINESS, TEAM, Caller, World


async def with_permissions(world: World, shop: Shop, *permissions: str) -> Caller:
    """Somebody of the shop whose only role has these permissions."""
    await shop.caller(access.CreateRoleRequest(role_id="own", role=access.Role(display_name="Own", permissions=permissions)))
    world.kernel.authenticator.forget()
    world.kernel.authenticator._directory.forget()  # type: ignore[attr-defined]
    return await world.caller("own", tenant=shop.caller.tenant, sub="users/ben")


@pytest.mark.parametrize(("role", "cost"), [("catalog-manager", "3.5"), ("sales-manager", "")])
async def test_what_a_unit_costs_is_seen_with_the_permission_only(world: World, shop: Shop, role: str, cost: str) -> None:
    entry = await shop.entry(await shop.book(), await shop.plan(), unit_cost="3.5")
    reader = await world.caller(role, tenant=shop.caller.tenant)
    parent = entry.name.partition("/entries/")[0]
    assert (await reader(pb.GetPriceEntryRequest(name=entry.name))).unit_cost == cost
    (listed,) = (await reader(pb.ListPriceEntriesRequest(parent=parent))).price_entries
    assert listed.unit_cost == cost
    price = await Shop(reader).price(entry.rate_plan, quantity="3")
    assert price.HasField("cost") is bool(cost)
    assert (await Shop(reader).replay(price, "3")).HasField("cost") is bool(cost)


async def test_a_stream_shows_costs_with_the_permission_only(world: World, shop: Shop) -> None:
    entry = await shop.entry(await shop.book(), await shop.plan(), unit_cost="3.5")
    request = pb.StreamPriceEntriesRequest(parent=entry.name.partition("/entries/")[0])
    viewer = await world.caller("viewer", tenant=shop.caller.tenant)
    assert [each.unit_cost async for each in viewer.stream(request)] == [""]
    assert [each.unit_cost async for each in shop.caller.stream(request)] == ["3.5"]


async def test_a_seller_sees_prices_and_no_costs(world: World, shop: Shop) -> None:
    entry = await shop.entry(await shop.book(), await shop.plan(), unit_cost="3.5")
    seller = Shop(await world.caller("seller", tenant=shop.caller.tenant))
    price = await seller.price(entry.rate_plan, quantity="2")
    assert (price.list_amount.amount, price.HasField("cost")) == ("20.00", False)
    assert (await seller.caller.refusal(pb.GetPriceEntryRequest(name=entry.name))).reason == "PERMISSION_REQUIRED"


async def test_a_cost_is_set_with_the_permission_only(world: World, shop: Shop) -> None:
    plan, book = await shop.plan(), await shop.book()
    ben = await with_permissions(world, shop, "catalog.priceEntries.create", "catalog.priceEntries.list")
    entry = pb.PriceEntry(charge=f"{plan}/charges/seat", pricing=amount("10"), unit_cost="3")
    refusal = await ben.refusal(pb.CreatePriceEntryRequest(parent=book, price_entry=entry))
    assert (refusal.reason, refusal.metadata) == (
        "PERMISSION_REQUIRED",
        {"field": "price_entry.unit_cost", "permission": "catalog.costs.read"},
    )
    entry.ClearField("unit_cost")
    assert (await ben(pb.CreatePriceEntryRequest(parent=book, price_entry=entry))).unit_cost == ""


@pytest.mark.parametrize("fields", [{"filter": 'unit_cost="3"'}, {"order_by": "unit_cost"}])
async def test_entries_are_not_found_by_their_cost(world: World, shop: Shop, fields: dict[str, Any]) -> None:
    await shop.entry(await shop.book(), await shop.plan(), unit_cost="3")
    reader = await world.caller("sales-manager", tenant=shop.caller.tenant)
    refusal = await reader.refusal(pb.ListPriceEntriesRequest(parent="priceBooks/-", **fields))
    assert (refusal.reason, refusal.metadata["field"]) == ("FIELD_INVALID", next(iter(fields)))


async def test_prices_are_replayed_from_the_business_edition_on(world: World) -> None:
    request = pb.ReplayPriceRequest(price_book="priceBooks/b", charge="products/p/ratePlans/m/charges/c", quantity="1")
    refusal = await (await world.caller(edition=TEAM)).refusal(request)
    assert (refusal.reason, refusal.metadata) == ("EDITION_REQUIRED", {"required": "BUSINESS", "edition": "TEAM"})
    assert (await (await world.caller(edition=BUSINESS)).refusal(request)).reason == "RESOURCE_NOT_FOUND"


REQUESTS: list[Message] = [
    pb.CreatePriceBookRequest(price_book=pb.PriceBook(display_name="x", currency_code="EUR")),
    pb.GetPriceBookRequest(name="priceBooks/b"),
    pb.ListPriceBooksRequest(),
    pb.UpdatePriceBookRequest(price_book=pb.PriceBook(name="priceBooks/b", display_name="x")),
    pb.DeletePriceBookRequest(name="priceBooks/b"),
    pb.ActivatePriceBookRequest(name="priceBooks/b"),
    pb.RetirePriceBookRequest(name="priceBooks/b"),
    pb.CreatePriceEntryRequest(parent="priceBooks/b", price_entry=pb.PriceEntry(pricing=amount("1"), valid_from=at(1))),
    pb.GetPriceEntryRequest(name="priceBooks/b/entries/e"),
    pb.ListPriceEntriesRequest(parent="priceBooks/b"),
    pb.ResolvePricesRequest(items=[pb.PriceQuery(rate_plan="products/p/ratePlans/m", quantity="1")], currency_code="EUR"),
    pb.ReplayPriceRequest(price_book="priceBooks/b", charge="products/p/ratePlans/m/charges/c", quantity="1"),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
async def test_price_books_are_closed_to_partners(world: World, request_: Message) -> None:
    partner = await world.caller("admin", partner="partners/p1")
    assert (await partner.refusal(request_)).reason == "CLOSED_TO_PARTNERS"


async def test_the_stream_of_entries_is_closed_to_partners(world: World) -> None:
    partner = await world.caller("admin", partner="partners/p1")
    with pytest.raises(Exception, match="closed to partners"):
        await anext(partner.stream(pb.StreamPriceEntriesRequest(parent="priceBooks/b")))


async def test_another_tenant_finds_neither_books_nor_prices(world: World, shop: Shop) -> None:
    entry = await shop.entry(await shop.book(), await shop.plan())
    stranger = Shop(await world.caller())
    book = entry.name.partition("/entries/")[0]
    for request in (
        pb.GetPriceBookRequest(name=book),
        pb.GetPriceEntryRequest(name=entry.name),
        pb.ReplayPriceRequest(price_book=book, charge=entry.charge, quantity="1"),
    ):
        assert (await stranger.caller.refusal(request)).reason == "RESOURCE_NOT_FOUND"
    query = pb.PriceQuery(rate_plan=entry.rate_plan, quantity="1")
    refusal = await stranger.caller.refusal(pb.ResolvePricesRequest(items=[query], currency_code="EUR"))
    assert refusal.reason == "PRICE_MISSING"
