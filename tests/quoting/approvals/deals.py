"""Deals to judge: facts, rules, and people who decide."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import deal_facts_pb2 as facts_pb

from revops_mesh.quoting.approvals.assessing import seats_by
from revops_mesh.quoting.approvals.chains import steps_of
from revops_mesh.quoting.approvals.deciding import Mandate, Person
from revops_mesh.quoting.approvals.matching import matches
from revops_mesh.quoting.approvals.request import ApprovalRequest, Asked
from revops_mesh.quoting.deal_facts import summed

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
ALL, ANY, QUORUM = policies.APPROVAL_MODE_ALL, policies.APPROVAL_MODE_ANY, policies.APPROVAL_MODE_QUORUM


Line = tuple[facts_pb.LineFacts, str]
"""A line and what it costs."""


def line(listed: str = "100.00", net: str = "100.00", cost: str = "40.00", product: str = "products/cloud") -> Line:
    """A line by its amounts."""
    return facts_pb.LineFacts(product=product, quantity="1", list_amount=listed, net_amount=net), cost


def deal(*lines: Line, **fields: Any) -> facts_pb.DealFacts:
    """The facts of a deal in euros of a year by users/seller."""
    known = {"subject": "quotes/q", "version": 1, "account": "accounts/acme", "currency_code": "EUR", "submitter": "users/seller"}
    facts, costs = facts_pb.DealFacts(**{**known, "term_months": 12, **fields}), {}
    for i, (each, cost) in enumerate(lines or [line()]):
        each.line_id, costs[str(i)] = str(i), cost
        facts.lines.append(each)
    return summed(facts, costs)


def discounted(rate: str, **fields: Any) -> facts_pb.DealFacts:
    """A deal of one line of 1,000.00 at a discount."""
    net = f"{1000 * (1 - float(rate)):.2f}"
    return deal(line("1000.00", net, "400.00"), **fields)


def role(name: str) -> policies.Approver:
    return policies.Approver(role=name)


def user(name: str) -> policies.Approver:
    return policies.Approver(user=f"users/{name}")


def rule(rule_id: str, condition: str, *approvers: policies.Approver, **fields: Any) -> policies.ApprovalRule:
    """A rule; one of the role "boss" unless others are asked."""
    return policies.ApprovalRule(
        **{"rule_id": rule_id, "condition": condition, "approvers": approvers or [role("boss")], **fields}
    )


def version(*rules: policies.ApprovalRule, name: str = "p", number: int = 1, **fields: Any) -> policies.ApprovalPolicyVersion:
    """A published policy."""
    known = {"name": f"approvalPolicies/{name}", "version": number, "fallback_role": "admin"}
    policy = policies.ApprovalPolicy(**{**known, "rules": rules, **fields})
    return policies.ApprovalPolicyVersion(name=f"{policy.name}/versions/{number}", policy=policy)


def steps(
    facts: facts_pb.DealFacts, *versions: policies.ApprovalPolicyVersion, managers: Sequence[str] = ()
) -> list[pb.ApprovalStep]:
    """The steps that a deal takes."""
    return steps_of(matches(versions, facts), seats_by(facts, managers))


def asked(facts: facts_pb.DealFacts, *versions: policies.ApprovalPolicyVersion, fingerprint: str = "f1") -> ApprovalRequest:
    """A request for a deal."""
    found = Asked(facts, fingerprint, steps(facts, *versions), [each.name for each in versions])
    return ApprovalRequest.ask("approvalRequests/r", found, "", NOW)


def person(name: str, *roles: str, stands_for: Sequence[tuple[str, ...]] = ()) -> Person:
    """Somebody with roles; `stands_for` has names, each followed by the roles of that person."""
    mandates = tuple(Mandate(f"approvalDelegations/{who}", f"users/{who}", tuple(has)) for who, *has in stands_for)
    return Person(f"users/{name}", roles, mandates)


def approve(request: ApprovalRequest, by: Person, **bounds: Any) -> None:
    """Somebody agrees to all that is open to him."""
    request.approve(by, "", "", pb.ApprovalBounds(**bounds), NOW)
