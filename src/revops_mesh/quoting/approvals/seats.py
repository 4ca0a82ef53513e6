"""Seats: who is asked in a step, and when enough have agreed.

With ALL each seat is taken by a person of its own. Who may take more than one seat is placed so that most are taken (a largest
matching), so the order in which people decide changes nothing.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import deal_facts_pb2 as facts_pb

from ..deal_facts import number

ANYONE = "anyone"
APPROVED = pb.ApprovalDecision.VERDICT_APPROVED


def interested(facts: facts_pb.DealFacts) -> frozenset[str]:
    """Who submits a deal, owns it or benefits from it: they never decide about it."""
    return frozenset({facts.owner, facts.submitter, *facts.beneficiaries} - {""})


def resolved(
    approvers: Iterable[policies.Approver], facts: facts_pb.DealFacts, managers: Sequence[str], fallback: str
) -> list[pb.ApprovalSeat]:
    """One seat for each of those whom a rule asks, none twice; `managers` stand above the deal's owner, the nearest first.

    Where nobody is known, or the one who is has an interest in the deal, the role `fallback` is asked.
    """
    found: dict[str, pb.ApprovalSeat] = {}
    for approver in approvers:
        seat = _seat(approver, facts, managers, fallback)
        if seat.approver in interested(facts):
            seat = pb.ApprovalSeat(approver=f"roles/{fallback}", because=f"{seat.approver} has an interest in the deal")
        found.setdefault(seat.approver, seat)
    return list(found.values())


def _seat(
    approver: policies.Approver | policies.AmountRow, facts: facts_pb.DealFacts, managers: Sequence[str], fallback: str
) -> pb.ApprovalSeat:
    match approver.WhichOneof("who"):
        case "role":
            return pb.ApprovalSeat(approver=f"roles/{approver.role}")
        case "anyone":
            return pb.ApprovalSeat(approver=ANYONE)
        case "user":
            return pb.ApprovalSeat(approver=approver.user)
        case "manager_level" if managers:
            level, whose = min(approver.manager_level, len(managers)), facts.owner or facts.submitter
            return pb.ApprovalSeat(approver=managers[level - 1], because=f"manager level {level} of {whose}")
        case "matrix" if isinstance(approver, policies.Approver):
            row = _row(approver.matrix, facts)
            seat = _seat(row, facts, managers, fallback)
            limit = f"up to {row.up_to} {approver.matrix.currency_code}" if row.up_to else "above the last amount"
            seat.because = "; ".join(filter(None, (f"amount {limit}", seat.because)))
            return seat
    return pb.ApprovalSeat(approver=f"roles/{fallback}", because="no manager is known")


def _row(matrix: policies.AmountMatrix, facts: facts_pb.DealFacts) -> policies.AmountRow:
    """The first row that the amount fits; the last for another currency, because amounts are never compared across two."""
    if facts.currency_code == matrix.currency_code:
        for row in matrix.rows:
            if row.up_to and number(facts.net_amount) <= Decimal(row.up_to):
                return row
    return matrix.rows[-1]


def needed(rule: policies.ApprovalRule, seats: Sequence[pb.ApprovalSeat]) -> int:
    """How many people have to agree."""
    if rule.mode == policies.APPROVAL_MODE_ANY:
        return 1
    if rule.mode != policies.APPROVAL_MODE_QUORUM:
        return len(seats)
    persons_alone = all(seat.approver.startswith("users/") for seat in seats)
    return min(rule.quorum, len(seats)) if persons_alone else rule.quorum


def open_to(step: pb.ApprovalStep, name: str, roles: Iterable[str]) -> list[int]:
    """The numbers of the seats that a person may take; every one where those above were asked and the person is of them."""
    titles = {ANYONE, name, *(f"roles/{role}" for role in roles)}
    if step.escalated and any(seat.approver in titles for seat in step.escalation):
        return list(range(len(step.seats)))
    return [i for i, seat in enumerate(step.seats) if seat.approver in titles]


def agreed(step: pb.ApprovalStep) -> bool:
    """Whether enough people have agreed."""
    open_seats = [list(each.seats) for each in step.decisions if each.verdict == APPROVED]
    if step.rule.mode == policies.APPROVAL_MODE_QUORUM:
        return len(open_seats) >= step.needed
    return seated(open_seats) >= step.needed


def seated(open_seats: Sequence[Sequence[int]]) -> int:
    """How many of some people find a seat of their own; each has the numbers of the seats that are open to it."""
    taken: dict[int, int] = {}

    def place(person: int, tried: set[int]) -> bool:
        for seat in open_seats[person]:
            if seat in tried:
                continue
            tried.add(seat)
            if seat not in taken or place(taken[seat], tried):
                taken[seat] = person
                return True
        return False

    return sum(place(person, set()) for person in range(len(open_seats)))
