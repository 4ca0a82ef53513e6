"""What happens to requests without anybody calling: quotes are submitted and taken back, and time passes. Instants are in UTC.

All of it may come late, twice or in any order: a request is unique for what it is about, and only what is open is ended.
"""

from datetime import UTC

from google.protobuf.empty_pb2 import Empty
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import Failure

from ..deal_facts import facts_of
from .asking import request_for, stands, subject_of, submitter_of
from .judgement import OPEN
from .queries import OPEN_OF_SUBJECT
from .request import ApprovalRequest

_NOT_NEEDED = quotes.QuoteApproval.STATE_NOT_NEEDED


async def submitted(event: quotes.QuoteSubmitted, call: Call) -> Empty:
    """Creates the request that the quote needs, if it is still what was submitted.

    What the rules said at the submit holds: a policy that was published since asks for nothing.
    """
    quote = await _found(call, event.quote)
    if quote is None or not stands(quote, event.content_hash) or quote.approval.asked_state == _NOT_NEEDED:
        return Empty()
    facts = facts_of(quote)
    facts.submitter = await submitter_of(call, quote.name)
    await request_for(call, facts, quote.content_hash)
    return Empty()


async def taken_back(call: Call, quote: str, version: int, reason: str, *, expired: bool = False) -> Empty:
    """Ends what is open about a quote up to a version. Locked, so that a decision at the same time comes before or after."""
    requests = call.repo(ApprovalRequest)
    for found in await requests.select(OPEN_OF_SUBJECT, [quote]):
        request = await requests.get(found.name, lock=True)
        if request.state.state in OPEN and request.state.facts.version <= version:
            (request.expire if expired else request.recall)(reason, call.now)
            await requests.save(request)
    return Empty()


async def escalate(wanted: pb.EscalateApprovalStepRequest, call: Call) -> Empty:
    """Asks those above, too. A timer that fires early is set again."""
    request = await call.repo(ApprovalRequest).find(wanted.name, lock=True)
    if request is None or request.state.state not in OPEN:
        return Empty()
    step = next((each for each in request.state.steps if each.step_id == wanted.step_id), None)
    due = step.due_time.ToDatetime(tzinfo=UTC) if step is not None else call.now
    if step is not None and step.state == pb.ApprovalStep.STATE_PENDING and due > call.now:
        call.schedule(due, wanted)
    elif request.escalate(wanted.step_id, call.now):
        await call.repo(ApprovalRequest).save(request)
    return Empty()


async def check_subject(wanted: pb.CheckApprovalSubjectRequest, call: Call) -> Empty:
    """Recalls a request whose quote no longer stands."""
    request = await call.repo(ApprovalRequest).find(wanted.name, lock=True)
    if request is None or request.state.state not in OPEN:
        return Empty()
    quote = await _found(call, request.state.subject)
    if quote is None or not stands(quote, request.state.fingerprint):
        request.recall("The quote was taken from the table.", call.now)
        await call.repo(ApprovalRequest).save(request)
    return Empty()


async def _found(call: Call, name: str) -> quotes.Quote | None:
    try:
        return await subject_of(call, name)
    except Failure as failure:
        if failure.reason != "RESOURCE_NOT_FOUND":
            raise
        return None
