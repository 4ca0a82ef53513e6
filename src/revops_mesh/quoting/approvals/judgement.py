"""Whether a deal needs approval: the rules it meets against what was approved, is under way or was rejected before."""

from collections.abc import Callable, Sequence

from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import deal_facts_pb2 as facts_pb

from .bounds import excesses
from .carrying import carry
from .chains import Seats, steps_of
from .matching import DEFAULT_CHAIN, Match

_State, _Need, _Answer = pb.ApprovalRequest.State, pb.ApprovalNeed, pb.CheckBoundsResponse
OPEN = frozenset({_State.STATE_IN_PROGRESS, _State.STATE_ESCALATED})

Pinned = Callable[[pb.ApprovalRequest], Sequence[Match]]
"""The rules that the deal meets of the versions that a request follows."""


def judge(
    facts: facts_pb.DealFacts,
    fingerprint: str,
    matches: Sequence[Match],
    requests: Sequence[pb.ApprovalRequest],
    seats: Seats,
    pinned: Pinned,
) -> pb.CheckBoundsResponse:
    """The answer without counterfactuals. `requests` are those of the subject, the latest first; recalled ones have no key."""
    if not matches:
        return _Answer(outcome=_Answer.OUTCOME_NOT_NEEDED)
    same = next((each for each in requests if fingerprint and each.subject_key and each.fingerprint == fingerprint), None)
    if same is not None:
        outcome = _SAID.get(same.state, _Answer.OUTCOME_PENDING)
        return _Answer(outcome=outcome, request=same.name, needs=_rules(matches), steps=same.steps)
    approved = [each for each in requests if each.state == _State.STATE_APPROVED]
    needs: list[pb.ApprovalNeed] = []
    for request in approved:
        missing = uncovered(request, facts, pinned(request))
        if not missing:
            return _Answer(outcome=_Answer.OUTCOME_GRANTED, request=request.name, steps=request.steps)
        needs = needs or missing
    steps = steps_of(matches, seats)
    carry(steps, facts, requests)
    return _Answer(outcome=_Answer.OUTCOME_NEEDED, needs=needs or _rules(matches), steps=steps)


_SAID = {_State.STATE_APPROVED: _Answer.OUTCOME_GRANTED, _State.STATE_REJECTED: _Answer.OUTCOME_REJECTED}


def uncovered(request: pb.ApprovalRequest, facts: facts_pb.DealFacts, matches: Sequence[Match]) -> list[pb.ApprovalNeed]:
    """Why an approved request does not cover a deal; nothing if it does.

    Beside the bounds, the rules that the request followed must not ask for a step that is neither of the request nor below one of
    its chain: a wide bound is the word of those who gave it, and of nobody above them.
    """
    needs = [
        _Need(
            kind=_Need.KIND_BOUND, bound=bound, limit=limit, actual=actual, text=f"{bound} is {limit}, and the deal has {actual}"
        )
        for bound, limit, actual in excesses(request.bounds, facts)
    ]
    asked, highest = {step.step_id for step in request.steps}, dict[str, int]()
    for step in request.steps:
        highest[step.chain] = max(step.level, highest.get(step.chain, 0))
    for match in matches:
        below = match.rule.level < highest.get(match.rule.chain or DEFAULT_CHAIN, 0)
        if match.step_id not in asked and not below:
            text = f"{_label(match)}, which was not so when it was approved"
            needs.append(_Need(kind=_Need.KIND_NEW_RULE, step_id=match.step_id, text=text))
    return needs


def _rules(matches: Sequence[Match]) -> list[pb.ApprovalNeed]:
    return [_Need(kind=_Need.KIND_RULE, step_id=match.step_id, text=_label(match)) for match in matches]


def _label(match: Match) -> str:
    return match.rule.display_name or match.rule.condition
