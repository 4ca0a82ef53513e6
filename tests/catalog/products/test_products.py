"""Products and rate plans through their contract."""

import asyncio

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from revops.catalog.v1 import products_pb2 as pb
from revops.type.v1 import pricing_pb2 as pricing

from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import parent_of
from tests.catalog.shop import FLAT, Shop, at, seat
from tests.world import FREE, World


def draft(**fields: object) -> pb.CreateProductRequest:
    return pb.CreateProductRequest(product=pb.Product(**{"display_name": "Cloud", **fields}))  # type: ignore[arg-type]


def plan(*charges: pb.Charge, parent: str) -> pb.CreateRatePlanRequest:
    return pb.CreateRatePlanRequest(parent=parent, rate_plan=pb.RatePlan(display_name="Monthly", charges=charges or [seat()]))


async def test_a_product_goes_from_draft_to_retirement_and_leaves_both_events(world: World, shop: Shop) -> None:
    product = parent_of(await shop.plan())
    retired = await shop.caller(pb.RetireProductRequest(name=product))
    assert retired.state == pb.Product.STATE_RETIRED
    assert [event for _, _, event in await world.events(shop.caller.tenant)] == [
        pb.ProductActivated(product=product),
        pb.ProductRetired(product=product),
    ]


async def test_a_product_without_a_plan_is_not_sold(shop: Shop) -> None:
    product = await shop.caller(draft())
    refusal = await shop.caller.refusal(pb.ActivateProductRequest(name=product.name))
    assert (refusal.reason, refusal.metadata) == ("PRODUCT_WITHOUT_PLAN", {"product": product.name})


async def test_a_period_of_sale_that_is_empty_is_refused_when_made_and_when_changed(shop: Shop) -> None:
    refusal = await shop.caller.refusal(draft(sellable_from=at(5), sellable_to=at(5)))
    assert refusal.reason == "PRODUCT_PERIOD_EMPTY"
    product = await shop.caller(draft(sellable_from=at(5)))
    changed = pb.Product(name=product.name, sellable_to=at(4))
    refusal = await shop.caller.refusal(pb.UpdateProductRequest(product=changed))
    assert (refusal.reason, refusal.metadata) == ("PRODUCT_PERIOD_EMPTY", {"product": product.name})


async def test_a_bound_of_the_period_that_is_no_instant_is_refused(shop: Shop) -> None:
    refusal = await shop.caller.refusal(draft(sellable_from=Timestamp(seconds=10**15)))
    assert (refusal.reason, refusal.metadata["field"]) == ("FIELD_INVALID", "product.sellable_from")


async def test_a_stock_keeping_unit_is_taken_once(shop: Shop) -> None:
    await shop.caller(draft(sku="C-1"))
    refusal = await shop.caller.refusal(draft(sku="C-1"))
    assert (refusal.reason, refusal.metadata["field"]) == ("RESOURCE_EXISTS", "sku")


@pytest.mark.parametrize(
    ("charge", "reason", "field"),
    [
        (seat(billing_period_months=0), "CHARGE_INVALID", "billing_period_months"),
        (seat(type=pb.Charge.TYPE_ONE_TIME), "CHARGE_INVALID", "billing_period_months"),
        (seat(type=pb.Charge.TYPE_USAGE, model=FLAT), "CHARGE_INVALID", "model"),
        (seat(model=pricing.CHARGE_MODEL_UNSPECIFIED), "FIELD_INVALID", "rate_plan.charges[0].model"),
        (seat(charge_id="A b"), "FIELD_INVALID", "rate_plan.charges[0].charge_id"),
    ],
)
async def test_a_charge_that_contradicts_itself_is_refused_naming_the_field(
    shop: Shop, charge: pb.Charge, reason: str, field: str
) -> None:
    product = await shop.caller(draft())
    refusal = await shop.caller.refusal(plan(charge, parent=product.name))
    assert (refusal.reason, refusal.metadata["field"]) == (reason, field)


async def test_two_charges_of_one_id_are_refused(shop: Shop) -> None:
    product = await shop.caller(draft())
    refusal = await shop.caller.refusal(plan(seat("a"), seat("b"), seat("a"), parent=product.name))
    assert (refusal.reason, refusal.metadata) == ("CHARGE_DUPLICATE", {"charge": "a"})


async def test_charges_change_only_while_the_product_is_a_draft(shop: Shop) -> None:
    name = await shop.plan(active=False)
    changed = await shop.caller(pb.UpdateRatePlanRequest(rate_plan=pb.RatePlan(name=name, charges=[seat("a"), seat("b")])))
    assert [charge.charge_id for charge in changed.charges] == ["a", "b"]
    await shop.caller(pb.ActivateProductRequest(name=parent_of(name)))
    refusal = await shop.caller.refusal(pb.UpdateRatePlanRequest(rate_plan=pb.RatePlan(name=name, charges=[seat("a")])))
    assert (refusal.reason, refusal.metadata["allowed"]) == ("PRODUCT_STATE", "DRAFT")
    renamed = await shop.caller(pb.UpdateRatePlanRequest(rate_plan=pb.RatePlan(name=name, display_name="Yearly")))
    assert (renamed.display_name, len(renamed.charges)) == ("Yearly", 2)


