"""Every refusal of quotes, through the whole pipeline, with the metadata that the contract promises."""

from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from revops.catalog.v1 import products_pb2 as products
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.names import parent_of
from tests.quoting.quotes.deals import Deals, later
from tests.world import FREE, World


async def refused(deals: Deals, request: Message) -> tuple[str, Mapping[str, str]]:
    """The reason and the metadata of a refusal that left nothing behind."""
    tables = ("quoting.quotes", "quoting.quote_versions", "kernel.outbox", "kernel.timer")
    before = await deals.caller.world.rows(deals.caller.tenant, tables)
    failure = await deals.caller.refusal(request)
    assert await deals.caller.world.rows(deals.caller.tenant, tables) == before
    return failure.reason, failure.metadata


def verbs(name: str) -> dict[str, Message]:
    """A request of every verb on a quote."""
    return {
        "update": pb.UpdateQuoteRequest(quote=pb.Quote(name=name, display_name="x")),
        "reprice": pb.RepriceQuoteRequest(name=name),
        "delete": pb.DeleteQuoteRequest(name=name),
        "submit": pb.SubmitQuoteRequest(name=name),
        "accept": pb.AcceptQuoteRequest(name=name),
        "reject": pb.RejectQuoteRequest(name=name),
        "withdraw": pb.WithdrawQuoteRequest(name=name),
        "revise": pb.ReviseQuoteRequest(name=name),
    }


async def test_an_accepted_quote_refuses_every_verb(deals: Deals) -> None:
    quote, other = await deals.submitted(), await deals.draft()
    accepted = await deals.caller(pb.AcceptQuoteRequest(name=quote.name))
    every = [*verbs(quote.name).values(), pb.SupersedeQuoteRequest(name=quote.name, superseded_by=other.name)]
    for request in every:
        reason, metadata = await refused(deals, request)
        assert (reason, metadata["quote"], metadata["state"]) == ("QUOTE_STATE", quote.name, "ACCEPTED"), request
    assert await deals.get(quote.name) == accepted


async def test_a_draft_refuses_what_only_the_customer_can_answer(deals: Deals) -> None:
    quote = await deals.draft()
    for verb in ("accept", "reject", "revise"):
        assert await refused(deals, verbs(quote.name)[verb]) == (
            "QUOTE_STATE",
            {"quote": quote.name, "state": "DRAFT", "allowed": "SUBMITTED"},
        )


@pytest.mark.parametrize("verb", verbs(""))
async def test_a_stale_etag_is_refused_before_the_state(deals: Deals, verb: str) -> None:
    quote = await deals.draft()
    request: Any = verbs(quote.name)[verb]
    (request.quote if verb == "update" else request).etag = "7"
    assert await refused(deals, request) == ("ETAG_MISMATCH", {"name": quote.name})


async def test_nothing_to_submit(deals: Deals) -> None:
    made = await deals.caller(pb.CreateQuoteRequest(quote=pb.Quote(account="accounts/a", currency_code="EUR")))
    assert await refused(deals, pb.SubmitQuoteRequest(name=made.name)) == ("QUOTE_WITHOUT_LINES", {"quote": made.name})


async def test_a_price_that_changed_is_found_at_submit_although_no_event_has_come(deals: Deals) -> None:
    quote = await deals.draft("3", "4")
    pinned = quote.lines[1].charges[0].price_entry
    await deals.new_price(deals.plans[1], "77")
    stale = ("QUOTE_PRICES_STALE", {"quote": quote.name, "price_entry": pinned})
    assert await refused(deals, pb.SubmitQuoteRequest(name=quote.name)) == stale
    repriced = await deals.caller(pb.RepriceQuoteRequest(name=quote.name))
    assert repriced.totals.net_amount.amount == "338.00"
    assert (await deals.submit(quote.name)).totals.net_amount.amount == "338.00"


async def test_a_more_specific_book_is_found_at_submit_although_it_supersedes_no_entry(deals: Deals) -> None:
    quote = await deals.draft("3")
    special = await deals.shop.book(scope={"account": "accounts/acme"})
    await deals.shop.entry(special, deals.plans[0], "8")
    reason, metadata = await refused(deals, pb.SubmitQuoteRequest(name=quote.name))
    assert (reason, metadata["price_entry"]) == ("QUOTE_PRICES_STALE", quote.price_entries[0])


async def test_a_revised_quote_is_not_offered_again_at_an_old_price(deals: Deals) -> None:
    quote = await deals.submitted("3")
    await deals.new_price(deals.plans[0], "77")
    await deals.caller(pb.ReviseQuoteRequest(name=quote.name))
    assert (await refused(deals, pb.SubmitQuoteRequest(name=quote.name)))[0] == "QUOTE_PRICES_STALE"


async def test_a_product_taken_off_sale_is_found_at_submit(deals: Deals) -> None:
    quote = await deals.draft("3")
    product = parent_of(deals.plans[0])
    await deals.caller(products.RetireProductRequest(name=product))
    await deals.told(products.ProductRetired(product=product))
    assert (await refused(deals, pb.SubmitQuoteRequest(name=quote.name)))[0] == "PRICE_MISSING"


@pytest.mark.parametrize("currency", ["USD", "CHF"])
async def test_a_plan_without_a_price_is_refused_in_the_catalogs_words(deals: Deals, currency: str) -> None:
    reason, metadata = await refused(deals, pb.CreateQuoteRequest(quote=deals.offer("3", currency_code=currency)))
    assert (reason, metadata["rate_plan"], metadata["currency"]) == ("PRICE_MISSING", deals.plans[0], currency)


