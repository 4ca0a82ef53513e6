"""A shop to test in: somebody of a tenant who has products, price books and prices made in one line each."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from revops.catalog.v1 import price_books_pb2 as pb
from revops.catalog.v1 import products_pb2 as products
from revops.type.v1 import pricing_pb2 as pricing

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.names import new_uuid
from tests.world import Caller

PER_UNIT, FLAT, VOLUME = pricing.CHARGE_MODEL_PER_UNIT, pricing.CHARGE_MODEL_FLAT, pricing.CHARGE_MODEL_VOLUME
EPOCH = datetime(2025, 1, 1, tzinfo=UTC)


def at(days: float) -> Timestamp:
    """The instant so many days after the beginning of 2025."""
    return clock.timestamp(EPOCH + timedelta(days=days))


def seat(charge_id: str = "seat", **fields: Any) -> products.Charge:
    """A recurring charge by the unit."""
    return products.Charge(
        **{
            "charge_id": charge_id,
            "type": products.Charge.TYPE_RECURRING,
            "model": PER_UNIT,
            "billing_period_months": 1,
            **fields,
        }
    )


def amount(text: str) -> pricing.Pricing:
    """So much a unit."""
    return pricing.Pricing(model=PER_UNIT, amount=text)


class Shop:
    """Makes things through the contract, as one caller."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    async def plan(self, *charges: products.Charge, active: bool = True, product_id: str = "") -> str:
        """The name of a new plan of a new product, with one charge `seat` unless others are given."""
        product = await self.caller(
            products.CreateProductRequest(product=products.Product(display_name="Cloud"), product_id=product_id)
        )
        plan = products.RatePlan(display_name="Monthly", charges=charges or [seat()])
        made = await self.caller(products.CreateRatePlanRequest(parent=product.name, rate_plan=plan))
        if active:
            await self.caller(products.ActivateProductRequest(name=product.name))
        return str(made.name)

    async def book(self, *, active: bool = True, **fields: Any) -> str:
        """The name of a new price book in euros."""
        resource_id = fields.pop("price_book_id", "")
        book = pb.PriceBook(**{"display_name": "List", "currency_code": "EUR", **fields})
        made = await self.caller(pb.CreatePriceBookRequest(price_book=book, price_book_id=resource_id))
        if active:
            await self.caller(pb.ActivatePriceBookRequest(name=made.name))
        return str(made.name)

    async def entry(self, book: str, plan: str, text: str = "10", charge: str = "seat", **fields: Any) -> pb.PriceEntry:
        """A new entry, valid from the beginning of 2025."""
        entry = pb.PriceEntry(**{"charge": f"{plan}/charges/{charge}", "pricing": amount(text), "valid_from": at(0), **fields})
        made: pb.PriceEntry = await self.caller(pb.CreatePriceEntryRequest(parent=book, price_entry=entry))
        return made

    async def prices(self, *plans: str, quantity: str = "1", currency: str = "EUR", **fields: Any) -> list[pb.PlanPrice]:
        """What some plans cost."""
        request = pb.ResolvePricesRequest(
            items=[pb.PriceQuery(rate_plan=plan, quantity=quantity) for plan in plans], currency_code=currency, **fields
        )
        return list((await self.caller(request)).plans)

    async def price(self, plan: str, **fields: Any) -> pb.ChargePrice:
        """What the only charge of a plan costs."""
        (priced,) = await self.prices(plan, **fields)
        (charge,) = priced.charges
        return charge

    async def replay(self, price: pb.ChargePrice, quantity: str = "1", **fields: Any) -> pb.ChargePrice:
        """A price again, from its book, as known when it was resolved."""
        fields = {"known_time": price.known_time, **fields}
        answer = await self.caller(
            pb.ReplayPriceRequest(price_book=price.price_book, charge=price.charge, quantity=quantity, **fields)
        )
        return pb.ChargePrice.FromString(answer.price.SerializeToString())

    async def product_retired(self, product: str, event: UUID | None = None) -> None:
        """Has the modules react to the retirement of a product; an `event` that was told before is told again."""
        kernel = self.caller.world.kernel
        told = products.ProductRetired(product=product)
        for method in kernel.reactions[told.DESCRIPTOR.full_name]:
            await kernel.react(method, told, self.caller.tenant, Arrival({}, request_id=event or new_uuid()))
