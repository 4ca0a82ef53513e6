"""A journey through all capabilities: the demo's story, then quotes from draft to acceptance, prices that change, and refusals.

Told through one entry and noted whole, so that two installations can be compared word by word.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import access_pb2 as access
from revops.platform.v1 import audit_pb2 as audit
from revops.platform.v1 import reference_pb2 as reference
from revops.platform.v1 import tenants_pb2 as tenants
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.local.calls import Refusal
from revops_mesh.local.demo import story
from revops_mesh.local.demo.prices import per_unit
from tests.journeys.servers import until
from tests.journeys.topologies import Entry, Installation, comparable

GPU, COMPUTE = "products/gpu/ratePlans/on-demand", "products/compute/ratePlans/monthly"
PATIENCE = 60.0


class Stage:
    """The people of the demo's tenants."""

    def __init__(self, installation: Installation, found: dict[str, UUID]) -> None:
        self._installation, self._found = installation, found

    def person(self, name: str, role: str, partner: str = "", tenant: str = "acme", *, noted: bool = True) -> Entry:
        """Somebody at the entry."""
        token = self._installation.issuer.issue(f"users/{name}", self._found[tenant], [role], partner)
        return self._installation.entry(token, noted=noted)

    def tenant(self, name: str) -> UUID:
        """The id of a tenant."""
        return self._found[name]


async def told(installation: Installation) -> Stage:
    """The demo's story, up to its last consequence."""
    root = installation.entry(installation.issuer.issue("users/root", PLATFORM_TENANT, ["platform-admin"]))
    stage = Stage(installation, await story.tell(root, installation.issuer))
    for name in ("quotes/helix-gpu", "quotes/lumen-render"):
        await stale(stage, name)
    await heard(stage)
    return stage


async def stale(stage: Stage, name: str) -> None:
    """Waits for the reaction to a superseded price."""
    watcher = stage.person("wanda", "admin", noted=False)

    async def noticed() -> bool:
        return bool((await watcher(quotes.GetQuoteRequest(name=name))).stale_price_entry)

    await until(noticed, PATIENCE, f"{name} is stale")


async def heard(stage: Stage) -> None:
    """Waits until somebody is asked for every quote that somebody has to approve."""
    watcher = stage.person("wanda", "admin", noted=False)

    async def known() -> bool:
        found = (await watcher(quotes.ListQuotesRequest(page_size=1000))).quotes
        waiting = quotes.QuoteApproval.STATE_NEEDED
        return not any(quote.approval.state == waiting for quote in found if quote.state == quotes.Quote.STATE_SUBMITTED)

    await until(known, PATIENCE, "somebody is asked for every quote")


async def sold(stage: Stage) -> None:
    """Quotes from draft to their ends; what is refused on the way is part of the journey."""
    sofia, tomas = stage.person("sofia", "seller"), stage.person("tomas", "sales-manager")
    for request in _first_offer():
        await asked(sofia, request)
        await heard(stage)
    await asked(tomas, quotes.GetQuoteRequest(name="quotes/first"))  # with what it costs
    for name in ("second", "third"):
        await asked(sofia, drafted(name, line(GPU, "100"), line(COMPUTE, "3", discount_rate="0.1")))
    await asked(sofia, quotes.SubmitQuoteRequest(name="quotes/second"))
    await heard(stage)
    await asked(tomas, quotes.SupersedeQuoteRequest(name="quotes/first", superseded_by="quotes/second"))
    await asked(tomas, quotes.AcceptQuoteRequest(name="quotes/first"))
    await asked(tomas, quotes.AcceptQuoteRequest(name="quotes/second"))
    dearer = books.PriceEntry(charge=f"{GPU}/charges/hours", pricing=per_unit("3.75"))
    carl = stage.person("carl", "catalog-manager")
    await asked(carl, books.CreatePriceEntryRequest(parent="priceBooks/eur-list", price_entry_id="dearer", price_entry=dearer))
    await stale(stage, "quotes/third")
    for request in (
        quotes.GetQuoteRequest(name="quotes/third"),
        quotes.SubmitQuoteRequest(name="quotes/third"),
        quotes.RepriceQuoteRequest(name="quotes/third"),
        quotes.SubmitQuoteRequest(name="quotes/third"),
        quotes.ListQuoteVersionsRequest(parent="quotes/third"),
        quotes.ExplainQuoteRequest(name="quotes/third"),
    ):
        await asked(sofia, request)
        await heard(stage)
    await asked(tomas, quotes.AcceptQuoteRequest(name="quotes/third"))


