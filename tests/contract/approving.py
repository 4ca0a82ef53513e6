"""Makes what approvals need: rules that ask the caller, and a quote that somebody else has submitted."""

from typing import Any

from google.protobuf.message import Message
from joserfc import jwt
from revops.quoting.v1 import approval_people_pb2 as people
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as approvals
from revops.quoting.v1 import deal_facts_pb2 as facts_pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel import clock
from revops_mesh.kernel.names import new_id
from tests.contract import making
from tests.contract.making import house
from tests.world import Caller, World


def claims(world: World, caller: Caller) -> dict[str, Any]:
    """What the caller's token says."""
    return dict(jwt.decode(caller.token, world.key, algorithms=["ES256"]).claims)


def seller(world: World, caller: Caller) -> Caller:
    """Somebody else of the caller's tenant and partner."""
    of = claims(world, caller)
    partner = {"partner": of["partner"]} if of.get("partner") else {}
    return Caller(world, caller.tenant, world.token(caller.tenant, "admin", sub="users/seller", **partner))


def rule(condition: str = "line_count > 0", user: str = "users/maria", **fields: Any) -> policies.ApprovalRule:
    """A rule that asks one person."""
    asked = [policies.Approver(user=user)]
    return policies.ApprovalRule(**{"rule_id": "one", "condition": condition, "approvers": asked, **fields})


async def policy(world: World, caller: Caller, *rules: policies.ApprovalRule) -> Any:
    """A published policy."""
    offer = policies.ApprovalPolicy(display_name="Deals", rules=rules or [rule()])
    made = await house(world, caller)(policies.CreateApprovalPolicyRequest(approval_policy=offer))
    return await house(world, caller)(policies.PublishApprovalPolicyRequest(name=made.name))


async def submitted_quote(world: World, caller: Caller, by: Caller, **fields: Any) -> Any:
    """A quote that needs the caller's approval; submitted by somebody."""
    quote = await making.submitted_quote(world, by)
    asked = {"response_minutes": 1, "escalation": [policies.Approver(role="admin")], **fields}
    await policy(world, caller, rule(f'account == "{quote.account}"', claims(world, caller)["sub"], **asked))
    return quote


async def created_request(world: World, caller: Caller) -> Message:
    """Asks for the approval of a quote that needs it."""
    quote = await submitted_quote(world, caller, caller)
    return approvals.CreateApprovalRequestRequest(approval_request=approvals.ApprovalRequest(subject=quote.name))


async def request(world: World, caller: Caller) -> Any:
    """A request that waits for the caller's decision about somebody else's quote."""
    by = seller(world, caller)
    quote = await submitted_quote(world, caller, by)
    offer = approvals.ApprovalRequest(subject=quote.name)
    return await by(approvals.CreateApprovalRequestRequest(approval_request=offer))


async def quote_event(world: World, caller: Caller) -> Message:
    """The event of a quote that needs approval and has none."""
    quote = await submitted_quote(world, caller, caller)
    return quotes.QuoteSubmitted(quote=quote.name, version=quote.version, content_hash=quote.content_hash)


async def granted_event(world: World, caller: Caller) -> Message:
    """The event of a quote whose every step an earlier decision covers: it is approved at once."""
    found = await request(world, caller)
    await caller(approvals.ApproveApprovalRequestRequest(name=found.name))
    by = seller(world, caller)
    await by(quotes.ReviseQuoteRequest(name=found.subject))
    quote = await by(quotes.GetQuoteRequest(name=found.subject))
    quote.lines[0].quantity = "9"
    await by(quotes.UpdateQuoteRequest(quote=quotes.Quote(name=quote.name, term_months=12, lines=quote.lines)))
    quote = await by(quotes.SubmitQuoteRequest(name=quote.name))
    return quotes.QuoteSubmitted(quote=quote.name, version=quote.version, content_hash=quote.content_hash)


async def overdue_step(world: World, caller: Caller) -> Message:
    """A step that was not decided in time, behind the contract's back: nobody can wait for it."""
    found = await request(world, caller)
    found.steps[0].due_time.FromSeconds(1)
    found.ClearField("etag")
    written = "UPDATE quoting.approval_requests SET body=$3 WHERE tenant_id=$1 AND name=$2"
    await world.owner.execute(written, caller.tenant, found.name, found.SerializeToString())
    return approvals.EscalateApprovalStepRequest(name=found.name, step_id=found.steps[0].step_id)


async def fallen_subject(world: World, caller: Caller) -> Message:
    """A request whose quote was withdrawn, before anybody has heard of it."""
    found = await request(world, caller)
    await seller(world, caller)(quotes.WithdrawQuoteRequest(name=found.subject))
    return approvals.CheckApprovalSubjectRequest(name=found.name)


async def checked_bounds(world: World, caller: Caller) -> Message:
    """The facts of a quote that needs approval."""
    quote = await submitted_quote(world, caller, caller)
    facts = facts_pb.DealFacts(account=quote.account, currency_code="EUR", line_count=1)
    return approvals.CheckBoundsRequest(subject=quote.name, facts=facts)


async def created_delegation(world: World, caller: Caller) -> Message:
    """From now on, to somebody new."""
    today = clock.now()
    days = {"year": today.year, "month": today.month, "day": today.day}
    offer = people.ApprovalDelegation(delegate=f"users/{new_id()}", start_date=days, end_date={**days, "year": today.year + 1})
    return people.CreateApprovalDelegationRequest(approval_delegation=offer)


async def delegation(world: World, caller: Caller) -> Any:
    """A delegation by the caller."""
    return await caller(await created_delegation(world, caller))


async def created_line(world: World, caller: Caller) -> Message:
    """Of somebody new, who manages nobody."""
    offer = people.ReportingLine(employee=f"users/{new_id()}", manager="users/maria")
    return people.CreateReportingLineRequest(reporting_line=offer)