async def test_a_discount_above_the_list_amount(deals: Deals) -> None:
    offer = deals.offer("3")
    offer.lines[0].discount_amount = "30.01"
    assert await refused(deals, pb.CreateQuoteRequest(quote=offer)) == (
        "QUOTE_DISCOUNT_TOO_LARGE",
        {"line": "1", "list_amount": "30.00", "discount": "30.01"},
    )


async def test_two_lines_of_one_id(deals: Deals) -> None:
    offer = deals.offer("3", "4")
    offer.lines[0].line_id = offer.lines[1].line_id = "seats"
    assert await refused(deals, pb.CreateQuoteRequest(quote=offer)) == ("QUOTE_LINE_DUPLICATE", {"line": "seats"})


async def test_a_quote_superseded_by_itself_by_nothing_or_by_one_that_is_closed(deals: Deals) -> None:
    quote, closed = await deals.draft(), await deals.draft()
    await deals.caller(pb.WithdrawQuoteRequest(name=closed.name))
    request = pb.SupersedeQuoteRequest(name=quote.name, superseded_by=quote.name)
    assert await refused(deals, request) == ("QUOTE_SUPERSEDES_ITSELF", {"quote": quote.name})
    request.superseded_by = "quotes/none"
    assert await refused(deals, request) == ("RESOURCE_NOT_FOUND", {"name": "quotes/none"})
    request.superseded_by = closed.name
    reason, metadata = await refused(deals, request)
    assert (reason, metadata["quote"], metadata["state"]) == ("QUOTE_STATE", closed.name, "WITHDRAWN")


async def test_a_validity_in_the_past(deals: Deals) -> None:
    quote = await deals.draft(valid_until={"year": 2026, "month": 1, "day": 31})
    assert await refused(deals, pb.SubmitQuoteRequest(name=quote.name)) == (
        "QUOTE_ALREADY_EXPIRED",
        {"quote": quote.name, "valid_until": "2026-01-31"},
    )


async def test_an_acceptance_after_the_end_although_the_timer_is_late(deals: Deals) -> None:
    quote = await deals.submitted()
    with later(days=32):
        bert = deals.by(await deals.caller.world.caller(tenant=deals.caller.tenant))
        reason, metadata = await refused(bert, pb.AcceptQuoteRequest(name=quote.name))
        until = f"{quote.valid_until.year}-{quote.valid_until.month:02}-{quote.valid_until.day:02}"
        assert (reason, metadata) == ("QUOTE_ALREADY_EXPIRED", {"quote": quote.name, "valid_until": until})


async def test_a_draft_that_was_on_offer_cannot_be_deleted_and_another_can(deals: Deals) -> None:
    draft, offered = await deals.draft(), await deals.submitted()
    await deals.caller(pb.ReviseQuoteRequest(name=offered.name))
    reason, metadata = await refused(deals, pb.DeleteQuoteRequest(name=offered.name))
    assert (reason, metadata["allowed"]) == ("QUOTE_STATE", "DRAFT without a number")
    await deals.caller(pb.DeleteQuoteRequest(name=draft.name))
    assert (await refused(deals, pb.GetQuoteRequest(name=draft.name)))[0] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": "0"}, "quote.lines[0].quantity"),
        ({"quantity": "0.0000001"}, "quote.lines[0].quantity"),
        ({"quantity": "-1"}, "quote.lines[0].quantity"),
        ({"discount_rate": "1.1"}, "quote.lines[0].discount_rate"),
        ({"discount_amount": "1.005"}, "quote.lines[0].discount_amount"),
        ({"rate_plan": "products/x"}, "quote.lines[0].rate_plan"),
        ({"line_id": "A"}, "quote.lines[0].line_id"),
    ],
)
async def test_a_malformed_line_is_refused_at_its_field(deals: Deals, change: dict[str, str], field: str) -> None:
    offer = deals.offer("3")
    offer.lines[0].MergeFrom(pb.QuoteLine(**change))  # type: ignore[arg-type]
    reason, metadata = await refused(deals, pb.CreateQuoteRequest(quote=offer))
    assert (reason, metadata["field"]) == ("FIELD_INVALID", field)


async def test_an_amount_out_of_range_is_refused_at_the_line_that_makes_it(deals: Deals) -> None:
    await deals.new_price(deals.plans[1], "999999999999999999")
    reason, metadata = await refused(deals, pb.CreateQuoteRequest(quote=deals.offer("1", "999999999999")))
    assert (reason, metadata["field"]) == ("FIELD_INVALID", "quote.lines[1].quantity")


async def test_days_and_currencies_that_do_not_exist(deals: Deals) -> None:
    offer = deals.offer(valid_until={"year": 2027, "month": 2, "day": 30})
    reason, metadata = await refused(deals, pb.CreateQuoteRequest(quote=offer))
    assert (reason, metadata["field"]) == ("FIELD_INVALID", "quote.valid_until")
    reason, metadata = await refused(deals, pb.CreateQuoteRequest(quote=deals.offer(currency_code="ZZZ")))
    assert (reason, metadata["field"]) == ("FIELD_INVALID", "quote.currency_code")


async def test_the_currency_cannot_change(deals: Deals) -> None:
    quote = await deals.draft()
    request = pb.UpdateQuoteRequest(
        quote=pb.Quote(name=quote.name, currency_code="USD"), update_mask=FieldMask(paths=["currency_code"])
    )
    assert (await refused(deals, request))[0] == "FIELD_INVALID"


async def test_the_free_edition_holds_fifty_quotes(world: World) -> None:
    deals = await Deals.opened(await world.caller(edition=FREE))
    for _ in range(50):
        await deals.draft()
    reason, metadata = await refused(deals, pb.CreateQuoteRequest(quote=deals.offer()))
    assert (reason, metadata["limit"], metadata["lifted_by"]) == ("LIMIT_REACHED", "50", "TEAM")
