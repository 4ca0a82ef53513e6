"""Tries the rules of a policy on quotes of the past, and tells what differs from what is in force."""

from collections.abc import Sequence

from revops.quoting.v1 import approval_policies_pb2 as pb
from revops.quoting.v1 import approvals_pb2 as approvals
from revops.quoting.v1 import deal_facts_pb2 as facts_pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel.call import Call

from ..deal_facts import facts_of
from .assessing import in_force, seats_by
from .families import add_families
from .matching import matches
from .policies import ApprovalPolicy, ApprovalPolicyVersion

_Change = pb.DryRunDifference.Change
Versions = Sequence[pb.ApprovalPolicyVersion]


async def dry_run(request: approvals.DryRunApprovalPolicyRequest, call: Call) -> approvals.DryRunApprovalPolicyResponse:
    """One page of quotes under both. Whose deal a past quote was is not known, so managers are shown as the fallback role."""
    policy = await call.repo(ApprovalPolicy).get(request.name)
    before = await in_force(call)
    tried = ApprovalPolicyVersion.frozen(f"{policy.name}/versions/draft", policy.state).state
    after = [*(each for each in before if each.policy.name != policy.name), tried]
    asked = quotes.ListQuotesRequest(
        filter=request.quote_filter, page_size=request.quote_count or 50, page_token=request.quote_token
    )
    page = await call.ask(asked, quotes.ListQuotesResponse)
    response = approvals.DryRunApprovalPolicyResponse(quotes=len(page.quotes), next_quote_token=page.next_page_token)
    deals = [facts_of(quote) for quote in page.quotes]
    await add_families(call, [*before, tried], deals)
    for facts in deals:
        compare(response, facts.subject, asked_for(before, facts), asked_for(after, facts))
    return response


def asked_for(versions: Versions, facts: facts_pb.DealFacts) -> list[str]:
    """Who is asked for a deal, "rule: seats" each."""
    seats, found = seats_by(facts, ()), matches(versions, facts)
    return [f"{match.step_id}: {', '.join(seat.approver for seat in seats(match)[0])}" for match in found]


def compare(response: approvals.DryRunApprovalPolicyResponse, quote: str, before: Sequence[str], after: Sequence[str]) -> None:
    """Adds one quote to the answer."""
    response.needing_before += bool(before)
    response.needing_after += bool(after)
    if before == after:
        return
    change = _Change.CHANGE_OTHERS if before and after else _Change.CHANGE_NEEDED if after else _Change.CHANGE_NOT_NEEDED
    response.differences.add(quote=quote, change=change, before=before, after=after)
