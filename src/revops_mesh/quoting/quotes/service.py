"""QuoteService over quotes and their versions. Access, edition and audit: see the contract."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from google.protobuf.empty_pb2 import Empty
from revops.catalog.v1 import price_books_pb2 as books
from revops.platform.v1 import reference_pb2 as reference
from revops.quoting.v1 import approval_events_pb2 as events
from revops.quoting.v1 import approvals_pb2 as approvals
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.aip.listing import merged, page
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import Failure, invalid

from ..deal_facts import facts_of
from . import approval, reactions
from .domain import Quote
from .explanation import explanation
from .pricing import Prices, question
from .versions import QuoteVersion

_Outcome = pb.QuoteApprovalRequest.Outcome


class QuoteService:
    """One method per rpc: load, verb, save."""

    async def CreateQuote(self, request: pb.CreateQuoteRequest, call: Call) -> pb.Quote:
        quotes, prices = call.repo(Quote), await _prices(call, request.quote)
        quote = Quote.draft(quotes.name(request.quote_id), request.quote, prices, call.principal.partner)
        return (await quotes.add(quote)).state

    async def GetQuote(self, request: pb.GetQuoteRequest, call: Call) -> pb.Quote:
        return (await call.repo(Quote).get(request.name)).state

    async def ListQuotes(self, request: pb.ListQuotesRequest, call: Call) -> pb.ListQuotesResponse:
        return await page(call, Quote, request, pb.ListQuotesResponse)

    async def UpdateQuote(self, request: pb.UpdateQuoteRequest, call: Call) -> pb.Quote:
        quote = await call.repo(Quote).get(request.quote.name, request.quote.etag)
        quote.must_allow("update")
        changed = merged(call, quote, request.quote, request.update_mask)
        quote.update(changed, await _prices(call, changed) if quote.needs_prices(changed) else None)
        return (await call.repo(Quote).save(quote)).state

    async def DeleteQuote(self, request: pb.DeleteQuoteRequest, call: Call) -> Empty:
        quote = await call.repo(Quote).get(request.name, request.etag)
        quote.must_be_deletable()
        await call.repo(Quote).delete(quote)
        return Empty()

    async def RepriceQuote(self, request: pb.RepriceQuoteRequest, call: Call) -> pb.Quote:
        quote = await call.repo(Quote).get(request.name, request.etag)
        quote.must_allow("reprice")
        quote.reprice(await _prices(call, quote.state))
        return (await call.repo(Quote).save(quote)).state

    async def SubmitQuote(self, request: pb.SubmitQuoteRequest, call: Call) -> pb.Quote:
        # Locked, so that of two submits the second finds the quote submitted and not a version of its name.
        quote = await call.repo(Quote).get(request.name, request.etag, lock=True)
        quote.must_be_submittable()
        offered = quote.ready(await _prices(call, quote.state), await _zone(call, quote.state.legal_entity))
        approved = approval.answered(await _bounds(call, quote.state, call.principal.name))
        # Last, because it holds the series for every other submit until the commit.
        number = quote.state.number or f"Q-{await call.next_number('quotes'):06}"
        await call.repo(QuoteVersion).add(quote.submit(number, offered, approved))
        call.schedule(offered.end, pb.ExpireQuoteRequest(name=quote.name, version=quote.state.version))
        return (await call.repo(Quote).save(quote)).state

    async def PresentQuote(self, request: pb.PresentQuoteRequest, call: Call) -> pb.Quote:
        quote = await call.repo(Quote).get(request.name, request.etag, lock=True)
        await _settle(call, quote, "present")
        quote.present(call.now)
        return (await call.repo(Quote).save(quote)).state

    async def AcceptQuote(self, request: pb.AcceptQuoteRequest, call: Call) -> pb.Quote:
        # Locked, so that what is heard of its approval at the same time comes before or after and refuses nobody.
        quote = await call.repo(Quote).get(request.name, request.etag, lock=True)
        await _settle(call, quote, "accept")
        quote.accept(call.now)
        return (await call.repo(Quote).save(quote)).state

    async def RejectQuote(self, request: pb.RejectQuoteRequest, call: Call) -> pb.Quote:
        quote = await call.repo(Quote).get(request.name, request.etag)
        quote.reject(request.reason)
        return (await call.repo(Quote).save(quote)).state

    async def WithdrawQuote(self, request: pb.WithdrawQuoteRequest, call: Call) -> pb.Quote:
        quote = await call.repo(Quote).get(request.name, request.etag)
        quote.withdraw(request.reason)
        return (await call.repo(Quote).save(quote)).state

    async def ReviseQuote(self, request: pb.ReviseQuoteRequest, call: Call) -> pb.Quote:
        quote = await call.repo(Quote).get(request.name, request.etag)
        replaced = quote.version_name
        quote.revise()
        await _supersede_version(call, replaced)
        return (await call.repo(Quote).save(quote)).state

    async def SupersedeQuote(self, request: pb.SupersedeQuoteRequest, call: Call) -> pb.Quote:
        quote = await call.repo(Quote).get(request.name, request.etag)
        by = await call.repo(Quote).get(request.superseded_by)
        quote.supersede(by)
        call.unchanged(by)  # else two quotes could replace each other at once
        if quote.state.content_hash:
            await _supersede_version(call, quote.version_name)
        return (await call.repo(Quote).save(quote)).state

    async def ExplainQuote(self, request: pb.ExplainQuoteRequest, call: Call) -> pb.ExplainQuoteResponse:
        return explanation((await call.repo(Quote).get(request.name)).state)

    async def GetQuoteVersion(self, request: pb.GetQuoteVersionRequest, call: Call) -> pb.QuoteVersion:
        return (await call.repo(QuoteVersion).get(request.name)).state

    async def ListQuoteVersions(self, request: pb.ListQuoteVersionsRequest, call: Call) -> pb.ListQuoteVersionsResponse:
        return await page(call, QuoteVersion, request, pb.ListQuoteVersionsResponse)

    async def ExpireQuote(self, request: pb.ExpireQuoteRequest, call: Call) -> Empty:
        return await reactions.expire(request, call)

    async def OnPriceEntrySuperseded(self, event: books.PriceEntrySuperseded, call: Call) -> Empty:
        return await reactions.price_entry_superseded(event, call)

    async def OnApprovalRequestCreated(self, event: events.ApprovalRequestCreated, call: Call) -> Empty:
        return await reactions.approval_heard(event, _Outcome.OUTCOME_OPEN, call)

    async def OnApprovalRequestApproved(self, event: events.ApprovalRequestApproved, call: Call) -> Empty:
        return await reactions.approval_heard(event, _Outcome.OUTCOME_APPROVED, call)

    async def OnApprovalRequestRejected(self, event: events.ApprovalRequestRejected, call: Call) -> Empty:
        return await reactions.approval_heard(event, _Outcome.OUTCOME_REJECTED, call)

    async def OnApprovalRequestRecalled(self, event: events.ApprovalRequestRecalled, call: Call) -> Empty:
        return await reactions.approval_heard(event, _Outcome.OUTCOME_RECALLED, call)

    async def MarkStaleQuotes(self, request: pb.MarkStaleQuotesRequest, call: Call) -> Empty:
        return await reactions.mark_stale(request, call)


async def _prices(call: Call, quote: pb.Quote) -> Prices:
    """What the catalog says of all lines now, in one question."""
    asked = question(quote, call.now)
    if not asked.items:
        return Prices(call.now, ())
    try:
        return Prices(call.now, (await call.ask(asked, books.ResolvePricesResponse)).plans)
    except Failure as refused:
        if not refused.violations:
            raise
        # In the caller's terms: what was asked is ours.
        raise invalid([(field.replace("items[", "quote.lines[", 1), why) for field, why in refused.violations]) from None


async def _zone(call: Call, legal_entity: str) -> tzinfo:
    """Where the days of a quote end; the platform has checked that the zone exists."""
    if not legal_entity:
        return UTC
    entity = await call.ask(reference.GetLegalEntityRequest(name=legal_entity), reference.LegalEntity)
    return ZoneInfo(entity.time_zone)


async def _bounds(call: Call, quote: pb.Quote, submitter: str = "") -> approvals.CheckBoundsResponse:
    """What the rules of approval say of a quote as it is."""
    facts = facts_of(quote)
    facts.submitter = submitter
    asked = approvals.CheckBoundsRequest(subject=quote.name, facts=facts, fingerprint=quote.content_hash)
    return await call.ask(asked, approvals.CheckBoundsResponse)


async def _settle(call: Call, quote: Quote, verb: str) -> None:
    """Asks the rules of approval anew unless they are known to be kept: an event may be late, and rules change.

    What was granted stays so: a request that is approved never becomes anything else. Raises what `must_be_answerable` raises.
    """
    quote.must_be_answerable(verb, call.now)
    if not quote.is_settled:
        quote.answered(await _bounds(call, quote.state))


async def _supersede_version(call: Call, name: str) -> None:
    versions = call.repo(QuoteVersion)
    version = await versions.get(name)
    version.supersede()
    await versions.save(version)
