"""Makes what approvals need: rules that ask the caller, and a quote that somebody else has submitted."""

from typing import Any

from google.protobuf.message import Message
from joserfc import jwt
from revops.quoting.v1 import approval_people_pb2 as people
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as approvals
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel import clock
from revops_mesh.kernel.names import new_id
from revops_mesh.quoting.deal_facts import facts_of
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


def chief(world: World, caller: Caller) -> Caller:
    """Whom the rules ask by name."""
    return Caller(world, caller.tenant, world.token(caller.tenant, "admin", sub="users/chief"))


def rule(condition: str = 'account == "accounts/none"', user: str = "users/maria", **fields: Any) -> policies.ApprovalRule:
    """A rule that asks one person."""
    asked = [policies.Approver(user=user)]
    return policies.ApprovalRule(**{"rule_id": "one", "condition": condition, "approvers": asked, **fields})


async def policy(world: World, caller: Caller, *rules: policies.ApprovalRule) -> Any:
    """A published policy."""
    offer = policies.ApprovalPolicy(display_name="Deals", rules=rules or [rule()])
    made = await house(world, caller)(approvals.CreateApprovalPolicyRequest(approval_policy=offer))
    return await house(world, caller)(approvals.PublishApprovalPolicyRequest(name=made.name))


async def submitted_quote(world: World, caller: Caller, by: Caller, **fields: Any) -> Any:
    """A quote, submitted by somebody, that an administrator and anyone else have to approve."""
    quote = await making.submitted_quote(world, by)
    asked = [policies.Approver(user="users/chief"), policies.Approver(anyone=True)]
    limit = {"response_minutes": 1, "escalation": [policies.Approver(role="admin")], "approvers": asked}
    await policy(world, caller, rule(f'account == "{quote.account}"', **{**limit, **fields}))
    return quote


async def request(world: World, caller: Caller) -> Any:
    """A request about somebody else's quote that an administrator has approved and anyone may complete."""
    by = seller(world, caller)
    quote = await submitted_quote(world, caller, by)
    made = await by(approvals.RequestApprovalRequest(name=quote.name))
    return await chief(world, caller)(approvals.ApproveApprovalRequestRequest(name=made.name))


async def approved(world: World, caller: Caller, by: Caller | None = None) -> Any:
    """The same, completed by the caller unless by somebody else."""
    name = (await request(world, caller)).name
    return await (by or caller)(approvals.ApproveApprovalRequestRequest(name=name))


async def approval(world: World, caller: Caller) -> Message:
    """The decision that completes a request, with bounds of its own."""
    bounds = approvals.ApprovalBounds(margins=approvals.MarginBounds(min_margin_rate="-1"))
    return approvals.ApproveApprovalRequestRequest(name=(await request(world, caller)).name, bounds=bounds)


async def covered_quote(world: World, caller: Caller) -> Any:
    """A quote that leaves the bounds of its last version, whose decisions still cover every step: it is approved at once."""
    found, by = await approved(world, caller, house(world, caller)), seller(world, caller)
    await by(quotes.ReviseQuoteRequest(name=found.subject))
    longer = quotes.Quote(name=found.subject, term_months=12)
    await by(quotes.UpdateQuoteRequest(quote=longer))
    return await by(quotes.SubmitQuoteRequest(name=found.subject))


async def quote_event(world: World, caller: Caller) -> Message:
    """The event of such a quote."""
    quote = await covered_quote(world, caller)
    return quotes.QuoteSubmitted(quote=quote.name, version=quote.version, content_hash=quote.content_hash)


async def checked_bounds(world: World, caller: Caller) -> Message:
    """The facts of a quote that is approved."""
    found = await approved(world, caller)
    quote = await house(world, caller)(quotes.GetQuoteRequest(name=found.subject))
    return approvals.CheckBoundsRequest(subject=quote.name, facts=facts_of(quote), fingerprint=quote.content_hash)


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


async def created_delegation(world: World, caller: Caller) -> Message:
    """From now on, to somebody new."""
    today = clock.now()
    days = {"year": today.year, "month": today.month, "day": today.day}
    offer = people.ApprovalDelegation(delegate=f"users/{new_id()}", start_date=days, end_date={**days, "year": today.year + 1})
    return approvals.CreateApprovalDelegationRequest(approval_delegation=offer)


async def created_line(world: World, caller: Caller) -> Message:
    """Of somebody new, who manages nobody."""
    offer = people.ReportingLine(employee=f"users/{new_id()}", manager="users/maria")
    return approvals.CreateReportingLineRequest(reporting_line=offer)
