"""Tells the demo's story through the public contracts: tenants, facts, what is for sale, and the deals."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.type.date_pb2 import Date
from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import reference_pb2 as reference
from revops.platform.v1 import tenants_pb2 as tenants
from revops.quoting.v1 import approval_people_pb2 as people
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as approvals
from revops.quoting.v1 import quotes_pb2 as quotes
from revops.type.v1 import money_pb2 as money

from revops_mesh.kernel.names import derived
from revops_mesh.local.calls import Member, Refusal
from revops_mesh.runtime.keys import DevelopmentIssuer

from . import deals, facts, small, vendor
from .prices import times
from .telling import Teller

TENANTS = (
    ("acme", "Acme Cloud", options.EDITION_ENTERPRISE),
    ("globex", "Globex Web Services", options.EDITION_FREE),
)


async def tell(root: Member, issuer: DevelopmentIssuer) -> dict[str, UUID]:
    """The tenants by slug, with all their data; `root` administers tenants. Telling it again changes nothing.

    Raises `Refusal` when a member refuses what the story says.
    """
    found = {slug: await _tenant(root, slug, name, edition) for slug, name, edition in TENANTS}
    acme = _people(Teller(root, issuer, "acme", found["acme"]))
    await _facts(acme)
    await _sale(acme, vendor.PRODUCTS, vendor.BOOKS, vendor.CHANGES)
    # What has ended is older than the rules of approval; what is open waits for them.
    ended = [deal for deal in deals.DEALS if any(step.verb in deals.ENDS for step in deal.steps)]
    for deal in ended:
        await _deal(acme, deal, deals.CUSTOMERS)
    await _approvals(acme)
    for deal in deals.DEALS:
        if deal not in ended:
            await _deal(acme, deal, deals.CUSTOMERS)
    for book in vendor.BOOKS:
        await _change(acme, vendor.CUT, book)
    globex = _people(Teller(root, issuer, "globex", found["globex"]))
    await _sale(globex, small.PRODUCTS, small.BOOKS, ())
    for deal in small.DEALS:
        await _deal(globex, deal, small.CUSTOMERS)
    return found


async def _tenant(root: Member, slug: str, name: str, edition: options.Edition.ValueType) -> UUID:
    request = tenants.CreateTenantRequest(
        tenant_id=slug,
        tenant=tenants.Tenant(display_name=name, edition=edition),
        request_id=str(derived("demo", slug)),
    )
    try:
        tenant = await root(request)
    except Refusal as refusal:
        if refusal.reason not in ("RESOURCE_EXISTS", "REQUEST_ID_CONFLICT"):
            raise
        tenant = await root(tenants.GetTenantRequest(name=f"tenants/{slug}"))
    return UUID(hex=tenant.uid)


def _people(teller: Teller) -> Teller:
    teller.meet("users/anna", "admin")
    teller.meet("users/carl", "catalog-manager")
    teller.meet("users/sofia", "seller")
    teller.meet("users/tomas", "sales-manager")
    teller.meet("users/petra", "partner", "partners/nordlicht")
    teller.meet("users/daan", "partner", "partners/deltaworks")
    return teller


async def _facts(teller: Teller) -> None:
    for entity in facts.ENTITIES:
        legal = reference.LegalEntity(
            display_name=entity.name,
            currency_code=entity.currency,
            region_code=entity.region,
            time_zone=entity.time_zone,
            tax_number=entity.tax_number,
        )
        await teller.say(
            "users/anna", reference.CreateLegalEntityRequest(legal_entity=legal, legal_entity_id=entity.id), entity.id
        )
    for rate in facts.RATES:
        identity = f"{rate.unit}-{rate.price}-{'-'.join(f'{part:02d}' for part in rate.day)}".lower()
        published = reference.ExchangeRate(
            from_currency=rate.unit, to_currency=rate.price, rate=rate.rate, effective_date=_date(rate.day), source="Treasury"
        )
        await teller.say(
            "users/carl",
            reference.CreateExchangeRateRequest(exchange_rate=published, exchange_rate_id=identity),
            identity,
        )
    calendar = reference.BusinessCalendar(
        display_name="Berlin office",
        time_zone="Europe/Berlin",
        working_hours=[
            reference.WorkingHours(weekday=day, start_minute=facts.OPEN, end_minute=facts.CLOSE) for day in facts.WORKDAYS
        ],
        holidays=[_date(day) for day in facts.HOLIDAYS],
    )
    opened = reference.CreateBusinessCalendarRequest(business_calendar=calendar, business_calendar_id="berlin")
    await teller.say("users/anna", opened, "berlin")


async def _approvals(teller: Teller) -> None:
    """The deal approval template, somewhat stricter than its defaults: open quotes above 10 % wait for the sales manager."""
    policy = policies.ApprovalPolicy(
        display_name="Deal approval",
        template="approvalTemplates/deal-approval",
        parameters=[policies.TemplateParameterValue(parameter="approval_rate", value="0.1")],
        calendar="businessCalendars/berlin",
    )
    created = approvals.CreateApprovalPolicyRequest(approval_policy=policy, approval_policy_id="deals")
    await teller.say("users/anna", created, "deals")
    published = approvals.PublishApprovalPolicyRequest(name="approvalPolicies/deals", etag="1")
    await teller.say("users/anna", published, "deals")
    await teller.say("users/anna", approvals.CreateReportingLineRequest(
        reporting_line=people.ReportingLine(employee="users/sofia", manager="users/tomas"), reporting_line_id="sofia"
    ), "sofia")  # fmt: skip


def _date(day: tuple[int, int, int]) -> Date:
    year, month, number = day
    return Date(year=year, month=month, day=number)


async def _sale(
    teller: Teller, offered: Iterable[vendor.Product], lists: tuple[vendor.Book, ...], changes: Iterable[vendor.Change]
) -> None:
    """Products, then books with a price for each charge of what is for sale, later prices last."""
    for product in offered:
        await _product(teller, product)
    for book in lists:
        scope = books.PriceScope(channel=book.channel) if book.channel else None
        draft = books.PriceBook(display_name=book.name, currency_code=book.currency, scope=scope)
        await teller.say("users/carl", books.CreatePriceBookRequest(price_book=draft, price_book_id=book.id), book.id)
        for product in offered:
            if product.fate != "draft":
                await _prices(teller, product, book)
        for change in changes:
            await _change(teller, change, book)
        await teller.say("users/carl", books.ActivatePriceBookRequest(name=f"priceBooks/{book.id}"), book.id)
    for product in offered:
        if product.fate == "retired":
            await teller.say("users/carl", products.RetireProductRequest(name=f"products/{product.id}"), product.id)


async def _product(teller: Teller, product: vendor.Product) -> None:
    written = products.Product(
        display_name=product.name,
        family=product.family,
        description=product.description,
        sku=product.id.upper(),
    )
    await teller.say("users/carl", products.CreateProductRequest(product=written, product_id=product.id), product.id)
    for plan in product.plans:
        charges = [
            products.Charge(
                charge_id=item.id,
                display_name=item.name,
                type=item.type,
                model=item.price.model,
                billing_period_months=0 if item.type == vendor.ONE_TIME else item.months,
                unit_of_measure=item.unit,
            )
            for item in plan.items
        ]
        request = products.CreateRatePlanRequest(
            parent=f"products/{product.id}",
            rate_plan_id=plan.id,
            rate_plan=products.RatePlan(display_name=plan.name, charges=charges),
        )
        await teller.say("users/carl", request, product.id, plan.id)
    if product.fate != "draft":
        await teller.say("users/carl", products.ActivateProductRequest(name=f"products/{product.id}"), product.id)


async def _prices(teller: Teller, product: vendor.Product, book: vendor.Book) -> None:
    for plan in product.plans:
        for item in plan.items:
            entry = books.PriceEntry(
                charge=_charge(f"{product.id}/{plan.id}/{item.id}"),
                pricing=times(item.price, book.factor),
                unit_cost=item.cost,
            )
            entry.valid_from.FromJsonString(vendor.FIRST_PRICES)
            await _entry(teller, book, f"{product.id}-{plan.id}-{item.id}", entry)


async def _change(teller: Teller, change: vendor.Change, book: vendor.Book) -> None:
    entry = books.PriceEntry(charge=_charge(change.charge), pricing=times(change.price, book.factor))
    if change.since:
        entry.valid_from.FromJsonString(change.since)
    await _entry(teller, book, f"{change.charge.replace('/', '-')}-{change.since[:10] or 'cut'}", entry)


async def _entry(teller: Teller, book: vendor.Book, identity: str, entry: books.PriceEntry) -> None:
    request = books.CreatePriceEntryRequest(parent=f"priceBooks/{book.id}", price_entry_id=identity, price_entry=entry)
    await teller.say("users/carl", request, book.id, identity)


def _charge(path: str) -> str:
    product, plan, charge = path.split("/")
    return f"products/{product}/ratePlans/{plan}/charges/{charge}"


async def _deal(teller: Teller, deal: deals.Deal, customers: Mapping[str, deals.Customer]) -> None:
    """One quote, from its draft to what came of it."""
    name = f"quotes/{deal.id}"
    request = quotes.CreateQuoteRequest(quote=_quote(deal, customers[deal.customer]), quote_id=deal.id)
    await teller.say(deal.seller, request, deal.id)
    for number, step in enumerate(deal.steps):
        for each in _requests(name, step):
            # A partner may submit; what the customer answered is noted by the vendor's own people.
            who = deal.seller if step.verb == "submit" else "users/tomas"
            await teller.say(who, each, deal.id, number)


def _quote(deal: deals.Deal, customer: deals.Customer) -> quotes.Quote:
    sold_to = money.Party(
        role=money.Party.ROLE_SOLD_TO,
        account=f"accounts/{deal.customer}",
        display_name=customer.name,
        address_lines=[customer.street, customer.city],
        region_code=customer.region,
    )
    scope = books.PriceScope(segment=customer.segment, region_code=customer.region, channel="reseller" if deal.partner else "")
    return quotes.Quote(
        account=f"accounts/{deal.customer}",
        partner=deal.partner,
        display_name=deal.title,
        currency_code=deal.currency,
        price_scope=scope,
        legal_entity=f"legalEntities/{deal.entity}" if deal.entity else "",
        parties=[sold_to],
        term_months=deal.months,
        lines=[_line(line) for line in deal.lines],
    )


def _line(line: deals.Line, line_id: str = "") -> quotes.QuoteLine:
    """A line; those of a next version have the ids that the first one was given, 1 and so on."""
    product, plan = line.plan.split("/")
    written = quotes.QuoteLine(line_id=line_id, rate_plan=f"products/{product}/ratePlans/{plan}", quantity=line.quantity)
    if line.rate:
        written.discount_rate = line.rate
    elif line.amount:
        written.discount_amount = line.amount
    return written


def _requests(name: str, step: deals.Step) -> list[Message]:
    match step.verb:
        case "submit":
            return [quotes.SubmitQuoteRequest(name=name)]
        case "accept":
            return [quotes.AcceptQuoteRequest(name=name)]
        case "reject":
            return [quotes.RejectQuoteRequest(name=name, reason=step.note)]
        case "withdraw":
            return [quotes.WithdrawQuoteRequest(name=name, reason=step.note)]
        case "replace":
            return [quotes.SupersedeQuoteRequest(name=f"quotes/{step.note}", superseded_by=name)]
        case "revise":
            changed = quotes.Quote(name=name, lines=[_line(line, str(n)) for n, line in enumerate(step.lines, start=1)])
            update = quotes.UpdateQuoteRequest(quote=changed, update_mask=FieldMask(paths=["lines"]))
            return [quotes.ReviseQuoteRequest(name=name), update]
        case _:
            raise ValueError(f"{name}: nothing is called {step.verb!r}")
