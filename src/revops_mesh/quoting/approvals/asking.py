"""Asks for the approval of a quote: by command, or as what follows from its submission. Times are instants in UTC."""

from datetime import UTC, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from revops.platform.v1 import audit_pb2 as audit
from revops.platform.v1 import reference_pb2 as reference
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import deal_facts_pb2 as facts_pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import Failure

from .assessing import assess
from .request import ApprovalRequest, Asked

SETTLING = timedelta(minutes=1)
"""After which it is looked whether the quote still stands: it may be taken from the table while its request is being created."""

_SUBMIT = "revops.quoting.v1.QuoteService.SubmitQuote"


async def subject_of(call: Call, name: str) -> quotes.Quote:
    """The quote as it is. Refused with RESOURCE_NOT_FOUND."""
    return await call.ask(quotes.GetQuoteRequest(name=name), quotes.Quote)


def stands(quote: quotes.Quote, fingerprint: str) -> bool:
    """Whether a quote is on the table with exactly this content."""
    return quote.state == quotes.Quote.STATE_SUBMITTED and quote.content_hash == fingerprint


def must_stand(quote: quotes.Quote, fingerprint: str) -> None:
    """Raises APPROVAL_SUBJECT_CHANGED unless it does."""
    if not stands(quote, fingerprint):
        text = "{subject} is {state}, or has changed since: it is not what this approval is about."
        state = quotes.Quote.State.Name(quote.state).removeprefix("STATE_")
        raise Failure(pb.ApprovalReason, pb.APPROVAL_SUBJECT_CHANGED, text, subject=quote.name, state=state)


async def submitter_of(call: Call, quote: str) -> str:
    """Who submitted a quote last, by the audit log; "" if that is not known any more."""
    asked = audit.ListAuditEntriesRequest(resource=quote, page_size=100)
    entries = (await call.ask(asked, audit.ListAuditEntriesResponse)).entries
    return next((each.principal for each in entries if each.method == _SUBMIT and each.outcome == "OK"), "")


async def request_for(call: Call, facts: facts_pb.DealFacts, fingerprint: str, note: str = "") -> ApprovalRequest | None:
    """A new request if the deal needs one; None if it needs none, or has one."""
    found = await assess(call, facts, fingerprint)
    if found.answer.outcome != pb.CheckBoundsResponse.OUTCOME_NEEDED:
        return None
    name = call.repo(ApprovalRequest).name()
    asked = Asked(facts, fingerprint, found.answer.steps, found.versions)
    request = ApprovalRequest.ask(name, asked, note, call.now)
    await date_steps(call, request)
    call.schedule(call.now + SETTLING, pb.CheckApprovalSubjectRequest(name=name))
    return await call.repo(ApprovalRequest).add(request)


async def date_steps(call: Call, request: ApprovalRequest) -> None:
    """Says until when open steps should be decided, and has those that are not escalated."""
    for step in request.undated:
        step.due_time.CopyFrom(await _due(call, step))
        timer = pb.EscalateApprovalStepRequest(name=request.name, step_id=step.step_id)
        call.schedule(step.due_time.ToDatetime(tzinfo=UTC), timer)


async def _due(call: Call, step: pb.ApprovalStep) -> Timestamp:
    """By the calendar; where that is gone or empty, every minute counts: a deal is not stopped by a calendar."""
    minutes = step.rule.response_minutes
    if step.calendar:
        asked = reference.AddBusinessHoursRequest(name=step.calendar, start_time=clock.timestamp(call.now), minutes=minutes)
        try:
            return (await call.ask(asked, reference.AddBusinessHoursResponse)).end_time
        except Failure:
            pass
    return clock.timestamp(call.now + timedelta(minutes=minutes))