def _first_offer() -> Iterator[Message]:
    yield drafted("first", line(COMPUTE, "12"), validate_only=True)
    yield drafted("first", line(COMPUTE, "12"), request_id="5b0c6f2e-7f0e-4f6a-9d0b-0a8f6a1f7c11")
    yield drafted("first", line(COMPUTE, "12"), request_id="5b0c6f2e-7f0e-4f6a-9d0b-0a8f6a1f7c11")  # replayed
    yield drafted("first", line(COMPUTE, "13"), request_id="5b0c6f2e-7f0e-4f6a-9d0b-0a8f6a1f7c11")  # in conflict
    changed = quotes.Quote(name="quotes/first", lines=[line(COMPUTE, "24"), line(GPU, "50")])
    yield quotes.UpdateQuoteRequest(quote=changed, update_mask=FieldMask(paths=["lines"]))
    yield quotes.SubmitQuoteRequest(name="quotes/first", etag="1")  # stale
    yield quotes.SubmitQuoteRequest(name="quotes/first")
    yield quotes.GetQuoteRequest(name="quotes/first")
    yield quotes.ExplainQuoteRequest(name="quotes/first")


async def refused(stage: Stage) -> None:
    """What each of several people may not do, or does wrongly."""
    sofia, vera = stage.person("sofia", "seller"), stage.person("vera", "viewer")
    for n, request in enumerate(_wrong()):  # by several people, because of one only ten refusals a second are audited
        await asked(stage.person(f"sofia{n // 8}", "seller"), request)
    await asked(sofia, products.CreateProductRequest(product=products.Product(display_name="Own")))
    await asked(vera, drafted("veras", line(COMPUTE, "1")))
    await asked(sofia.as_("nonsense"), quotes.ListQuotesRequest())
    petra, daan = (stage.person(n, "partner", f"partners/{p}") for n, p in (("petra", "nordlicht"), ("daan", "deltaworks")))
    await asked(petra, drafted("petras", line(COMPUTE, "5")))
    await asked(petra, quotes.ListQuotesRequest(page_size=100))
    for partner in (petra, daan):
        await asked(partner, quotes.SubmitQuoteRequest(name="quotes/petras"))
        await asked(partner, quotes.GetQuoteRequest(name="quotes/petras"))
        await asked(partner, books.ListPriceBooksRequest())
        await asked(partner, reference.GetLegalEntityRequest(name="legalEntities/acme-de"))
    stranger = stage.person("stan", "admin", tenant="globex")
    await asked(stranger, quotes.GetQuoteRequest(name="quotes/first"))
    await asked(stranger, drafted("stans", line(COMPUTE, "1")))


def _wrong() -> Iterator[Message]:
    for plan in ("products/none/ratePlans/none", "products/compute/ratePlans/none", "plans/compute", "", "products/gpu"):
        yield drafted("wrong", line(COMPUTE, "1"), line(plan, "1"))
    for quantity in ("-1", "0", "many", "1e9", "0.5", ""):
        yield drafted("wrong", line(COMPUTE, quantity))
    for currency in ("XXX", "JPY", "eur", ""):
        yield drafted("wrong", line(COMPUTE, "1"), currency_code=currency)
    yield drafted("wrong", line(COMPUTE, "1", discount_amount="1000000.00"))
    yield drafted("wrong", line(COMPUTE, "1"), legal_entity="entities/none")  # malformed in the terms of another capability
    yield drafted("entity", line(COMPUTE, "1"), legal_entity="legalEntities/none")
    yield quotes.SubmitQuoteRequest(name="quotes/entity")
    yield quotes.SubmitQuoteRequest(name="quotes/none")
    yield drafted("empty")
    yield quotes.SubmitQuoteRequest(name="quotes/empty")


