"""Who may decide which step: in the own name or in somebody's stead, never twice, and never in one's own cause."""

from collections.abc import Iterable
from dataclasses import dataclass

from revops.quoting.v1 import approvals_pb2 as pb

from revops_mesh.kernel.errors import Failure

from .seats import interested, open_to


@dataclass(frozen=True, slots=True)
class Mandate:
    """In whose stead somebody decides: the delegation, who gave it and which roles that person had."""

    delegation: str
    delegator: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides, with which roles and in whose stead."""

    name: str
    roles: tuple[str, ...] = ()
    mandates: tuple[Mandate, ...] = ()


Placed = list[tuple[pb.ApprovalStep, pb.ApprovalDecision]]


def place(request: pb.ApprovalRequest, person: Person, step_id: str) -> Placed:
    """The steps that a person decides, each with the beginning of the decision: the own name goes before anybody else's.

    Raises APPROVAL_CONFLICT_OF_INTEREST, APPROVAL_ALREADY_DECIDED, APPROVAL_NOT_ASKED.
    """
    biased = interested(request.facts)
    if person.name in biased:
        raise _refused(pb.APPROVAL_CONFLICT_OF_INTEREST, "{principal} has an interest in {request}: ask others.", request, person)
    pending = [step for step in request.steps if step.state == step.STATE_PENDING and step_id in ("", step.step_id)]
    found, decided, conflicts = [], False, False
    for step in pending:
        chosen = None
        for choice in _choices(step, person):
            people = {choice.principal, choice.on_behalf_of}
            conflicts |= choice.on_behalf_of in biased
            decided |= bool(people & _deciders(step))
            if chosen is None and choice.on_behalf_of not in biased and not people & _deciders(step):
                chosen = choice
        if chosen is not None:
            found.append((step, chosen))
    if found:
        return found
    if decided:
        raise _refused(pb.APPROVAL_ALREADY_DECIDED, "{principal} has decided what {request} asks now.", request, person)
    if conflicts:
        text = "{principal} would decide {request} in the stead of somebody who has an interest in it."
        raise _refused(pb.APPROVAL_CONFLICT_OF_INTEREST, text, request, person)
    raise _refused(pb.APPROVAL_NOT_ASKED, "{request} does not ask {principal} now: see pending_approvers.", request, person)


def _choices(step: pb.ApprovalStep, person: Person) -> Iterable[pb.ApprovalDecision]:
    """As whom a person can decide a step."""
    if seats := open_to(step, person.name, person.roles):
        yield pb.ApprovalDecision(principal=person.name, seats=seats)
    for mandate in person.mandates:
        if seats := open_to(step, mandate.delegator, mandate.roles):
            yield pb.ApprovalDecision(
                principal=person.name, seats=seats, on_behalf_of=mandate.delegator, delegation=mandate.delegation
            )


def _deciders(step: pb.ApprovalStep) -> set[str]:
    """Who has decided a step, and in whose stead."""
    return {who for each in step.decisions for who in (each.principal, each.on_behalf_of)} - {""}


def _refused(reason: int, text: str, request: pb.ApprovalRequest, person: Person) -> Failure:
    return Failure(pb.ApprovalReason, reason, text, request=request.name, principal=person.name)
