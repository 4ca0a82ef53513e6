"""Stories of quoting."""

from collections.abc import Mapping

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from revops.catalog.v1 import price_books_pb2 as books
from revops.quoting.v1 import quotes_pb2 as quotes

from tests.contract import making
from tests.contract.stories.telling import Story, beside, changing, of
from tests.world import Caller, World


async def created_quote(world: World, caller: Caller) -> Message:
    return quotes.CreateQuoteRequest(quote=await making.quote_draft(world, caller))


async def superseded_entry_of_a_draft(world: World, caller: Caller) -> Message:
    draft = await making.quote(world, caller)
    charge = draft.lines[0].charges[0]
    return books.PriceEntrySuperseded(
        price_entry=charge.price_entry,
        superseded_by=charge.price_entry.rsplit("/", 1)[0] + "/later",
        charge=charge.charge,
        valid_from=Timestamp(seconds=1),
    )


async def superseded_quote(world: World, caller: Caller) -> Message:
    first, second = await making.submitted_quote(world, caller), await making.quote(world, caller)
    return quotes.SupersedeQuoteRequest(name=first.name, superseded_by=second.name)


async def stale_draft(world: World, caller: Caller) -> Message:
    draft = await making.quote(world, caller)
    return quotes.MarkStaleQuotesRequest(price_entry=draft.lines[0].charges[0].price_entry)


async def outlived_quote(world: World, caller: Caller) -> Message:
    """A quote whose validity has ended, behind the contract's back: nobody can wait for it."""
    quote = await making.submitted_quote(world, caller)
    quote.expire_time.FromSeconds(1)
    quote.ClearField("etag")
    written = "UPDATE quoting.quotes SET body=$3 WHERE tenant_id=$1 AND name=$2"
    await world.owner.execute(written, caller.tenant, quote.name, quote.SerializeToString())
    return quotes.ExpireQuoteRequest(name=quote.name, version=quote.version)


STORIES: Mapping[str, Story] = {
    "QuoteService.CreateQuote": created_quote,
    "QuoteService.UpdateQuote": changing(
        making.quote,
        quotes.UpdateQuoteRequest,
        display_name="Two years",
        contact_email="b@acme.example",
        parties=[making.PARTY],
    ),
    "QuoteService.GetQuoteVersion": of(making.quote_version, quotes.GetQuoteVersionRequest),
    "QuoteService.ListQuoteVersions": beside(making.quote_version, quotes.ListQuoteVersionsRequest),
    "QuoteService.ExpireQuote": outlived_quote,
    "QuoteService.OnPriceEntrySuperseded": superseded_entry_of_a_draft,
    "QuoteService.MarkStaleQuotes": stale_draft,
}
