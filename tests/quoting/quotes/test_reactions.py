"""What happens to quotes by themselves: their validity ends, and drafts learn that a price is superseded."""

from datetime import UTC, timedelta

from revops.catalog.v1 import price_books_pb2 as books
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.names import new_uuid
from revops_mesh.quoting.quotes import reactions
from tests.quoting.quotes.deals import Deals, later


async def superseding(deals: Deals, text: str = "12", **fields: object) -> books.PriceEntrySuperseded:
    """What the catalog told when the first plan's price changed."""
    before = (await deals.shop.price(deals.plans[0])).price_entry
    entry = await deals.new_price(deals.plans[0], text, **fields)
    told = [e for _, _, e in await deals.caller.world.events(deals.caller.tenant) if isinstance(e, books.PriceEntrySuperseded)]
    (event,) = [e for e in told if e.superseded_by == entry.name]
    assert event.price_entry == before
    return event


async def stale(deals: Deals, *names: str) -> list[str]:
    return [(await deals.get(name)).stale_price_entry for name in names]


async def test_the_end_of_the_validity_expires_the_version_on_offer(deals: Deals) -> None:
    quote = await deals.submitted()
    ((due, request),) = await deals.timers()
    with later(days=32):
        assert due <= clock.now()
        await deals.fire(request)
    assert (await deals.caller.world.events(deals.caller.tenant))[-1][2] == pb.QuoteExpired(quote=quote.name, version=1)
    rows = await deals.caller.world.owner.fetch("SELECT state FROM quoting.quotes WHERE tenant_id=$1", deals.caller.tenant)
    assert [row["state"] for row in rows] == [pb.Quote.STATE_EXPIRED]


async def test_an_expiry_is_about_its_version_and_leaves_others_alone(deals: Deals) -> None:
    quote, gone = await deals.submitted(), "quotes/none"
    await deals.caller(pb.ReviseQuoteRequest(name=quote.name))
    again = await deals.submit(quote.name)
    with later(days=32):
        await deals.fire(pb.ExpireQuoteRequest(name=quote.name, version=1))
        await deals.fire(pb.ExpireQuoteRequest(name=gone, version=1))
    assert await deals.get(quote.name) == again


async def test_an_expiry_that_fires_early_is_set_again(deals: Deals) -> None:
    quote = await deals.submitted()
    ((due, request),) = await deals.timers()
    await deals.fire(request)
    assert await deals.timers() == [(due, request)] * 2
    assert await deals.get(quote.name) == quote


async def test_an_expiry_that_is_delivered_twice_is_one_expiry(deals: Deals) -> None:
    await deals.submitted()
    ((_, request),) = await deals.timers()
    delivery = new_uuid()
    with later(days=32):
        await deals.fire(request, request_id=delivery)
        await deals.fire(request, request_id=delivery)
        await deals.fire(request)
    assert [type(event).__name__ for event in await deals.events()].count("QuoteExpired") == 1


async def test_a_superseded_price_marks_the_drafts_that_use_it(deals: Deals) -> None:
    draft, other, offered = await deals.draft("3"), await deals.draft(), await deals.submitted("3")
    only_second = pb.Quote(name=other.name, lines=[pb.QuoteLine(rate_plan=deals.plans[1], quantity="1")])
    await deals.caller(pb.UpdateQuoteRequest(quote=only_second))
    event = await superseding(deals)
    fresh = await deals.draft("3")
    await deals.told(event)
    await deals.told(event)
    names = [quote.name for quote in (draft, other, offered, fresh)]
    assert await stale(deals, *names) == [event.price_entry, "", "", ""]
    assert (await deals.caller.refusal(pb.SubmitQuoteRequest(name=draft.name))).metadata["price_entry"] == event.price_entry
    repriced = await deals.caller(pb.RepriceQuoteRequest(name=draft.name))
    assert (repriced.stale_price_entry, repriced.totals.net_amount.amount) == ("", "36.00")
    await deals.submit(draft.name)


async def test_a_price_that_changes_in_the_future_marks_drafts_only_then(deals: Deals) -> None:
    draft = await deals.draft("3")
    event = await superseding(deals, valid_from=clock.timestamp(clock.now() + timedelta(days=10)))
    await deals.told(event)
    assert await stale(deals, draft.name) == [""]
    assert (await deals.submitted("3")).totals.net_amount.amount == "30.00"
    written_since = await deals.draft("3")
    due, request = (await deals.timers())[0]
    assert due == event.valid_from.ToDatetime(tzinfo=UTC)
    with later(days=11):
        await deals.fire(request)
    assert await stale(deals, draft.name, written_since.name) == [event.price_entry] * 2


async def test_more_drafts_than_a_batch_are_marked_by_and_by(deals: Deals, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(reactions, "BATCH", 2)
    names = [(await deals.draft("3")).name for _ in range(5)]
    event, calls = await superseding(deals), 0
    await deals.told(event)
    while requests := [r for _, r in await deals.timers() if isinstance(r, pb.MarkStaleQuotesRequest)][calls:]:
        calls += 1
        await deals.fire(requests[0])
    assert calls == 2
    assert await stale(deals, *names) == [event.price_entry] * 5
