"""Several people at once, on PostgreSQL: no decision is lost, and none is made twice."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from google.protobuf.message import Message
from revops.quoting.v1 import approval_events_pb2 as events
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel.errors import Failure
from tests.contract.people import holding
from tests.quoting.approvals.deals import ALL, ANY, role, rule
from tests.quoting.approvals.office import EVERYTHING, Office, approve, delegation, reject
from tests.world import World

S = pb.ApprovalRequest.State
TIMES = 6
LOST = {"APPROVAL_REQUEST_STATE", "APPROVAL_ALREADY_DECIDED", "APPROVAL_NOT_ASKED", "APPROVAL_SUBJECT_CHANGED"}


async def at_once(*calls: Coroutine[Any, Any, Any]) -> tuple[list[Any], list[str]]:
    """The answers of those who were heard, and the reasons of those who were not."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Failure):
            raise result
    return [r for r in results if not isinstance(r, Failure)], [r.reason for r in results if isinstance(r, Failure)]


async def endings(office: Office, request: pb.ApprovalRequest) -> list[str]:
    """The events that end a request."""
    ending = (events.ApprovalRequestApproved, events.ApprovalRequestRejected, events.ApprovalRequestRecalled)
    return [type(e).__name__ for e in await office.told() if isinstance(e, ending) and e.approval_request == request.name]


async def test_of_two_approvers_at_once_neither_is_lost(world: World) -> None:
    office = await Office.opened(world, rule("both", "true", role("x"), role("y"), mode=ALL))
    anna, bert = await office.who("anna", "x"), await office.who("bert", "y")
    for _ in range(TIMES):
        request = await office.request((await office.offer("0.1")).name)
        heard, lost = await at_once(anna(approve(request)), bert(approve(request)))
        assert (len(heard), lost) == (2, [])
        found = await office.request(request.subject)
        assert found.state == S.STATE_APPROVED
        assert {each.principal for each in found.steps[0].decisions} == {"users/anna", "users/bert"}
        assert await endings(office, request) == ["ApprovalRequestApproved"]


async def test_eight_approvers_at_once_of_whom_one_is_enough_decide_once(world: World) -> None:
    office = await Office.opened(world, rule("any", "true", role("x"), mode=ANY))
    crowd = [await office.who(f"p{i}", "x") for i in range(8)]
    request = await office.request((await office.offer("0.1")).name)
    heard, lost = await at_once(*(each(approve(request)) for each in crowd))
    assert (len(heard), set(lost)) == (1, {"APPROVAL_REQUEST_STATE"})
    assert len((await office.request(request.subject)).steps[0].decisions) == 1
    assert await endings(office, request) == ["ApprovalRequestApproved"]


@pytest.mark.parametrize("rival", ["reject", "recall", "withdraw", "expire", "supersede"])
async def test_of_an_approval_and_whatever_ends_the_request_exactly_one_wins(world: World, rival: str) -> None:
    office = await Office.opened(world, rule("any", "true", role("x")))
    anna, bert = await office.who("anna", "x"), await office.who("bert", "x")
    for _ in range(TIMES):
        quote = await office.offer("0.1")
        request = await office.request(quote.name)
        rivals: dict[str, Any] = {
            "reject": lambda r=request: bert(reject(r)),
            "recall": lambda r=request: bert(pb.RecallApprovalRequestRequest(name=r.name)),
            "withdraw": lambda q=quote: office.deals.told(quotes.QuoteWithdrawn(quote=q.name, version=1)),
            "expire": lambda q=quote: office.deals.told(quotes.QuoteExpired(quote=q.name, version=1)),
            "supersede": lambda q=quote: office.deals.told(
                quotes.QuoteSuperseded(quote=q.name, version=1, superseded_by="quotes/x")
            ),
        }
        _, lost = await at_once(anna(approve(request)), rivals[rival]())
        assert set(lost) <= LOST
        found, ended = await office.request(quote.name), await endings(office, request)
        assert len(ended) == 1
        assert (found.state == S.STATE_APPROVED) == (ended == ["ApprovalRequestApproved"])


async def test_of_a_delegate_and_the_one_he_stands_for_one_decides(world: World) -> None:
    office = await Office.opened(world, rule("both", "true", role("x"), role("y"), mode=ALL))
    anna, bert = await office.who("anna", "x", "y"), await office.who("bert")
    await anna(delegation("bert"))
    for _ in range(TIMES):
        request = await office.request((await office.offer("0.1")).name)
        heard, lost = await at_once(anna(approve(request)), bert(approve(request)))
        assert (len(heard), lost) == (1, ["APPROVAL_ALREADY_DECIDED"])
        found = await office.request(request.subject)
        assert (found.state, len(found.steps[0].decisions)) == (S.STATE_IN_PROGRESS, 1)


async def test_one_submission_heard_many_times_at_once_asks_once(world: World) -> None:
    office = await Office.opened(world, rule("any", "true", role("x")))
    for _ in range(TIMES):
        quote = await office.deals.submitted()
        event = quotes.QuoteSubmitted(quote=quote.name, version=1, content_hash=quote.content_hash)
        asked = pb.RequestApprovalRequest(name=quote.name)
        _, lost = await at_once(*(office.deals.told(event) for _ in range(3)), office.deals.caller(asked))
        assert set(lost) <= {"RESOURCE_EXISTS", "APPROVAL_NOT_NEEDED"}
        assert len(await office.requests(quote.name)) == 1


async def test_an_escalation_and_a_decision_at_once_lose_nothing(world: World) -> None:
    slow = rule("both", "true", role("x"), role("y"), mode=ALL, response_minutes=1, escalation=[role("z")])
    office = await Office.opened(world, slow)
    anna = await office.who("anna", "x")
    for _ in range(TIMES):
        request = await office.request((await office.offer("0.1")).name)
        timer = await overdue(world, office, request)
        _, lost = await at_once(anna(approve(request)), office.deals.fire(timer))
        assert lost == []
        step = (await office.request(request.subject)).steps[0]
        assert (step.escalated, len(step.decisions)) == (True, 1)


async def overdue(world: World, office: Office, request: pb.ApprovalRequest) -> Message:
    """The timer of a step whose time is over."""
    request.steps[0].due_time.FromSeconds(1)
    request.ClearField("etag")
    written = "UPDATE quoting.approval_requests SET body=$3 WHERE tenant_id=$1 AND name=$2"
    await world.owner.execute(written, office.tenant, request.name, request.SerializeToString())
    return pb.EscalateApprovalStepRequest(name=request.name, step_id=request.steps[0].step_id)


async def test_two_people_cannot_delegate_to_each_other_at_once(world: World) -> None:
    office = await Office.opened(world)
    for i in range(TIMES):
        one = await holding(world, office.tenant, EVERYTHING, sub=f"users/one{i}")
        two = await holding(world, office.tenant, EVERYTHING, sub=f"users/two{i}")
        heard, lost = await at_once(one(delegation(f"two{i}")), two(delegation(f"one{i}")))
        assert (len(heard), lost) == (1, ["DELEGATION_LOOP"])
