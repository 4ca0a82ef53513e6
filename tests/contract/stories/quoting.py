"""Stories of quoting."""

from collections.abc import Mapping

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from revops.catalog.v1 import price_books_pb2 as books
from revops.quoting.v1 import approval_events_pb2 as events
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as approvals
from revops.quoting.v1 import quotes_pb2 as quotes

from tests.contract import approving, making
from tests.contract.stories.telling import Story, after, beside, changing, of, plainly
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


async def tried_policy(world: World, caller: Caller) -> Message:
    """A policy under which a quote needs approval, and a version of it that asks for none."""
    quote = await making.quote(world, caller)
    offer = policies.ApprovalPolicy(display_name="Deals", rules=[approving.rule(f'account == "{quote.account}"')])
    made = await making.house(world, caller)(approvals.CreateApprovalPolicyRequest(approval_policy=offer))
    return approvals.DryRunApprovalPolicyRequest(name=made.name)


async def previewed_quote(world: World, caller: Caller) -> Message:
    return approvals.PreviewApprovalRequest(quote=(await approving.approved(world, caller)).subject)


def published(request: type[Message], at: str) -> Story:
    """A request about the version of a policy, or about all of them."""

    async def story(world: World, caller: Caller) -> Message:
        policy = await approving.policy(world, caller)
        return request(**{at: policy.name if at == "parent" else f"{policy.name}/versions/1"})

    return story


def taken_back(event: type[Message]) -> Story:
    """What is told of a quote that is no longer on the table, while its approval is under way."""

    async def story(world: World, caller: Caller) -> Message:
        found = await approving.request(world, caller)
        return event(quote=found.subject, version=found.facts.version)

    return story


def heard(event: type[Message]) -> Story:
    """What is told of a request about what is on offer."""

    async def story(world: World, caller: Caller) -> Message:
        found = await approving.request(world, caller)
        about = {"subject": found.subject, "version": found.facts.version, "fingerprint": found.fingerprint}
        return event(approval_request=found.name, **about)

    return story


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
    "QuoteService.OnApprovalRequestCreated": heard(events.ApprovalRequestCreated),
    "QuoteService.OnApprovalRequestApproved": heard(events.ApprovalRequestApproved),
    "QuoteService.OnApprovalRequestRejected": heard(events.ApprovalRequestRejected),
    "QuoteService.OnApprovalRequestRecalled": heard(events.ApprovalRequestRecalled),
    "ApprovalService.CreateApprovalPolicy": plainly(
        approvals.CreateApprovalPolicyRequest,
        approval_policy=policies.ApprovalPolicy(display_name="Deals", rules=[approving.rule('account == "accounts/none"')]),
    ),
    "ApprovalService.GetApprovalPolicyVersion": published(approvals.GetApprovalPolicyVersionRequest, "name"),
    "ApprovalService.ListApprovalPolicyVersions": published(approvals.ListApprovalPolicyVersionsRequest, "parent"),
    "ApprovalService.DryRunApprovalPolicy": tried_policy,
    "ApprovalService.CheckBounds": approving.checked_bounds,
    "ApprovalService.PreviewApproval": previewed_quote,
    "ApprovalService.RequestApproval": of(approving.covered_quote, approvals.RequestApprovalRequest),
    "ApprovalService.GetApprovalRequest": of(approving.approved, approvals.GetApprovalRequestRequest),
    "ApprovalService.ListApprovalRequests": after(approving.approved, approvals.ListApprovalRequestsRequest),
    "ApprovalService.RecallApprovalRequest": of(approving.request, approvals.RecallApprovalRequestRequest),
    "ApprovalService.CommentApprovalRequest": of(approving.request, approvals.CommentApprovalRequestRequest, text="Why?"),
    "ApprovalService.GetApprovalTemplate": plainly(approvals.GetApprovalTemplateRequest, name="approvalTemplates/deal-approval"),
    "ApprovalService.ApproveApprovalRequest": approving.approval,
    "ApprovalService.RejectApprovalRequest": of(approving.request, approvals.RejectApprovalRequestRequest),
    "ApprovalService.OnQuoteSubmitted": approving.quote_event,
    "ApprovalService.OnQuoteWithdrawn": taken_back(quotes.QuoteWithdrawn),
    "ApprovalService.OnQuoteExpired": taken_back(quotes.QuoteExpired),
    "ApprovalService.OnQuoteAccepted": taken_back(quotes.QuoteAccepted),
    "ApprovalService.OnQuoteRejected": taken_back(quotes.QuoteRejected),
    "ApprovalService.OnQuoteSuperseded": taken_back(quotes.QuoteSuperseded),
    "ApprovalService.EscalateApprovalStep": approving.overdue_step,
    "ApprovalService.CheckApprovalSubject": approving.fallen_subject,
    "ApprovalService.CreateApprovalDelegation": approving.created_delegation,
    "ApprovalService.CreateReportingLine": approving.created_line,
}
