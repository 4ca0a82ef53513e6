"""Approvers, sellers and the customer at once, on PostgreSQL: never an acceptance without approval, never an approval lost."""

import asyncio

import pytest
from revops.quoting.v1 import approval_events_pb2 as events
from revops.quoting.v1 import approvals_pb2 as approvals
from revops.quoting.v1 import quotes_pb2 as pb

from tests.quoting.approvals.deals import ALL, role, rule
from tests.quoting.approvals.office import Office, approve
from tests.quoting.approvals.test_races import at_once
from tests.world import World

S, R, A = pb.Quote.State, approvals.ApprovalRequest.State, pb.QuoteApproval.State
TIMES = 6
LOST = {
    "QUOTE_STATE", "QUOTE_APPROVAL_NEEDED", "QUOTE_APPROVAL_PENDING", "ETAG_MISMATCH",
    "APPROVAL_SUBJECT_CHANGED", "APPROVAL_REQUEST_STATE",
}  # fmt: skip


async def relayed(office: Office, quote: str) -> None:
    """Everything that was told of a quote, to everybody, all at once, and once more: nothing comes in order."""
    about = [
        e for _, _, e in await office.world.events(office.tenant) if quote in (getattr(e, "quote", ""), getattr(e, "subject", ""))
    ]
    heard = [e for e in about if e.DESCRIPTOR.full_name in office.world.kernel.reactions]
    for _ in range(2):
        await asyncio.gather(*(office.deals.told(event) for event in heard))


@pytest.mark.parametrize("turns", range(TIMES))
async def test_two_approvers_an_acceptance_and_a_withdrawal_at_once(world: World, turns: int) -> None:
    office = await Office.opened(world, rule("both", "true", role("x"), role("y"), mode=ALL))
    anna, bert = await office.who("anna", "x"), await office.who("bert", "y")
    for _ in range(TIMES):
        quote = await office.offer("0.2")
        request = await office.request(quote.name)

        async def customer(name: str = quote.name) -> pb.Quote:
            for _ in range(turns * 4):  # who comes first differs
                await asyncio.sleep(0)
            return await office.deals.caller(pb.AcceptQuoteRequest(name=name))  # type: ignore[no-any-return]

        withdrawal = [office.deals.caller(pb.WithdrawQuoteRequest(name=quote.name))] if turns % 2 else []
        _, lost = await at_once(anna(approve(request)), bert(approve(request)), customer(), *withdrawal)
        assert set(lost) <= LOST
        await relayed(office, quote.name)
        found, asked = await office.deals.get(quote.name), await office.request(quote.name)
        if found.state == S.STATE_ACCEPTED:
            assert (asked.state, found.approval.state) == (R.STATE_APPROVED, A.STATE_GRANTED)
        elif found.state == S.STATE_SUBMITTED:
            assert (asked.state, found.approval.state) == (R.STATE_APPROVED, A.STATE_GRANTED)
            assert (await office.deals.caller(pb.AcceptQuoteRequest(name=quote.name))).state == S.STATE_ACCEPTED
        else:
            assert found.state == S.STATE_WITHDRAWN
            assert asked.state in (R.STATE_APPROVED, R.STATE_RECALLED)
        approved = [e for e in await office.told() if isinstance(e, events.ApprovalRequestApproved) and e.subject == quote.name]
        assert len(approved) == (asked.state == R.STATE_APPROVED)


async def test_an_acceptance_and_the_news_of_its_approval_at_once_refuse_nobody(world: World) -> None:
    office = await Office.opened(world, rule("any", "true", role("x")))
    anna = await office.who("anna", "x")
    for _ in range(TIMES):
        quote = await office.offer("0.2")
        await anna(approve(await office.request(quote.name)))
        won, lost = await at_once(relayed(office, quote.name), office.deals.caller(pb.AcceptQuoteRequest(name=quote.name)))
        assert (len(won), lost) == (2, [])
        assert (await office.deals.get(quote.name)).state == S.STATE_ACCEPTED


async def test_a_recall_and_an_acceptance_at_once_never_accept(world: World) -> None:
    office = await Office.opened(world, rule("any", "true", role("x")))
    for _ in range(TIMES):
        quote = await office.offer("0.2")
        recall = approvals.RecallApprovalRequestRequest(name=(await office.request(quote.name)).name)
        _, lost = await at_once(office.deals.caller(recall), office.deals.caller(pb.AcceptQuoteRequest(name=quote.name)))
        assert set(lost) <= {"QUOTE_APPROVAL_NEEDED", "QUOTE_APPROVAL_PENDING"}
        await relayed(office, quote.name)
        found = await office.deals.get(quote.name)
        assert (found.state, found.approval.state) == (S.STATE_SUBMITTED, A.STATE_NEEDED)
