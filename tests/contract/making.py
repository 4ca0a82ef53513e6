"""Makes what a request needs to succeed: resources of each kind, through the contracts, in the caller's tenant.

What is scoped to partners is made by the caller, everything else by the house: an administrator of the same tenant.
Scopes and accounts are new each time, so that what one story makes never stands in the way of another.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from google.type.date_pb2 import Date
from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import access_pb2 as access
from revops.platform.v1 import exports_pb2 as exports
from revops.platform.v1 import files_pb2 as files
from revops.platform.v1 import operations_pb2 as operations
from revops.platform.v1 import reference_pb2 as reference
from revops.platform.v1 import tenants_pb2 as tenants
from revops.quoting.v1 import quotes_pb2 as quotes
from revops.type.v1 import money_pb2 as money
from revops.type.v1 import pricing_pb2 as pricing

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.names import PLATFORM_TENANT, new_id, new_uuid
from tests.world import Caller, World

Making = Callable[[World, Caller], Awaitable[Any]]
"""Makes one resource and gives it."""

HOURS = [reference.WorkingHours(weekday=day, start_minute=540, end_minute=1020) for day in range(1, 6)]
CHARGE = products.Charge(
    charge_id="seat",
    display_name="Seat",
    type=products.Charge.TYPE_RECURRING,
    model=pricing.CHARGE_MODEL_PER_UNIT,
    billing_period_months=1,
)

PARTY = money.Party(role=money.Party.ROLE_SOLD_TO, display_name="Acme", address_lines=["Hauptstr. 1", "10115 Berlin"])


def house(world: World, caller: Caller) -> Caller:
    """An administrator of the caller's tenant."""
    role = "platform-admin" if caller.tenant == PLATFORM_TENANT else "admin"
    return Caller(world, caller.tenant, world.token(caller.tenant, role, sub="users/house"))


def made(request: Callable[[], Message]) -> Making:
    """Makes by one call of the house."""

    async def make(world: World, caller: Caller) -> Any:
        return await house(world, caller)(request())

    return make


product = made(lambda: products.CreateProductRequest(product=products.Product(display_name="Cloud", family="storage")))
exchange_rate = made(
    lambda: reference.CreateExchangeRateRequest(
        exchange_rate=reference.ExchangeRate(
            from_currency="EUR", to_currency="USD", rate="1.1", effective_date=Date(year=2026, month=1, day=1), source="ECB"
        )
    )
)
role = made(lambda: access.CreateRoleRequest(role=access.Role(display_name="Reader", permissions=["catalog.products.get"])))
tenant = made(lambda: tenants.CreateTenantRequest(tenant=tenants.Tenant(display_name="Acme", edition=2)))


async def suspended_tenant(world: World, caller: Caller) -> Any:
    name = (await tenant(world, caller)).name
    return await house(world, caller)(tenants.SuspendTenantRequest(name=name))


async def service_account(world: World, caller: Caller) -> Any:
    account = access.ServiceAccount(display_name="CRM", roles=["viewer"])
    return await caller(access.CreateServiceAccountRequest(service_account=account))


async def api_key(world: World, caller: Caller) -> Any:
    parent = (await service_account(world, caller)).name
    return await caller(access.CreateApiKeyRequest(parent=parent, api_key=access.ApiKey(display_name="Key")))


async def rate_plan(world: World, caller: Caller) -> Any:
    """A plan of a draft product."""
    parent = (await product(world, caller)).name
    plan = products.RatePlan(display_name="Monthly", charges=[CHARGE])
    return await house(world, caller)(products.CreateRatePlanRequest(parent=parent, rate_plan=plan))


async def sellable_plan(world: World, caller: Caller) -> Any:
    """A plan of an active product."""
    plan = await rate_plan(world, caller)
    await house(world, caller)(products.ActivateProductRequest(name=plan.name.split("/ratePlans/")[0]))
    return plan


def book_offer() -> books.PriceBook:
    """A book in euros for one new account, so that no two stand in each other's way."""
    return books.PriceBook(display_name="List", currency_code="EUR", scope=books.PriceScope(account=f"accounts/{new_id()}"))


price_book = made(lambda: books.CreatePriceBookRequest(price_book=book_offer()))


async def active_book(world: World, caller: Caller) -> Any:
    book = await price_book(world, caller)
    return await house(world, caller)(books.ActivatePriceBookRequest(name=book.name))


