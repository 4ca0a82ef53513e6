"""What happens to quotes without anybody calling: their validity ends, a price they use is superseded. Instants are in UTC.

All of it may come late, twice or in any order, and then changes nothing: an expiry names the version it is about, and the mark
of staleness is set once.
"""

from datetime import UTC

from google.protobuf.empty_pb2 import Empty
from revops.catalog.v1 import price_books_pb2 as books
from revops.quoting.v1 import approval_events_pb2 as events
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.call import Call

from .domain import Quote
from .queries import DRAFTS_PRICED_WITH

BATCH = 50
"""Drafts marked in one unit of work: whoever edits one of them meanwhile has the others marked again, so not too many."""


async def expire(request: pb.ExpireQuoteRequest, call: Call) -> Empty:
    """SUBMITTED → EXPIRED, if that version is still on offer. A timer that fires early is set again."""
    quote = await call.repo(Quote).find(request.name)
    if quote is None or not quote.is_on_offer(request.version):
        return Empty()
    if not quote.has_expired(call.now):
        call.schedule(quote.state.expire_time.ToDatetime(tzinfo=UTC), request)
        return Empty()
    quote.expire()
    await call.repo(Quote).save(quote)
    return Empty()


async def price_entry_superseded(event: books.PriceEntrySuperseded, call: Call) -> Empty:
    """Marks drafts that use the entry, or has them marked when the entry ceases to hold: until then their prices are right.

    A draft that was priced again after that instant no longer uses the entry and is left alone. Where the mark comes too
    late or not at all, the comparison at submit still finds the price (`Quote.ready`).
    """
    found, since = pb.MarkStaleQuotesRequest(price_entry=event.price_entry), event.valid_from.ToDatetime(tzinfo=UTC)
    if since <= call.now:
        return await mark_stale(found, call)
    call.schedule(since, found)
    return Empty()


async def mark_stale(request: pb.MarkStaleQuotesRequest, call: Call) -> Empty:
    """Marks one batch and schedules the next."""
    quotes = call.repo(Quote)
    drafts = await quotes.select(DRAFTS_PRICED_WITH, (request.price_entry, request.after), limit=BATCH)
    for draft in drafts:
        if draft.mark_stale(request.price_entry):
            await quotes.save(draft)
    if len(drafts) == BATCH:
        call.schedule(call.now, pb.MarkStaleQuotesRequest(price_entry=request.price_entry, after=drafts[-1].name))
    return Empty()


ApprovalEvent = (
    events.ApprovalRequestCreated
    | events.ApprovalRequestApproved
    | events.ApprovalRequestRejected
    | events.ApprovalRequestRecalled
)


async def approval_heard(event: ApprovalEvent, outcome: pb.QuoteApprovalRequest.Outcome.ValueType, call: Call) -> Empty:
    """Notes what became of a request about what is on offer. Locked, so that an acceptance comes before or after."""
    quote = await call.repo(Quote).find(event.subject, lock=True)
    if quote is not None and quote.hear(event.version, event.fingerprint, event.approval_request, outcome):
        await call.repo(Quote).save(quote)
    return Empty()
