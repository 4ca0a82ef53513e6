"""Nothing is shown or accepted that somebody still has to agree to, and every refusal says what to do next."""

from typing import Any

import pytest
from revops.quoting.v1 import approval_events_pb2 as events
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as approvals
from revops.quoting.v1 import quotes_pb2 as pb

from tests.quoting.approvals.deals import role, rule
from tests.quoting.approvals.office import Office, approve, reject
from tests.quoting.quotes.deals import Deals, later
from tests.world import World

S = pb.QuoteApproval.State


@pytest.fixture
async def office(world: World) -> Office:
    """Where a boss agrees to discounts above 10 %."""
    return await Office.opened(world, rule("boss", "max_line_discount_rate > 0.1", role("boss")))


async def heard(office: Office, subject: str) -> pb.Quote:
    """A quote that has heard everything that was told of its approval, the latest first and all of it twice."""
    for event in reversed([e for e in await office.told() if getattr(e, "subject", "") == subject]):
        if not isinstance(event, events.ApprovalRequestEscalated):
            await office.hear(event)
    return await office.deals.get(subject)


def refusal(office: Office, quote: pb.Quote, verb: type[Any] = pb.AcceptQuoteRequest) -> Any:
    return office.deals.caller.refusal(verb(name=quote.name))


async def test_a_quote_that_needs_no_approval_is_presented_and_accepted(office: Office) -> None:
    quote = await office.offer("0.1")
    assert quote.approval.state == S.STATE_NOT_NEEDED
    shown = await office.deals.caller(pb.PresentQuoteRequest(name=quote.name))
    assert (shown.state, shown.expire_time) == (pb.Quote.STATE_SUBMITTED, quote.expire_time)
    again = await office.deals.caller(pb.PresentQuoteRequest(name=quote.name))
    assert again.present_time == shown.present_time
    told = [e for e in await office.deals.events() if isinstance(e, pb.QuotePresented)]
    assert [(e.quote, e.version, e.content_hash) for e in told] == [(quote.name, 1, quote.content_hash)]
    assert (await office.deals.caller(pb.AcceptQuoteRequest(name=quote.name))).state == pb.Quote.STATE_ACCEPTED


@pytest.mark.parametrize("verb", [pb.AcceptQuoteRequest, pb.PresentQuoteRequest])
async def test_a_discounted_quote_waits_for_the_boss(office: Office, verb: type[Any]) -> None:
    quote = await office.offer("0.2")
    assert quote.approval.state == S.STATE_NEEDED
    request = await office.request(quote.name)
    assert (await heard(office, quote.name)).approval.state == S.STATE_PENDING
    refused = await refusal(office, quote, verb)
    assert (refused.reason, refused.metadata["approval_request"]) == ("QUOTE_APPROVAL_PENDING", request.name)
    await (await office.who("boss", "boss"))(approve(request))
    quote = await heard(office, quote.name)
    assert (quote.approval.state, quote.approval.approval_request) == (S.STATE_GRANTED, request.name)
    await office.deals.caller(verb(name=quote.name, etag=quote.etag))


async def test_who_is_approved_need_not_wait_until_the_quote_has_heard_of_it(office: Office) -> None:
    quote = await office.offer("0.2")
    await (await office.who("boss", "boss"))(approve(await office.request(quote.name)))
    accepted = await office.deals.caller(pb.AcceptQuoteRequest(name=quote.name))
    assert (accepted.state, accepted.approval.state) == (pb.Quote.STATE_ACCEPTED, S.STATE_GRANTED)


async def test_a_refused_quote_is_revised_and_offered_at_a_better_price(office: Office) -> None:
    quote = await office.offer("0.2")
    request = await office.request(quote.name)
    await (await office.who("boss", "boss"))(reject(request))
    refused = await refusal(office, quote)
    assert (refused.reason, refused.metadata["approval_request"]) == ("QUOTE_APPROVAL_REFUSED", request.name)
    assert (await heard(office, quote.name)).approval.state == S.STATE_REFUSED
    assert (await office.revise(quote.name, rate="0.1")).approval.state == S.STATE_NOT_NEEDED
    assert (await heard(office, quote.name)).approval.state == S.STATE_NOT_NEEDED  # what was said of version 1 counts no more
    await office.deals.caller(pb.AcceptQuoteRequest(name=quote.name))


