"""Chains of steps: side by side, each from its lowest level up. Steps are changed in place."""

from collections.abc import Callable, Iterable, Sequence

from revops.quoting.v1 import approvals_pb2 as pb

from .matching import DEFAULT_CHAIN, Match
from .seats import agreed, needed

_State = pb.ApprovalStep.State
DONE = frozenset({_State.STATE_APPROVED, _State.STATE_AUTO_APPROVED})

Seats = Callable[[Match], tuple[list[pb.ApprovalSeat], list[pb.ApprovalSeat]]]
"""Gives the seats of a rule, and those who are asked once it takes too long."""


def steps_of(matches: Iterable[Match], seats: Seats) -> list[pb.ApprovalStep]:
    """The steps that a deal takes, none of them open yet."""
    return [_step(match, *seats(match)) for match in matches]


def _step(match: Match, seats: list[pb.ApprovalSeat], above: list[pb.ApprovalSeat]) -> pb.ApprovalStep:
    return pb.ApprovalStep(
        step_id=match.step_id,
        display_name=match.rule.display_name or match.rule.condition,
        rule=match.rule,
        policy_version=match.version,
        chain=match.rule.chain or DEFAULT_CHAIN,
        level=match.rule.level,
        needed=needed(match.rule, seats),
        seats=seats,
        escalation=above,
        state=_State.STATE_WAITING,
        relevant_facts=match.used,
        calendar=match.policy.calendar,
    )


def advance(steps: Sequence[pb.ApprovalStep]) -> list[pb.ApprovalStep]:
    """Closes the steps in which enough have agreed and opens those whose turn it is, which are given."""
    for step in steps:
        if step.state == _State.STATE_PENDING and agreed(step):
            step.state = _State.STATE_APPROVED
    opened = []
    for step in steps:
        before = (each for each in steps if each.chain == step.chain and each.level < step.level)
        if step.state == _State.STATE_WAITING and all(each.state in DONE for each in before):
            step.state = _State.STATE_PENDING
            opened.append(step)
    return opened


def complete(steps: Iterable[pb.ApprovalStep]) -> bool:
    """Whether everybody agreed who has to."""
    return all(step.state in DONE for step in steps)


def skip_open(steps: Iterable[pb.ApprovalStep]) -> None:
    """Closes what was not decided."""
    for step in steps:
        if step.state in (_State.STATE_WAITING, _State.STATE_PENDING):
            step.state = _State.STATE_SKIPPED
