"""What a quote knows of its approval: what the rules answered, and what was heard of requests since.

Events come late, twice and in any order, so what is known is a set that only grows: of each request the largest outcome that was
heard, where a request that ended is larger than one that is under way. The state follows from the set, not from its history. One
version has at most one request that ends with a decision, because a decided request is not asked for again (decision 23).
"""

from revops.quoting.v1 import approvals_pb2 as approvals
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import Failure

_State, _Outcome, _Answer = pb.QuoteApproval.State, pb.QuoteApprovalRequest.Outcome, approvals.CheckBoundsResponse
MOST_RECALLED = 100
"""Requests taken back that are remembered. One that is forgotten and heard of late looks open until the rules are asked again."""

SETTLED = frozenset({_State.STATE_NOT_NEEDED, _State.STATE_GRANTED})
"""With which an offer may be shown and accepted."""

_ANSWERED = {
    _Answer.OUTCOME_NOT_NEEDED: _State.STATE_NOT_NEEDED,
    _Answer.OUTCOME_NEEDED: _State.STATE_NEEDED,
    _Answer.OUTCOME_PENDING: _State.STATE_PENDING,
    _Answer.OUTCOME_GRANTED: _State.STATE_GRANTED,
    _Answer.OUTCOME_REJECTED: _State.STATE_REFUSED,
}
_HEARD = {
    _Outcome.OUTCOME_OPEN: _State.STATE_PENDING,
    _Outcome.OUTCOME_REJECTED: _State.STATE_REFUSED,
    _Outcome.OUTCOME_APPROVED: _State.STATE_GRANTED,
}


def answered(answer: approvals.CheckBoundsResponse) -> pb.QuoteApproval:
    """What is known when the rules have just answered: they know of every request, so nothing heard before counts."""
    # An answer that this release does not know is none that lets anything pass.
    found = pb.QuoteApproval(asked_state=_ANSWERED.get(answer.outcome, _State.STATE_NEEDED), asked_request=answer.request)
    _derive(found)
    return found


def hear(approval: pb.QuoteApproval, request: str, outcome: pb.QuoteApprovalRequest.Outcome.ValueType) -> bool:
    """Adds what was heard of a request about the same version; False if it is nothing new."""
    known = {each.approval_request: each.outcome for each in approval.requests}
    if known.get(request, _Outcome.OUTCOME_UNSPECIFIED) >= outcome:
        return False
    known[request] = outcome
    recalled = sorted(name for name, what in known.items() if what == _Outcome.OUTCOME_RECALLED)
    for name in recalled[:-MOST_RECALLED]:
        del known[name]
    del approval.requests[:]
    for name, what in sorted(known.items()):
        approval.requests.add(approval_request=name, outcome=what)
    _derive(approval)
    return True


def _derive(approval: pb.QuoteApproval) -> None:
    """The state and its request: of those heard of the largest outcome, but one taken back counts as never asked for."""
    heard = [(each.outcome, each.approval_request) for each in approval.requests if each.outcome in _HEARD]
    if heard:
        outcome, approval.approval_request = max(heard)
        approval.state = _HEARD[outcome]
    else:
        approval.state, approval.approval_request = approval.asked_state, approval.asked_request


def must_be_settled(quote: pb.Quote) -> None:
    """Raises QUOTE_APPROVAL_NEEDED, QUOTE_APPROVAL_PENDING, QUOTE_APPROVAL_REFUSED unless a quote may be shown and accepted."""
    state, request = quote.approval.state, quote.approval.approval_request
    if state in SETTLED:
        return
    if state == _State.STATE_PENDING:
        text = "{quote} waits for {approval_request}: it can be presented and accepted once that is approved."
        raise Failure(pb.QuoteReason, pb.QUOTE_APPROVAL_PENDING, text, quote=quote.name, approval_request=request)
    if state == _State.STATE_REFUSED:
        text = "{quote} was not approved, see {approval_request}: revise it and offer something else."
        raise Failure(pb.QuoteReason, pb.QUOTE_APPROVAL_REFUSED, text, quote=quote.name, approval_request=request)
    text = "{quote} needs approval first: RequestApproval asks for it, if it is not on its way."
    raise Failure(pb.QuoteReason, pb.QUOTE_APPROVAL_NEEDED, text, quote=quote.name)
