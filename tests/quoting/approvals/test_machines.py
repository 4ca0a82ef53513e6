"""Any sequence of verbs on a request, and every verb of a policy in every state: a refused verb changes nothing."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from revops.quoting.v1 import approval_events_pb2 as events
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as pb

from revops_mesh.kernel.errors import Failure
from revops_mesh.quoting.approvals.policies import ALLOWED, ApprovalPolicy
from revops_mesh.quoting.approvals.request import ENDED
from tests.quoting.approvals.deals import ALL, ANY, NOW, QUORUM, asked, deal, person, role, user, version
from tests.quoting.approvals.deals import rule as approval_rule

S = pb.ApprovalRequest.State
OPEN = {S.STATE_IN_PROGRESS, S.STATE_ESCALATED}
LEGAL = {(here, there) for here in OPEN for there in S.values() if there}
"""Every way from one state to another: ends are ends."""

NAMES, ROLES = ("anna", "bert", "cleo", "seller"), ("x", "y")
someone = st.builds(
    lambda name, roles, stand: person(name, *roles, stands_for=[(stand, "x", "y")] if stand and stand != name else []),
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(ROLES), unique=True),
    st.sampled_from((*NAMES, "")),
)
rules = st.lists(
    st.builds(
        lambda seats, mode, level: approval_rule(
            "r", "true", *seats, mode=mode, quorum=int(mode == QUORUM), level=level, response_minutes=10, escalation=[role("y")]
        ),
        st.lists(st.one_of(st.sampled_from(ROLES).map(role), st.sampled_from(NAMES).map(user)), min_size=1, max_size=3),
        st.sampled_from([ALL, ANY, QUORUM]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=4,
)


class ARequest(RuleBasedStateMachine):
    """One request, people who come and go, and a clock that only moves on."""

    @initialize(several=rules)
    def ask(self, several: list[policies.ApprovalRule]) -> None:
        for i, each in enumerate(several):
            each.rule_id = f"r{i}"
        self.now, self.request = NOW, asked(deal(), version(*several))
        self.date()

    def date(self) -> None:
        for step in self.request.undated:
            step.due_time.FromDatetime(self.now + timedelta(minutes=10))

    def attempt(self, verb: Callable[[], Any]) -> bool:
        """Does it, or finds that a refusal changed nothing."""
        request = self.request
        state, before = request.state.state, request.state.SerializeToString(deterministic=True)
        decisions, events = self.decisions(), len(request.events)
        try:
            verb()
        except Failure:
            assert request.state.SerializeToString(deterministic=True) == before
            assert len(request.events) == events
            return False
        assert request.state.state == state or (state, request.state.state) in LEGAL
        assert decisions <= self.decisions(), "a decision was lost"
        self.date()
        return True

    def decisions(self) -> set[tuple[str, bytes]]:
        return {(step.step_id, each.SerializeToString()) for step in self.request.state.steps for each in step.decisions}

    @rule(who=someone, step=st.sampled_from(["", "", "p/r0", "p/r1"]))
    def approve(self, who: Any, step: str) -> None:
        self.attempt(lambda: self.request.approve(who, step, "", pb.ApprovalBounds(), self.now))

    @rule(who=someone, often=st.integers(0, 9))
    def reject(self, who: Any, often: int) -> None:
        if not often:
            self.attempt(lambda: self.request.reject(who, "", "", self.now))

    @rule(often=st.integers(0, 19), verb=st.sampled_from(["recall", "expire"]))
    def take_back(self, often: int, verb: str) -> None:
        if not often:
            self.attempt(lambda: getattr(self.request, verb)("because", self.now))

    @rule(minutes=st.integers(0, 15))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(step=st.sampled_from(["p/r0", "p/r1", "p/none"]))
    def the_timer_fires(self, step: str) -> None:
        self.attempt(lambda: self.request.escalate(step, self.now))

    @rule()
    def comment(self) -> None:
        self.attempt(lambda: self.request.comment("users/anna", "why?", self.now))

    @invariant()
    def it_is_sound(self) -> None:
        self.request.check()

    @invariant()
    def it_ends_once(self) -> None:
        ends = (events.ApprovalRequestApproved, events.ApprovalRequestRejected, events.ApprovalRequestRecalled)
        told = [event for event in self.request.events if isinstance(event, ends)]
        assert len(told) == (self.request.state.state in ENDED)

    @invariant()
    def nobody_decides_in_his_own_cause(self) -> None:
        people = {
            who for step in self.request.state.steps for each in step.decisions for who in (each.principal, each.on_behalf_of)
        }
        assert "users/seller" not in people


TestARequest = ARequest.TestCase
TestARequest.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)


def in_state(state: int) -> ApprovalPolicy:
    """A policy that got there by verbs."""
    policy = ApprovalPolicy.draft("approvalPolicies/p", policies.ApprovalPolicy(rules=[approval_rule("r", "true")]))
    if state != policies.ApprovalPolicy.STATE_DRAFT:
        policy.publish()
    if state == policies.ApprovalPolicy.STATE_RETIRED:
        policy.retire()
    return policy


VERBS: dict[str, Callable[[ApprovalPolicy], object]] = {
    "update": lambda policy: policy.update(policies.ApprovalPolicy.FromString(policy.state.SerializeToString())),
    "delete": lambda policy: policy.must_allow("delete"),
    "publish": ApprovalPolicy.publish,
    "retire": ApprovalPolicy.retire,
}


@pytest.mark.parametrize(("state", "verb"), list(product((1, 2, 3), VERBS)))
def test_a_policy_allows_each_verb_in_its_states_alone(state: int, verb: str) -> None:
    policy = in_state(state)
    before = policy.state.SerializeToString(deterministic=True)
    if state in ALLOWED[verb]:
        VERBS[verb](policy)
    else:
        with pytest.raises(Failure) as refused:
            VERBS[verb](policy)
        assert refused.value.reason == "APPROVAL_POLICY_STATE"
        assert policy.state.SerializeToString(deterministic=True) == before
    policy.check()


def test_an_empty_policy_is_not_published() -> None:
    with pytest.raises(Failure) as refused:
        ApprovalPolicy.draft("approvalPolicies/p", policies.ApprovalPolicy()).publish()
    assert refused.value.reason == "APPROVAL_POLICY_EMPTY"


def test_a_version_is_what_was_published_and_stays_so() -> None:
    policy = in_state(policies.ApprovalPolicy.STATE_DRAFT)
    first = policy.publish()
    changed = policies.ApprovalPolicy.FromString(policy.state.SerializeToString())
    changed.rules[0].condition = "false"
    policy.update(changed)
    second = policy.publish()
    assert (first.state.policy.rules[0].condition, second.state.policy.rules[0].condition) == ("true", "false")
    assert (first.name, second.name) == ("approvalPolicies/p/versions/1", "approvalPolicies/p/versions/2")
    first.check()