def offer(plan: Any, amount: str = "4.00") -> books.PriceEntry:
    """What the seat of a plan costs."""
    per_unit = pricing.Pricing(model=pricing.CHARGE_MODEL_PER_UNIT, amount=amount)
    return books.PriceEntry(charge=f"{plan.name}/charges/seat", pricing=per_unit, unit_cost="1.50")


async def price_entry(world: World, caller: Caller) -> Any:
    """The price of a sellable plan in an active book; its book and plan follow from its fields."""
    book, plan = await active_book(world, caller), await sellable_plan(world, caller)
    return await house(world, caller)(books.CreatePriceEntryRequest(parent=book.name, price_entry=offer(plan)))


async def account_of(world: World, caller: Caller, entry: Any) -> str:
    """The account that the book of an entry is for."""
    book = await house(world, caller)(books.GetPriceBookRequest(name=entry.name.split("/entries/")[0]))
    account: str = book.scope.account
    return account


async def quote_draft(world: World, caller: Caller) -> quotes.Quote:
    """A quote that can be created: one line of a plan that has a price, parties and somebody to write to."""
    entry = await price_entry(world, caller)
    return quotes.Quote(
        account=await account_of(world, caller, entry),
        display_name="First year",
        currency_code="EUR",
        contact_email="buyer@acme.example",
        parties=[PARTY],
        lines=[quotes.QuoteLine(line_id="seats", rate_plan=entry.charge.split("/charges/")[0], quantity="10")],
    )


async def quote(world: World, caller: Caller) -> Any:
    """A draft of the caller."""
    return await caller(quotes.CreateQuoteRequest(quote=await quote_draft(world, caller)))


async def submitted_quote(world: World, caller: Caller) -> Any:
    return await caller(quotes.SubmitQuoteRequest(name=(await quote(world, caller)).name))


async def quote_version(world: World, caller: Caller) -> Any:
    """The frozen version of a submitted quote."""
    name = (await submitted_quote(world, caller)).name
    listed = await caller(quotes.ListQuoteVersionsRequest(parent=name))
    return listed.quote_versions[0]


TABLE = b"display_name,family\nCloud,storage\nEdge,network\n"
UPLOAD = files.UploadFileRequest(content=HttpBody(content_type="text/csv", data=TABLE), display_name="products.csv")


async def file(world: World, caller: Caller) -> Any:
    """A complete file."""

    async def pieces() -> AsyncIterator[Message]:
        yield UPLOAD

    return await world.kernel.intake("/revops.platform.v1.FileService/UploadFile", pieces(), house(world, caller).arrival())


async def due(world: World, caller: Caller, request: Message) -> None:
    """Has a timer's rpc called."""
    await world.kernel.react(world.kernel.by_request(request), request, caller.tenant, Arrival({}, request_id=new_uuid()))


async def written_file(world: World, caller: Caller) -> Any:
    """A file of an operation, behind the contract's back: what an operation writes is a story of its own."""
    of: Any = await file(world, caller)
    of.operation = "operations/o-1"
    of.ClearField("etag")
    written = "UPDATE platform.files SET body=$3 WHERE tenant_id=$1 AND name=$2"
    await world.owner.execute(written, caller.tenant, of.name, of.SerializeToString())
    return of


async def operation(world: World, caller: Caller) -> Any:
    """An export that waits for a runner."""
    request = exports.ExportResourcesRequest(type="revops.catalog.v1.Product", format=exports.ExportResourcesRequest.FORMAT_CSV)
    return await house(world, caller)(request)


def batch(name: str, **found: Any) -> operations.AdvanceOperationRequest:
    """What the first batch of an operation came to."""
    began = clock.timestamp(clock.now())
    return operations.AdvanceOperationRequest(operation=name, batch=1, start_time=began, cursor=b"from here on", **found)


def succeeding(name: str) -> operations.AdvanceOperationRequest:
    """A batch that finishes an operation."""
    request = batch(name)
    request.response.Pack(exports.ExportResponse(file="files/o-1", rows=2))
    return request


async def ended_operation(world: World, caller: Caller) -> Any:
    name = (await operation(world, caller)).name
    await due(world, caller, succeeding(name))
    return await house(world, caller)(operations.GetOperationRequest(name=name))


async def failed_operation(world: World, caller: Caller) -> Any:
    name = (await operation(world, caller)).name
    await due(world, caller, batch(name, error=Status(code=13, message="A fault of ours.")))
    return await house(world, caller)(operations.GetOperationRequest(name=name))
