"""Smart approval: a step is approved by itself where what it is about did not get worse than what its approver had approved."""

from collections.abc import Iterable

from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import deal_facts_pb2 as facts_pb

from .chains import DONE
from .seats import interested
from .vocabulary import values, worse

_State = pb.ApprovalStep.State


def carry(steps: Iterable[pb.ApprovalStep], facts: facts_pb.DealFacts, earlier: Iterable[pb.ApprovalRequest]) -> None:
    """Marks the steps that earlier requests of the same subject have approved, the latest first; steps are changed in place."""
    earlier = list(earlier)
    for step in steps:
        for request in earlier:
            if any(_covers(done, step, request, facts) for done in request.steps):
                step.state, step.carried_from = _State.STATE_AUTO_APPROVED, request.name
                break


def _covers(done: pb.ApprovalStep, step: pb.ApprovalStep, request: pb.ApprovalRequest, facts: facts_pb.DealFacts) -> bool:
    """Whether a step that was done is the same one, by people who have no interest now, and nothing it goes by got worse."""
    if done.state not in DONE or done.step_id != step.step_id or done.rule != step.rule or list(done.seats) != list(step.seats):
        return False
    people = {who for each in done.decisions for who in (each.principal, each.on_behalf_of)}
    if people & interested(facts):
        return False
    then, now = values(request.facts), values(facts, lines=False)
    return not any(worse(name, now.get(name), then.get(name)) for name in step.relevant_facts)
