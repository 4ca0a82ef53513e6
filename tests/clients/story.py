"""The golden story: how a product gets a price, a quote is accepted and others hear of it, and every kind of refusal on the way.

Each step is a call in JSON. All names are chosen by the caller, so that the story reads the same in every tenant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.clients.drivers import Driver, ErrorInfo, Json

CATALOG, QUOTING, PLATFORM = "revops.catalog.v1", "revops.quoting.v1", "revops.platform.v1"
PRODUCTS, BOOKS, QUOTES = f"{CATALOG}.ProductService", f"{CATALOG}.PriceBookService", f"{QUOTING}.QuoteService"
HOOKS, TOKENS, OPERATIONS = f"{PLATFORM}.WebhookService", f"{PLATFORM}.TokenService", f"{PLATFORM}.OperationService"
FILES, IMPORTS, EXPORTS = f"{PLATFORM}.FileService", f"{PLATFORM}.ImportService", f"{PLATFORM}.ExportService"
ACCOUNTS = f"{PLATFORM}.ServiceAccountService"
CHARGE = {"chargeId": "seat", "type": "TYPE_RECURRING", "model": "CHARGE_MODEL_PER_UNIT", "billingPeriodMonths": 1}
PLAN, BOOK, QUOTE = "products/cloud/ratePlans/monthly", "priceBooks/list", "quotes/q1"
LINES = [{"ratePlan": PLAN, "quantity": str(i + 1)} for i in range(10)]
OFFER = {"account": "accounts/acme", "currencyCode": "EUR", "lines": LINES}
ENTRY = {"charge": f"{PLAN}/charges/seat", "pricing": {"model": "CHARGE_MODEL_PER_UNIT", "amount": "12.50"}}
ONCE = str(UUID(int=7, version=4))
HOOK = {"displayName": "ERP", "url": "https://erp.example/", "eventTypes": [f"{QUOTING}.*"], "roles": ["viewer"]}


@dataclass(frozen=True)
class Step:
    """A call by somebody, and the reason it is refused for; empty if it is answered."""

    method: str
    request: Json
    who: str = "admin"
    reason: str = ""
    of: str = ""
    """Whose credential the answer shows."""


STORY = {
    "a product is made": Step(f"{PRODUCTS}.CreateProduct", {"product": {"displayName": "Cloud"}, "productId": "cloud"}),
    "it gets a plan": Step(
        f"{PRODUCTS}.CreateRatePlan",
        {"parent": "products/cloud", "ratePlan": {"displayName": "Monthly", "charges": [CHARGE]}, "ratePlanId": "monthly"},
    ),
    "it is sold": Step(f"{PRODUCTS}.ActivateProduct", {"name": "products/cloud", "etag": "2"}),
    "a book is made": Step(
        f"{BOOKS}.CreatePriceBook", {"priceBook": {"displayName": "List", "currencyCode": "EUR"}, "priceBookId": "list"}
    ),
    "with a price": Step(f"{BOOKS}.CreatePriceEntry", {"parent": BOOK, "priceEntry": ENTRY, "priceEntryId": "e1"}),
    "and used": Step(f"{BOOKS}.ActivatePriceBook", {"name": BOOK}),
    "prices are streamed": Step(f"{BOOKS}.StreamPriceEntries", {"parent": "priceBooks/-"}),
    "a quote of ten lines is drafted": Step(f"{QUOTES}.CreateQuote", {"quote": OFFER, "quoteId": "q1", "requestId": ONCE}),
    "and once only": Step(f"{QUOTES}.CreateQuote", {"quote": OFFER, "quoteId": "q1", "requestId": ONCE}),
    "read": Step(f"{QUOTES}.GetQuote", {"name": QUOTE}, "viewer"),
    "listed": Step(f"{QUOTES}.ListQuotes", {"filter": 'account = "accounts/acme"', "pageSize": 5}, "viewer"),
    "explained": Step(f"{QUOTES}.ExplainQuote", {"name": QUOTE}),
    "submitted": Step(f"{QUOTES}.SubmitQuote", {"name": QUOTE, "etag": "1"}),
    "somebody is late": Step(f"{QUOTES}.AcceptQuote", {"name": QUOTE, "etag": "1"}, reason="ETAG_MISMATCH"),
    "accepted": Step(f"{QUOTES}.AcceptQuote", {"name": QUOTE, "etag": "2"}),
    "and not again": Step(f"{QUOTES}.AcceptQuote", {"name": QUOTE}, reason="QUOTE_STATE"),
    "its version stands": Step(f"{QUOTES}.GetQuoteVersion", {"name": f"{QUOTE}/versions/1"}),
    "another tenant knows nothing": Step(f"{QUOTES}.GetQuote", {"name": QUOTE}, "stranger", "RESOURCE_NOT_FOUND"),
    "a viewer writes nothing": Step(f"{QUOTES}.CreateQuote", {"quote": OFFER}, "viewer", "PERMISSION_REQUIRED"),
    "nobody reads nothing": Step(f"{QUOTES}.GetQuote", {"name": QUOTE}, "nobody", "CREDENTIALS_MISSING"),
    "a forged token": Step(f"{QUOTES}.GetQuote", {"name": QUOTE}, "forger", "CREDENTIALS_INVALID"),
    "an edition without versions": Step(f"{QUOTES}.ReviseQuote", {"name": QUOTE}, reason="EDITION_REQUIRED"),
    "fields that are wrong": Step(
        f"{QUOTES}.CreateQuote",
        {"quote": {"currencyCode": "eur", "lines": [{"ratePlan": PLAN, "quantity": "-1"}], "termMonths": 200}},
        reason="FIELD_INVALID",
    ),
    "a name that is taken": Step(f"{QUOTES}.CreateQuote", {"quote": OFFER, "quoteId": "q1"}, reason="RESOURCE_EXISTS"),
    "a request id that is used": Step(
        f"{QUOTES}.CreateQuote", {"quote": OFFER, "quoteId": "q2", "requestId": ONCE}, reason="REQUEST_ID_CONFLICT"
    ),
    "a filter that is none": Step(f"{QUOTES}.ListQuotes", {"filter": "account ="}, reason="FIELD_INVALID"),
    "a stream of nothing": Step(f"{BOOKS}.StreamPriceEntries", {"parent": "priceBooks/none"}, reason="RESOURCE_NOT_FOUND"),
    "a draft is thrown away": Step(
        f"{BOOKS}.CreatePriceBook", {"priceBook": {"displayName": "D", "currencyCode": "USD"}, "priceBookId": "d"}
    ),
    "and gives nothing back": Step(f"{BOOKS}.DeletePriceBook", {"name": "priceBooks/d"}),
    "an edition without webhooks": Step(f"{HOOKS}.CreateWebhookEndpoint", {"webhookEndpoint": HOOK}, reason="EDITION_REQUIRED"),
    "a webhook is registered": Step(
        f"{HOOKS}.CreateWebhookEndpoint", {"webhookEndpoint": HOOK, "webhookEndpointId": "erp"}, "team"
    ),
    "shown without its secret": Step(f"{HOOKS}.GetWebhookEndpoint", {"name": "webhookEndpoints/erp"}, "team"),
    "and tested too early": Step(f"{HOOKS}.SendTestEvent", {"name": "webhookEndpoints/erp"}, "team", reason="WEBHOOK_STATE"),
    "one that leads inside": Step(
        f"{HOOKS}.CreateWebhookEndpoint",
        {"webhookEndpoint": {**HOOK, "url": "https://10.0.0.1/"}},
        "team",
        reason="FIELD_INVALID",
    ),
    "one of an unknown event": Step(
        f"{HOOKS}.CreateWebhookEndpoint",
        {"webhookEndpoint": {**HOOK, "eventTypes": [f"{QUOTING}.QuoteImagined"]}},
        "team",
        reason="WEBHOOK_EVENT_TYPE_UNKNOWN",
    ),
    "one of hidden events": Step(
        f"{HOOKS}.CreateWebhookEndpoint",
        {"webhookEndpoint": {**HOOK, "eventTypes": [f"{PLATFORM}.WebhookEndpointDisabled"]}},
        "team",
        reason="WEBHOOK_EVENT_TYPE_HIDDEN",
    ),
    "a program gets an account": Step(
        f"{ACCOUNTS}.CreateServiceAccount",
        {"serviceAccount": {"displayName": "CRM", "roles": ["viewer"]}, "serviceAccountId": "crm"},
        "team",
    ),
    "and a key": Step(
        f"{ACCOUNTS}.CreateApiKey", {"parent": "serviceAccounts/crm", "apiKey": {"displayName": "Key"}}, "team", of="program"
    ),
    "for which it gets a token": Step(f"{TOKENS}.IssueToken", {"scopes": ["catalog.products.get"]}, "program"),
    "but none that may do more": Step(f"{TOKENS}.IssueToken", {"scopes": ["x.y"]}, "program", "TOKEN_SCOPE_EXCEEDED"),
    "a token for no key": Step(f"{TOKENS}.IssueToken", {}, reason="TOKEN_NEEDS_KEY"),
    "a file that is not there": Step(f"{FILES}.GetFile", {"name": "files/none"}, reason="RESOURCE_NOT_FOUND"),
    "an import of it": Step(
        f"{IMPORTS}.ImportResources",
        {"file": "files/none", "type": f"{CATALOG}.Product", "format": "FORMAT_CSV"},
        reason="RESOURCE_NOT_FOUND",
    ),
    "an export of no type": Step(
        f"{EXPORTS}.ExportResources", {"type": f"{CATALOG}.Imagined", "format": "FORMAT_CSV"}, reason="EXPORT_TYPE"
    ),
    "an export in no form": Step(f"{EXPORTS}.ExportResources", {"type": f"{CATALOG}.Product"}, reason="FIELD_INVALID"),
    "an operation that never began": Step(
        f"{OPERATIONS}.CancelOperation", {"name": "operations/none"}, reason="RESOURCE_NOT_FOUND"
    ),
    "and nobody cancels it": Step(f"{OPERATIONS}.CancelOperation", {"name": "operations/none"}, "nobody", "CREDENTIALS_MISSING"),
}

OF_ITS_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|[0-9a-f]{64}|\b[0-9a-z]{26}\b|whsec_[\w+/=-]+|rk_\w+|eyJ[\w.-]+"
)
"""Instants, hashes over them, secrets, and ids that the server chose."""


async def told(driver: Driver, tokens: Mapping[str, str]) -> dict[str, Any]:
    """What each step gave, told by people with tokens; what depends on when it is told is blotted out."""
    found, tokens = dict[str, Any](), dict(tokens)
    for title, step in STORY.items():
        token = tokens.get(step.who)
        answer = await driver.call(step.method, step.request, {"authorization": f"Bearer {token}"} if token else {})
        if step.of and not isinstance(answer, ErrorInfo):
            tokens[step.of] = answer["secret"]
        found[title] = _timeless(vars(answer) if isinstance(answer, ErrorInfo) else answer)
        assert found[title].get("reason", "") == step.reason, f"{title}: {answer}"
    return found


def _timeless(value: Any) -> Any:
    match value:
        case dict():
            return {key: _timeless(each) for key, each in value.items()}
        case list() | tuple():
            return [_timeless(each) for each in value]
        case str():
            return OF_ITS_TIME.sub("…", value)
    return value
