"""Decisions: seats, chains and people, against an oracle that tries every way; the order of decisions changes nothing."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.quoting.v1 import approval_events_pb2 as events
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as pb

from revops_mesh.kernel.errors import Failure
from revops_mesh.quoting.approvals.deciding import Person
from revops_mesh.quoting.approvals.request import ApprovalRequest
from revops_mesh.quoting.approvals.seats import seated
from tests.quoting.approvals.deals import ALL, ANY, NOW, QUORUM, approve, asked, deal, person, role, rule, user, version

S, T = pb.ApprovalRequest.State, pb.ApprovalStep.State
PEOPLE = ["anna", "bert", "cleo", "dora"]
ROLES = ["x", "y", "z"]

approvers = st.one_of(st.sampled_from(ROLES).map(role), st.sampled_from(PEOPLE).map(user))
rules = st.builds(
    lambda asked, mode, chain, level: rule("r", "true", *asked, mode=mode, quorum=int(mode == QUORUM), chain=chain, level=level),
    st.lists(approvers, min_size=1, max_size=3),
    st.sampled_from([ALL, ANY, QUORUM]),
    st.sampled_from(["a", "b"]),
    st.integers(0, 2),
)
crowds = st.lists(st.lists(st.sampled_from(ROLES), unique=True, max_size=2), min_size=4, max_size=4).map(
    lambda roles: [person(name, *has) for name, has in zip(PEOPLE, roles, strict=True)]
)


def made(several: list[policies.ApprovalRule], level: int | None = None) -> ApprovalRequest:
    """A request of some rules, at one level if it is given."""
    for i, each in enumerate(several):
        each.rule_id = f"r{i}"
        each.level = each.level if level is None else level
    return asked(deal(), version(*several))


def decide(request: ApprovalRequest, by: Person) -> None:
    """Somebody agrees, if he is asked."""
    try:
        approve(request, by)
    except Failure as refused:
        assert refused.reason in {"APPROVAL_NOT_ASKED", "APPROVAL_ALREADY_DECIDED", "APPROVAL_REQUEST_STATE"}


@given(st.lists(st.lists(st.integers(0, 4), unique=True, max_size=4), max_size=5))
def test_as_many_are_seated_as_the_best_way_of_seating_them_gives(open_seats: list[list[int]]) -> None:
    best = 0
    for order in permutations(range(5), min(5, len(open_seats))):
        best = max(best, sum(seat in open_seats[who] for who, seat in enumerate(order)))
    assert seated(open_seats) == best


@given(st.lists(rules, min_size=1, max_size=4), crowds, st.permutations(range(4)), st.permutations(range(4)))
def test_the_order_of_parallel_decisions_changes_nothing(
    several: list[policies.ApprovalRule], crowd: list[Person], one: list[int], other: list[int]
) -> None:
    outcomes = []
    for order in (one, other):
        request = made(several, level=0)
        for who in order:
            decide(request, crowd[who])
        request.check()
        outcomes.append((request.state.state, [step.state for step in request.state.steps]))
    assert outcomes[0] == outcomes[1]


@given(st.lists(rules, min_size=1, max_size=5), crowds, st.lists(st.integers(0, 3), max_size=12))
def test_chains_go_on_as_an_oracle_says_that_tries_every_way(
    several: list[policies.ApprovalRule], crowd: list[Person], turns: list[int]
) -> None:
    request, oracle = made(several), Oracle(several)
    oracle.settle()
    for who in turns:
        decide(request, crowd[who])
        oracle.agree(crowd[who])
        done = {step.step_id for step in request.state.steps if step.state == T.STATE_APPROVED}
        assert done == {f"p/{each.rule_id}" for each in several if each.rule_id in oracle.done}
        pending = {step.step_id for step in request.state.steps if step.state == T.STATE_PENDING}
        assert pending == {f"p/{each.rule_id}" for each in several if each.rule_id in oracle.open}
    assert (request.state.state == S.STATE_APPROVED) == (len(oracle.done) == len(several))


class Oracle:
    """The same, slowly: who agreed to what, and every way of giving seats to people."""

    def __init__(self, several: list[policies.ApprovalRule]) -> None:
        self.rules, self.agreed = several, {each.rule_id: list[Person]() for each in several}
        self.done: set[str] = set()
        self.open: set[str] = set()

    def agree(self, who: Person) -> None:
        for each in self.rules:
            if each.rule_id in self.open and who not in self.agreed[each.rule_id] and self.may(who, each):
                self.agreed[each.rule_id].append(who)
        self.settle()

    def settle(self) -> None:
        self.done |= {each.rule_id for each in self.rules if each.rule_id in self.open and self.enough(each)}
        lower = {each.rule_id: [o for o in self.rules if o.chain == each.chain and o.level < each.level] for each in self.rules}
        free = {name for name, before in lower.items() if all(o.rule_id in self.done for o in before)}
        self.open = free - self.done

    def asked(self, of: policies.ApprovalRule) -> list[str]:
        return sorted({f"roles/{each.role}" if each.role else each.user for each in of.approvers})

    def may(self, who: Person, of: policies.ApprovalRule) -> bool:
        return any(self.fits(who, seat) for seat in self.asked(of))

    def fits(self, who: Person, seat: str) -> bool:
        return seat == who.name or seat.removeprefix("roles/") in who.roles

    def enough(self, of: policies.ApprovalRule) -> bool:
        agreed, seats = self.agreed[of.rule_id], self.asked(of)
        if of.mode != ALL:
            return bool(agreed)
        return any(
            all(self.fits(who, seat) for who, seat in zip(order, seats, strict=True))
            for order in permutations(agreed, len(seats))
        )


def test_one_rejection_ends_it_and_skips_the_rest() -> None:
    request = asked(deal(), version(rule("a", "true"), rule("b", "true", user("x")), rule("c", "true", level=2)))
    request.reject(person("y", "boss"), "", "too cheap", NOW)
    assert request.state.state == S.STATE_REJECTED
    assert [step.state for step in request.state.steps] == [T.STATE_REJECTED, T.STATE_SKIPPED, T.STATE_SKIPPED]
    assert isinstance(request.events[-1], events.ApprovalRequestRejected)
    request.check()


def test_who_submits_owns_or_benefits_never_decides() -> None:
    facts = deal(owner="users/owner", beneficiaries=["users/gain"])
    request = asked(facts, version(rule("a", "true")))
    for name in ("seller", "owner", "gain"):
        with pytest.raises(Failure) as refused:
            approve(request, person(name, "boss"))
        assert refused.value.reason == "APPROVAL_CONFLICT_OF_INTEREST"
    with pytest.raises(Failure) as refused:
        approve(request, person("bert", stands_for=[("owner", "boss")]))
    assert refused.value.reason == "APPROVAL_CONFLICT_OF_INTEREST"
    approve(request, person("x", "boss"))
    assert request.state.state == S.STATE_APPROVED


def test_a_delegate_and_the_one_he_stands_for_are_one() -> None:
    request = asked(deal(), version(rule("a", "true", role("boss"), role("chief"))))
    approve(request, person("bert", stands_for=[("anna", "boss", "chief")]))
    for again in (person("bert", "chief"), person("anna", "boss", "chief"), person("cleo", stands_for=[("anna", "boss")])):
        with pytest.raises(Failure) as refused:
            approve(request, again)
        assert refused.value.reason == "APPROVAL_ALREADY_DECIDED"
    assert request.state.steps[0].decisions[0].on_behalf_of == "users/anna"
    approve(request, person("dora", "chief"))
    assert request.state.state == S.STATE_APPROVED


def test_a_person_of_two_roles_takes_the_seat_that_is_left() -> None:
    request = asked(deal(), version(rule("a", "true", role("x"), role("y"))))
    approve(request, person("anna", "x", "y"))
    assert request.state.state == S.STATE_IN_PROGRESS
    approve(request, person("bert", "x"))
    assert request.state.state == S.STATE_APPROVED


def test_a_quorum_of_a_role_is_so_many_people_of_it() -> None:
    request = asked(deal(), version(rule("a", "true", role("board"), mode=QUORUM, quorum=2)))
    approve(request, person("anna", "board"))
    assert request.state.state == S.STATE_IN_PROGRESS
    approve(request, person("bert", "board"))
    assert request.state.state == S.STATE_APPROVED


def test_those_above_may_decide_once_it_takes_too_long() -> None:
    request = asked(deal(), version(rule("a", "true", user("anna"), escalation=[role("chief")], response_minutes=5)))
    step = request.undated[0]
    step.due_time.FromDatetime(NOW)
    with pytest.raises(Failure):
        approve(request, person("cleo", "chief"))
    assert request.escalate("p/a", NOW)
    assert not request.escalate("p/a", NOW)
    assert (request.state.state, list(request.state.pending_approvers)) == (S.STATE_ESCALATED, ["roles/chief", "users/anna"])
    approve(request, person("cleo", "chief"))
    assert request.state.state == S.STATE_APPROVED


def test_one_step_can_be_decided_alone() -> None:
    request = asked(deal(), version(rule("a", "true"), rule("b", "true")))
    request.approve(person("x", "boss"), "p/b", "", pb.ApprovalBounds(), NOW)
    assert [step.state for step in request.state.steps] == [T.STATE_PENDING, T.STATE_APPROVED]