async def by_program(stage: Stage) -> None:
    """A service account sells with its key; the key is forwarded to whoever is asked."""
    anna = stage.person("anna", "admin")
    account = access.ServiceAccount(display_name="Shop", roles=["seller"])
    await asked(anna, access.CreateServiceAccountRequest(service_account=account, service_account_id="shop"))
    key = await asked(anna, access.CreateApiKeyRequest(parent="serviceAccounts/shop", api_key=access.ApiKey()))
    shop = anna.as_(key.secret)
    await asked(shop, drafted("shops", line(COMPUTE, "2")))
    await asked(shop, quotes.SubmitQuoteRequest(name="quotes/shops"))
    await asked(shop, reference.CreateLegalEntityRequest(legal_entity=reference.LegalEntity(display_name="Shop")))


async def left(stage: Stage) -> list[Any]:
    """What is there in the end, as several people see it, and what the audit says."""
    seen: list[Any] = []
    everybody = [stage.person(name, role, noted=False) for name, role in (("anna", "admin"), ("sofia", "seller"))]
    everybody += [stage.person("petra", "partner", "partners/nordlicht", noted=False)]
    for entry in everybody:
        for request in _lists():
            with suppress(Refusal):
                seen.append(comparable(MessageToDict(await entry(request))))
    for tenant in ("acme", "globex"):
        seen.append(await _audited(stage.person("olga", "admin", tenant=tenant, noted=False)))
    return seen


def _lists() -> Iterator[Message]:
    yield tenants.ListTenantsRequest(page_size=100)
    yield products.ListProductsRequest(page_size=1000)
    yield products.ListRatePlansRequest(parent="products/-", page_size=1000)
    yield books.ListPriceBooksRequest(page_size=1000)
    yield books.ListPriceEntriesRequest(parent="priceBooks/-", page_size=1000)
    yield quotes.ListQuotesRequest(page_size=1000, order_by="name desc")
    yield quotes.ListQuoteVersionsRequest(parent="quotes/-", page_size=1000)
    yield reference.ListLegalEntitiesRequest(page_size=1000)


async def _audited(olga: Entry) -> list[str]:
    """Every entry as text, sorted, once none is added any more: refusals are written in batches, a little later."""
    before, now = [""], await _entries(olga)
    while now != before:
        await asyncio.sleep(1)
        before, now = now, await _entries(olga)
    return sorted(now)


async def _entries(olga: Entry) -> list[str]:
    found, token = [], ""
    while True:
        page = await olga(audit.ListAuditEntriesRequest(page_size=1000, page_token=token))
        found += [
            f"{entry.principal} {entry.method} {entry.outcome} {comparable(sorted(entry.resources))}" for entry in page.entries
        ]
        if not (token := page.next_page_token):
            return found


def line(plan: str, quantity: str, **fields: str) -> quotes.QuoteLine:
    """A line of an offer."""
    return quotes.QuoteLine(rate_plan=plan, quantity=quantity, **fields)  # type: ignore[arg-type]


def drafted(
    quote_id: str, *lines: quotes.QuoteLine, request_id: str = "", validate_only: bool = False, **fields: Any
) -> quotes.CreateQuoteRequest:
    """An offer to a customer in Germany."""
    known = {"account": "accounts/helix", "currency_code": "EUR", "legal_entity": "legalEntities/acme-de", **fields}
    quote = quotes.Quote(display_name=quote_id, lines=lines, term_months=12, **known)
    return quotes.CreateQuoteRequest(quote=quote, quote_id=quote_id, request_id=request_id, validate_only=validate_only)


async def asked(entry: Entry, request: Message) -> Any:
    """The answer, None if the request is refused; either is noted."""
    with suppress(Refusal):
        return await entry(request)
    return None