async def test_charges_do_not_change_once_the_product_was_activated_meanwhile(world: World, shop: Shop) -> None:
    """Prices trust the charges of an active product never to change."""
    name = await shop.plan(active=False)
    change = pb.UpdateRatePlanRequest(rate_plan=pb.RatePlan(name=name, charges=[seat("other")]))
    async with world.owner.transaction():
        # The change has read the draft and waits for the plan's row with its flush.
        await world.owner.execute("SELECT 1 FROM catalog.rate_plans WHERE name=$1 FOR UPDATE", name)
        changing = asyncio.ensure_future(shop.caller.refusal(change))
        await asyncio.sleep(0.2)
        await shop.caller(pb.ActivateProductRequest(name=parent_of(name)))
    assert (await changing).reason == "ETAG_MISMATCH"
    assert [charge.charge_id for charge in (await shop.caller(pb.GetRatePlanRequest(name=name))).charges] == ["seat"]


async def test_plans_added_at_once_are_all_there_and_counted(shop: Shop) -> None:
    product = await shop.caller(draft())
    made = await asyncio.gather(*(shop.caller(plan(parent=product.name)) for _ in range(6)))
    assert len({each.name for each in made}) == 6
    assert (await shop.caller(pb.GetProductRequest(name=product.name))).rate_plan_count == 6


async def test_a_deleted_draft_takes_its_plans_along(shop: Shop) -> None:
    name = await shop.plan(active=False)
    await shop.caller(pb.DeleteProductRequest(name=parent_of(name)))
    for request in (pb.GetProductRequest(name=parent_of(name)), pb.GetRatePlanRequest(name=name)):
        assert (await shop.caller.refusal(request)).reason == "RESOURCE_NOT_FOUND"


async def test_a_product_that_was_on_sale_is_not_deleted(shop: Shop) -> None:
    name = await shop.plan()
    refusal = await shop.caller.refusal(pb.DeleteProductRequest(name=parent_of(name)))
    assert (refusal.reason, refusal.metadata["state"]) == ("PRODUCT_STATE", "ACTIVE")
    assert (await shop.caller(pb.GetRatePlanRequest(name=name))).name == name


async def test_a_plan_of_a_product_that_does_not_exist_is_not_made(shop: Shop) -> None:
    assert (await shop.caller.refusal(plan(parent="products/none"))).reason == "RESOURCE_NOT_FOUND"


async def test_plans_are_listed_by_product_and_over_all(shop: Shop) -> None:
    one, other = await shop.plan(), await shop.plan()
    listed = await shop.caller(pb.ListRatePlansRequest(parent=parent_of(one)))
    assert [each.name for each in listed.rate_plans] == [one]
    listed = await shop.caller(pb.ListRatePlansRequest(parent="products/-"))
    assert {each.name for each in listed.rate_plans} == {one, other}


async def test_products_are_filtered_by_state_and_family(shop: Shop) -> None:
    await shop.caller(draft(family="storage"))
    await shop.caller(draft(family="compute"))
    await shop.plan()
    listed = await shop.caller(pb.ListProductsRequest(filter='state=DRAFT AND family="storage"'))
    assert [each.family for each in listed.products] == ["storage"]


async def test_a_partner_reads_products_and_changes_none(world: World, shop: Shop) -> None:
    name = await shop.plan()
    partner = await world.caller("admin", tenant=shop.caller.tenant, partner="partners/p1")
    assert (await partner(pb.GetRatePlanRequest(name=name))).name == name
    assert (await partner.refusal(draft())).reason == "CLOSED_TO_PARTNERS"


async def test_the_free_edition_has_a_hundred_products(world: World) -> None:
    caller = await world.caller(edition=FREE)
    for _ in range(100):
        await caller(draft())
    refusal = await caller.refusal(draft())
    assert (refusal.reason, refusal.metadata["limit"], refusal.metadata["lifted_by"]) == ("LIMIT_REACHED", "100", "TEAM")


async def test_a_preview_of_a_product_writes_nothing(world: World, shop: Shop) -> None:
    request = draft()
    request.validate_only = True
    assert (await shop.caller(request)).state == pb.Product.STATE_DRAFT
    assert await world.rows(shop.caller.tenant, ["catalog.products"]) == {"catalog.products": 0}
    request.product.ClearField("display_name")
    with pytest.raises(Failure):
        await shop.caller(request)
