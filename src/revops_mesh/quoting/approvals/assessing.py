"""Puts a deal before the rules in force: reads what the judgement needs, and nothing of it if no rule matches."""

from collections.abc import Sequence
from dataclasses import dataclass

from revops.platform.v1 import reasons_pb2 as platform
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import deal_facts_pb2 as facts_pb

from revops_mesh.kernel import walk
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import refuse

from .bounds import MARGIN_BOUNDS
from .chains import Seats
from .counterfactuals import counterfactuals
from .families import add_families
from .judgement import judge
from .matching import Match, matches
from .people import MOST_LEVELS, ReportingLine
from .policies import FALLBACK_ROLE, ApprovalPolicyVersion
from .queries import IN_FORCE, MANAGED, OF_SUBJECT
from .request import ApprovalRequest
from .seats import resolved

MARGINS = "quoting.margins.read"
EARLIER = 20
"""Requests about one subject that are looked at, the latest."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The answer about a deal, and the versions of the policies by whose rules it needs approval."""

    answer: pb.CheckBoundsResponse
    versions: tuple[str, ...]


async def assess(call: Call, facts: facts_pb.DealFacts, fingerprint: str, *, explain: bool = False) -> Assessment:
    """The answer about a deal; with `explain` also the smallest changes with which it would need no approval."""
    versions = await in_force(call)
    await add_families(call, versions, [facts])
    found = matches(versions, facts)
    if not found:
        return Assessment(judge(facts, fingerprint, (), (), _nobody, lambda _: ()), ())
    earlier = await call.repo(ApprovalRequest).select(OF_SUBJECT, [facts.subject], "create_time DESC, name DESC", EARLIER)
    requests = [each.state for each in earlier]
    pinned = await _pinned(call, requests)
    seats = seats_by(facts, await managers_above(call, facts.owner or facts.submitter, found))
    answer = judge(
        facts, fingerprint, found, requests, seats, lambda request: matches([pinned[v] for v in request.policy_versions], facts)
    )
    if explain and answer.outcome in (answer.OUTCOME_NEEDED, answer.OUTCOME_REJECTED):
        conditions = [rule.condition for version in versions for rule in version.policy.rules]
        answer.counterfactuals.extend(counterfactuals(facts, conditions, lambda changed: not matches(versions, changed)))
    return Assessment(answer, tuple(sorted({match.version for match in found})))


def masked(answer: pb.CheckBoundsResponse, call: Call) -> pb.CheckBoundsResponse:
    """Without the margins that the caller may not read."""
    if not call.can(MARGINS):
        for need in answer.needs:
            if need.bound in MARGIN_BOUNDS:
                need.limit, need.actual, need.text = "", "", f"{need.bound} is left"
    return answer


def must_see_margins(request: pb.CheckBoundsRequest, call: Call) -> None:
    """Refuses margins from who may not read them: who could try values would learn which are approved.

    Raises PERMISSION_REQUIRED. A module that asks on its grant brings what it knows.
    """
    if not call.can(MARGINS) and (found := walk.first_set(request, frozenset({MARGINS}))):
        raise refuse(platform.PERMISSION_REQUIRED, "{field} needs {permission}.", field=found[0], permission=found[1])


async def in_force(call: Call) -> list[policies.ApprovalPolicyVersion]:
    """The versions that decide now."""
    return [each.state for each in await call.repo(ApprovalPolicyVersion).select(IN_FORCE, ())]


async def managers_above(call: Call, person: str, found: Sequence[Match]) -> list[str]:
    """Who manages a person, the nearest first; not looked up unless a rule asks for managers."""
    approvers = [each for match in found for each in (*match.rule.approvers, *match.rule.escalation)]
    wanted = any(
        each.WhichOneof("who") == "manager_level" or any(row.WhichOneof("who") == "manager_level" for row in each.matrix.rows)
        for each in approvers
    )
    return await chain_above(call, person) if wanted and person else []


async def chain_above(call: Call, person: str) -> list[str]:
    """Who manages a person, the nearest first."""
    above: list[str] = []
    while len(above) < MOST_LEVELS:
        lines = await call.repo(ReportingLine).select(MANAGED, [above[-1] if above else person], limit=1)
        if not lines or lines[0].state.manager in (person, *above):
            break
        above.append(lines[0].state.manager)
    return above


def seats_by(facts: facts_pb.DealFacts, managers: Sequence[str]) -> Seats:
    """Who is asked for a deal whose owner has these managers."""

    def seats(match: Match) -> tuple[list[pb.ApprovalSeat], list[pb.ApprovalSeat]]:
        fallback = match.policy.fallback_role or FALLBACK_ROLE
        asked, above = (resolved(each, facts, managers, fallback) for each in (match.rule.approvers, match.rule.escalation))
        return asked, above

    return seats


async def _pinned(call: Call, requests: Sequence[pb.ApprovalRequest]) -> dict[str, policies.ApprovalPolicyVersion]:
    """The versions that approved requests follow, by name."""
    approved = [each for each in requests if each.state == pb.ApprovalRequest.STATE_APPROVED]
    names = sorted({name for each in approved for name in each.policy_versions})
    if not names:
        return {}
    return {name: each.state for name, each in (await call.repo(ApprovalPolicyVersion).get_many(names)).items()}


def _nobody(_: Match) -> tuple[list[pb.ApprovalSeat], list[pb.ApprovalSeat]]:
    return [], []
