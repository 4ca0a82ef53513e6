"""What a quote knows of its approval: the same whatever the order in which it is told, and never more than it was told."""

from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.quoting.v1 import approvals_pb2 as approvals
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import Broken, Failure
from revops_mesh.quoting.quotes.approval import MOST_RECALLED, SETTLED, answered, hear, must_be_settled
from tests.quoting.quotes.offers import NOW, submitted

A, H, S = approvals.CheckBoundsResponse, pb.QuoteApprovalRequest.Outcome, pb.QuoteApproval.State
OPEN, RECALLED, REJECTED, APPROVED = H.OUTCOME_OPEN, H.OUTCOME_RECALLED, H.OUTCOME_REJECTED, H.OUTCOME_APPROVED
News = tuple[str, "H.ValueType"]


@st.composite
def histories(draw: st.DrawFn) -> list[News]:
    """What may happen to one version: requests that are taken back one after the other, and one that is decided, or not."""
    count = draw(st.integers(0, 3))
    told: list[News] = [(f"r{i}", outcome) for i in range(count) for outcome in (OPEN, RECALLED)]
    last = draw(st.sampled_from([(), (OPEN,), (OPEN, APPROVED), (OPEN, REJECTED)]))
    return told + [(f"r{count}", outcome) for outcome in last]


def told(news: list[News], outcome: "A.Outcome.ValueType" = A.OUTCOME_NEEDED) -> pb.QuoteApproval:
    known = answered(A(outcome=outcome))
    for request, what in news:
        hear(known, request, what)
    return known


@given(histories(), st.randoms(use_true_random=False), st.sampled_from([A.OUTCOME_NEEDED, A.OUTCOME_NOT_NEEDED]))
def test_what_is_known_does_not_depend_on_the_order_nor_on_how_often_it_is_told(
    news: list[News],
    random: Random,
    outcome: "A.Outcome.ValueType",
) -> None:
    again = [*news, *news]
    random.shuffle(again)
    assert told(again, outcome) == told(news, outcome)


@given(histories())
def test_it_is_approved_exactly_if_a_request_was(news: list[News]) -> None:
    assert (told(news).state in SETTLED) == any(what == APPROVED for _, what in news)


@pytest.mark.parametrize("news", list(permutations([("r1", OPEN), ("r1", RECALLED), ("r2", OPEN)])))
def test_a_request_taken_back_late_does_not_hide_the_one_that_is_under_way(news: tuple[News, ...]) -> None:
    known = told(list(news))
    assert (known.state, known.approval_request) == (S.STATE_PENDING, "r2")


def test_all_requests_taken_back_leave_what_the_rules_said() -> None:
    news = [("r1", OPEN), ("r1", RECALLED)]
    assert told(news).state == S.STATE_NEEDED
    assert told(news, A.OUTCOME_NOT_NEEDED).state == S.STATE_NOT_NEEDED


def test_whoever_asks_although_nobody_must_waits() -> None:
    assert told([("r1", OPEN)], A.OUTCOME_NOT_NEEDED).state == S.STATE_PENDING


def test_of_requests_taken_back_only_so_many_are_remembered() -> None:
    known = told([(f"r{i:04}", RECALLED) for i in range(MOST_RECALLED + 5)])
    assert [each.approval_request for each in known.requests] == [f"r{i:04}" for i in range(5, MOST_RECALLED + 5)]


def test_an_answer_of_a_later_release_lets_nothing_pass() -> None:
    assert told([], 99).state == S.STATE_NEEDED  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (A.OUTCOME_NEEDED, "QUOTE_APPROVAL_NEEDED"),
        (A.OUTCOME_PENDING, "QUOTE_APPROVAL_PENDING"),
        (A.OUTCOME_REJECTED, "QUOTE_APPROVAL_REFUSED"),
    ],
)
def test_what_is_not_settled_is_refused_and_says_what_to_do(outcome: "A.Outcome.ValueType", reason: str) -> None:
    with pytest.raises(Failure) as refused:
        must_be_settled(pb.Quote(name="quotes/q", approval=answered(A(outcome=outcome, request="approvalRequests/r"))))
    assert refused.value.reason == reason


def test_news_of_another_version_or_content_is_none() -> None:
    quote = submitted()
    known = quote.state.approval.SerializeToString()
    assert not quote.hear(2, quote.state.content_hash, "r1", OPEN)
    assert not quote.hear(1, "0" * 64, "r1", OPEN)
    assert quote.state.approval.SerializeToString() == known
    assert quote.hear(1, quote.state.content_hash, "r1", OPEN)
    assert not quote.hear(1, quote.state.content_hash, "r1", OPEN)
    quote.check()


def test_the_next_version_knows_nothing_of_the_approval_of_the_last() -> None:
    quote = submitted()
    quote.present(NOW)
    quote.revise()
    quote.check()
    assert not quote.state.HasField("approval")
    assert not quote.state.HasField("present_time")


def test_an_accepted_quote_without_approval_is_never_stored() -> None:
    quote = submitted()
    quote.accept(NOW)
    quote.check()
    quote.state.approval.state = S.STATE_PENDING
    with pytest.raises(Broken, match="approval"):
        quote.check()