async def test_a_recalled_request_is_asked_for_again(office: Office) -> None:
    quote = await office.offer("0.2")
    await office.deals.caller(approvals.RecallApprovalRequestRequest(name=(await office.request(quote.name)).name))
    assert (await heard(office, quote.name)).approval.state == S.STATE_NEEDED
    assert (await refusal(office, quote)).reason == "QUOTE_APPROVAL_NEEDED"
    again = await office.deals.caller(approvals.RequestApprovalRequest(name=quote.name))
    await (await office.who("boss", "boss"))(approve(again))
    assert (await heard(office, quote.name)).approval.approval_request == again.name


async def test_a_smaller_discount_is_within_what_was_approved(office: Office) -> None:
    quote = await office.offer("0.2")
    request = await office.request(quote.name)
    await (await office.who("boss", "boss"))(approve(request))
    better = await office.revise(quote.name, rate="0.15")
    assert (better.approval.state, better.approval.approval_request) == (S.STATE_GRANTED, request.name)
    await office.deals.caller(pb.AcceptQuoteRequest(name=quote.name))


async def test_rules_that_were_taken_back_no_longer_stop_a_quote(office: Office) -> None:
    quote = await office.offer("0.2")
    (policy,) = (await office.deals.caller(approvals.ListApprovalPoliciesRequest())).approval_policies
    await office.deals.caller(approvals.RetireApprovalPolicyRequest(name=policy.name))
    accepted = await office.deals.caller(pb.AcceptQuoteRequest(name=quote.name))
    assert accepted.approval.state == S.STATE_NOT_NEEDED


async def test_a_preview_of_a_submit_tells_that_approval_will_be_needed(office: Office) -> None:
    draft = office.deals.offer("10")
    draft.lines[0].discount_rate = "0.2"
    made = await office.deals.caller(pb.CreateQuoteRequest(quote=draft))
    assert not made.HasField("approval")
    assert (await office.deals.submit(made.name, validate_only=True)).approval.state == S.STATE_NEEDED


async def test_a_partner_whose_rules_look_at_margins_is_told_to_wait_and_no_margin(world: World) -> None:
    office = Office(world, await Deals.opened(await world.caller(sub="users/seller"), unit_cost="4"))
    await office.publish(policies.ApprovalPolicy(display_name="Thin", rules=[rule("thin", "margin_rate < 0.7", role("boss"))]))
    partner = office.deals.by(await world.caller("partner", tenant=office.tenant, partner="partners/p", sub="users/p"))
    quote = await partner.submitted()
    assert (quote.approval.state, quote.totals.margin) == (S.STATE_NEEDED, "")
    await office.hear(pb.QuoteSubmitted(quote=quote.name, version=1, content_hash=quote.content_hash))
    refused = await partner.caller.refusal(pb.PresentQuoteRequest(name=quote.name))
    assert refused.reason == "QUOTE_APPROVAL_PENDING"


async def test_an_expired_quote_is_not_presented(office: Office) -> None:
    quote = await office.offer("0.1")
    with later(days=32):
        late = office.deals.by(await office.world.caller(tenant=office.tenant))
        assert (await late.caller.refusal(pb.PresentQuoteRequest(name=quote.name))).reason == "QUOTE_ALREADY_EXPIRED"


async def test_news_of_a_quote_that_does_not_exist_changes_nothing(office: Office) -> None:
    event = events.ApprovalRequestApproved(
        approval_request="approvalRequests/r", subject="quotes/none", version=1, fingerprint="f"
    )
    await office.hear(event)
