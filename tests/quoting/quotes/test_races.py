"""Several people at once, on PostgreSQL: exactly one wins, and numbers have no gaps."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from google.protobuf.message import Message
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import Failure
from tests.quoting.quotes.deals import Deals, later

LOST = {"QUOTE_STATE", "ETAG_MISMATCH"}
TIMES = 6


async def at_once(*calls: Coroutine[Any, Any, Any]) -> tuple[list[Any], list[str]]:
    """The answers of those who won, and the reasons of those who lost."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Failure):
            raise result
    return [r for r in results if not isinstance(r, Failure)], [r.reason for r in results if isinstance(r, Failure)]


def rival(verb: str, name: str, other: str) -> Message:
    return {
        "withdraw": pb.WithdrawQuoteRequest(name=name),
        "reject": pb.RejectQuoteRequest(name=name),
        "revise": pb.ReviseQuoteRequest(name=name),
        "supersede": pb.SupersedeQuoteRequest(name=name, superseded_by=other),
        "accept": pb.AcceptQuoteRequest(name=name),
    }[verb]


@pytest.mark.parametrize("verb", ["withdraw", "reject", "revise", "supersede", "accept"])
async def test_of_acceptance_and_whatever_else_happens_exactly_one_wins(deals: Deals, verb: str) -> None:
    other = await deals.draft()
    for _ in range(TIMES):
        quote = await deals.submitted()
        won, lost = await at_once(
            deals.caller(pb.AcceptQuoteRequest(name=quote.name)), deals.caller(rival(verb, quote.name, other.name))
        )
        assert (len(won), len(lost)) == (1, 1), lost
        assert set(lost) <= LOST
        assert (await deals.get(quote.name)).state == won[0].state
    accepted = [e for e in await deals.events() if isinstance(e, pb.QuoteAccepted)]
    listed = (await deals.caller(pb.ListQuotesRequest(filter="state = ACCEPTED"))).quotes
    assert len(accepted) == len(listed)


async def test_of_an_acceptance_that_came_in_time_and_the_expiry_exactly_one_wins(deals: Deals) -> None:
    for turns in range(4 * TIMES):
        quote = await deals.submitted()
        acceptance = asyncio.create_task(deals.caller(pb.AcceptQuoteRequest(name=quote.name)))
        for _ in range(turns % 12 + 1):  # it has arrived, and is by turns further on
            await asyncio.sleep(0)
        with later(days=32):
            timer = deals.fire(pb.ExpireQuoteRequest(name=quote.name, version=1))
            _, lost = await at_once(_of(acceptance), timer)
        assert set(lost) <= LOST
        told = [type(e).__name__ for e in await deals.events() if e.quote == quote.name]  # type: ignore[attr-defined]
        assert sorted(told[2:]) in (["QuoteAccepted"], ["QuoteExpired"])
        found = await deals.get(quote.name)
        assert (found.state == pb.Quote.STATE_ACCEPTED) == ("QuoteAccepted" in told)


async def _of(task: asyncio.Task[Any]) -> Any:
    return await task


async def test_of_revision_and_expiry_exactly_one_wins(deals: Deals) -> None:
    for _ in range(TIMES):
        quote = await deals.submitted()
        with later(days=32):
            bert = await deals.caller.world.caller(tenant=deals.caller.tenant)
            timer = deals.fire(pb.ExpireQuoteRequest(name=quote.name, version=1))
            _, lost = await at_once(bert(pb.ReviseQuoteRequest(name=quote.name)), timer)
            found = await bert(pb.GetQuoteRequest(name=quote.name))
        assert set(lost) <= LOST
        told = [e for e in await deals.events() if e.quote == quote.name]  # type: ignore[attr-defined]
        expired, revised = (any(isinstance(e, t) for e in told) for t in (pb.QuoteExpired, pb.QuoteSuperseded))
        assert expired != revised
        assert found.state == (pb.Quote.STATE_EXPIRED if expired else pb.Quote.STATE_DRAFT)


async def test_an_update_and_a_submit_never_offer_what_was_not_written(deals: Deals) -> None:
    for _ in range(TIMES):
        quote = await deals.draft("3")
        update = pb.UpdateQuoteRequest(quote=pb.Quote(name=quote.name, lines=deals.offer("9").lines))
        won, lost = await at_once(deals.caller(update), deals.caller(pb.SubmitQuoteRequest(name=quote.name)))
        assert set(lost) <= LOST
        assert won
        found = await deals.get(quote.name)
        if found.state == pb.Quote.STATE_SUBMITTED:
            version = await deals.version(quote.name, 1)
            assert version.quote.lines == found.lines


async def test_two_submits_of_one_quote_give_one_number_and_one_version(deals: Deals) -> None:
    quote = await deals.draft()
    won, lost = await at_once(*(deals.caller(pb.SubmitQuoteRequest(name=quote.name)) for _ in range(4)))
    assert (len(won), set(lost) - LOST) == (1, set())
    assert (await deals.get(quote.name)).number == "Q-000001"
    assert len((await deals.caller(pb.ListQuoteVersionsRequest(parent=quote.name))).quote_versions) == 1
    assert (await deals.submitted()).number == "Q-000002"


async def test_fifty_submits_at_once_are_numbered_without_a_gap_although_some_are_refused(deals: Deals) -> None:
    names = [(await deals.draft()).name for _ in range(50)]
    bad = [(await deals.draft(valid_until={"year": 2026, "month": 1, "day": 31})).name for _ in range(5)]
    won, lost = await at_once(*(deals.caller(pb.SubmitQuoteRequest(name=name)) for name in [*names, *bad]))
    assert lost == ["QUOTE_ALREADY_EXPIRED"] * 5
    assert sorted(quote.number for quote in won) == [f"Q-{n:06}" for n in range(1, 51)]


async def test_two_quotes_cannot_replace_each_other_at_once(deals: Deals) -> None:
    for _ in range(TIMES):
        one, two = await deals.draft(), await deals.draft()
        won, lost = await at_once(
            deals.caller(pb.SupersedeQuoteRequest(name=one.name, superseded_by=two.name)),
            deals.caller(pb.SupersedeQuoteRequest(name=two.name, superseded_by=one.name)),
        )
        assert len(won) <= 1
        assert set(lost) <= LOST
        states = [(await deals.get(name)).state for name in (one.name, two.name)]
        assert states.count(pb.Quote.STATE_SUPERSEDED) == len(won)
