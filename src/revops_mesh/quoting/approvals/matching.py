"""Which rules a deal meets. A rule that fails to evaluate counts as met: approval is asked for rather than forgotten."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import deal_facts_pb2 as pb

from revops_mesh.pricing.violations import Violation
from revops_mesh.rules import RuleError, compile

from ..deal_facts import number
from .vocabulary import APPROVAL, values

DEFAULT_CHAIN = "deal"


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that a deal meets; `used` are the variables it goes by."""

    step_id: str
    version: str
    policy: policies.ApprovalPolicy
    rule: policies.ApprovalRule
    used: tuple[str, ...]


def matches(versions: Iterable[policies.ApprovalPolicyVersion], facts: pb.DealFacts) -> list[Match]:
    """The rules that a deal meets, in the order of policies, chains, levels and rules."""
    versions = list(versions)
    rules = (rule for version in versions for rule in version.policy.rules)
    known = values(facts, lines=any("lines" in compile(APPROVAL, rule.condition).used for rule in rules))
    found = [each for version in versions for each in _matches(version, known)]
    return sorted(found, key=lambda each: (each.rule.chain or DEFAULT_CHAIN, each.rule.level, each.step_id))


def _matches(version: policies.ApprovalPolicyVersion, known: Mapping[str, object]) -> Iterable[Match]:
    policy = version.policy
    for rule in policy.rules:
        compiled = compile(APPROVAL, rule.condition)
        try:
            met = bool(compiled.evaluate(known))
        except RuleError:
            met = True
        if met:
            step_id = f"{policy.name.partition('/')[2]}/{rule.rule_id}"
            yield Match(step_id, version.name, policy, rule, tuple(sorted(compiled.used)))


def problems(rules: Iterable[policies.ApprovalRule]) -> list[Violation]:
    """What keeps rules from being saved."""
    found: list[Violation] = []
    seen: set[str] = set()
    for i, rule in enumerate(rules):
        at = f"approval_policy.rules[{i}]"
        if rule.rule_id in seen:
            found.append(Violation(f"{at}.rule_id", f"{rule.rule_id} is the id of another rule, too"))
        seen.add(rule.rule_id)
        try:
            compile(APPROVAL, rule.condition, f"{at}.condition")
        except RuleError as error:
            found.append(Violation(error.field, error.description))
        found += _quorum_problems(rule, at)
        for field in ("approvers", "escalation"):
            for j, approver in enumerate(getattr(rule, field)):
                found += _approver_problems(approver, f"{at}.{field}[{j}]")
    return found


def _quorum_problems(rule: policies.ApprovalRule, at: str) -> Iterable[Violation]:
    if rule.mode != policies.APPROVAL_MODE_QUORUM:
        if rule.quorum:
            yield Violation(f"{at}.quorum", "is set, but the mode is not QUORUM")
        return
    if rule.quorum < 1:
        yield Violation(f"{at}.quorum", "must be at least 1")
    if all(each.WhichOneof("who") == "user" for each in rule.approvers) and rule.quorum > len({e.user for e in rule.approvers}):
        yield Violation(f"{at}.quorum", f"{rule.quorum} people cannot agree where fewer are asked")


def _approver_problems(approver: policies.Approver, at: str) -> Iterable[Violation]:
    if approver.WhichOneof("who") is None:
        yield Violation(at, "must name a role, a user, a manager level, a matrix or anyone")
    if not approver.HasField("matrix"):
        return
    rows = approver.matrix.rows
    for i, row in enumerate(rows):
        here = f"{at}.matrix.rows[{i}]"
        if row.WhichOneof("who") is None:
            yield Violation(here, "must name a role, a user or a manager level")
        if bool(row.up_to) == (i == len(rows) - 1):
            yield Violation(f"{here}.up_to", "is empty in the last row, and in no other")
        elif i and row.up_to and number(row.up_to) <= number(rows[i - 1].up_to):
            yield Violation(f"{here}.up_to", f"must be above {rows[i - 1].up_to}, that of the row before")
