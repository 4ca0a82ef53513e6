"""Approval requests: what is asked, who has decided, and how it ends. Times are instants in UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from revops.quoting.v1 import approval_events_pb2 as events
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import deal_facts_pb2 as facts_pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.aggregate import Aggregate, transition
from revops_mesh.kernel.errors import Broken, Failure

from ..deal_facts import kept
from .bounds import all_of, completed, excesses
from .chains import advance, complete, skip_open
from .deciding import Person, place
from .judgement import OPEN

_State, _Step, _Verdict = pb.ApprovalRequest.State, pb.ApprovalStep.State, pb.ApprovalDecision.Verdict
ENDED = frozenset({_State.STATE_APPROVED, _State.STATE_REJECTED, _State.STATE_RECALLED, _State.STATE_EXPIRED})
ALLOWED: dict[str, frozenset[int]] = {verb: OPEN for verb in ("approve", "reject", "recall", "expire", "escalate")}
"""States in which each verb is possible."""
MOST_COMMENTS = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: the facts of a subject, the fingerprint they are pinned to, the steps, the versions of the policies."""

    facts: facts_pb.DealFacts
    fingerprint: str
    steps: Sequence[pb.ApprovalStep]
    versions: Sequence[str]


class ApprovalRequest(Aggregate[pb.ApprovalRequest]):
    """Somebody has to agree to a deal."""

    state_type = pb.ApprovalRequest

    @classmethod
    def ask(cls, name: str, asked: Asked, note: str, now: datetime) -> Self:
        """A new request, approved at once if earlier decisions cover every step."""
        facts = asked.facts
        state = pb.ApprovalRequest(
            name=name,
            subject=facts.subject,
            note=note,
            partner=facts.partner,
            fingerprint=asked.fingerprint,
            subject_key=f"{facts.subject}/{asked.fingerprint}",
            state=_State.STATE_IN_PROGRESS,
            facts=kept(facts),
            steps=asked.steps,
            policy_versions=asked.versions,
        )
        request = cls(state)
        request.record(events.ApprovalRequestCreated(**request._about))
        request._go_on(now)
        return request

    def approve(self, person: Person, step_id: str, note: str, bounds: pb.ApprovalBounds, now: datetime) -> None:
        """One person agrees, in every open step that asks for that, or the one named.

        Raises APPROVAL_REQUEST_STATE, APPROVAL_BOUNDS_EXCLUDE, and what `place` raises.
        """
        self.must_allow("approve")
        for bound, limit, actual in excesses(bounds, self.state.facts):
            text = "{bound} {limit} excludes the deal, which has {actual}: widen it."
            raise Failure(pb.ApprovalReason, pb.APPROVAL_BOUNDS_EXCLUDE, text, bound=bound, limit=limit, actual=actual)
        held = completed(bounds, self.state.facts)
        self._decide(person, step_id, pb.ApprovalDecision(verdict=_Verdict.VERDICT_APPROVED, note=note, bounds=held), now)
        self._go_on(now)

    def reject(self, person: Person, step_id: str, note: str, now: datetime) -> None:
        """One person does not agree, which ends it. Raises APPROVAL_REQUEST_STATE, and what `place` raises."""
        self.must_allow("reject")
        decided = self._decide(person, step_id, pb.ApprovalDecision(verdict=_Verdict.VERDICT_REJECTED, note=note), now)
        for step in decided:
            step.state = _Step.STATE_REJECTED
        self._end(_State.STATE_REJECTED, now)
        self.record(events.ApprovalRequestRejected(**self._about, principal=person.name))

    def recall(self, reason: str, now: datetime) -> None:
        """Takes it back. Raises APPROVAL_REQUEST_STATE."""
        self._take_back("recall", _State.STATE_RECALLED, reason, now)

    def expire(self, reason: str, now: datetime) -> None:
        """Its subject is no longer valid. Raises APPROVAL_REQUEST_STATE."""
        self._take_back("expire", _State.STATE_EXPIRED, reason, now)

    def escalate(self, step_id: str, now: datetime) -> bool:
        """Asks those above, too, if a step was not decided in time; whether anything changed. Raises APPROVAL_REQUEST_STATE."""
        self.must_allow("escalate")
        step = next((each for each in self.state.steps if each.step_id == step_id), None)
        if step is None or step.state != _Step.STATE_PENDING or step.escalated or not step.HasField("due_time"):
            return False
        if step.due_time.ToDatetime(tzinfo=UTC) > now:
            return False
        step.escalated = True
        self.record(events.ApprovalRequestEscalated(**self._about, step_id=step_id))
        self._settle()
        return True

    def comment(self, principal: str, text: str, now: datetime) -> None:
        """Adds a comment. Raises APPROVAL_COMMENTS_FULL."""
        if len(self.state.comments) >= MOST_COMMENTS:
            why = "{request} has {most} comments: no more are kept."
            raise Failure(pb.ApprovalReason, pb.APPROVAL_COMMENTS_FULL, why, request=self.name, most=MOST_COMMENTS)
        self.state.comments.add(principal=principal, time=clock.timestamp(now), text=text)

    def must_allow(self, verb: str) -> None:
        """Raises APPROVAL_REQUEST_STATE unless the state allows the verb."""
        states, reason = pb.ApprovalRequest.State, pb.APPROVAL_REQUEST_STATE
        transition(self.state.state, ALLOWED[verb], states, pb.ApprovalReason, reason, verb=verb, request=self.name)

    @property
    def undated(self) -> list[pb.ApprovalStep]:
        """Open steps that have a time limit and do not yet know when it ends."""
        return [
            step
            for step in self.state.steps
            if step.state == _Step.STATE_PENDING and step.rule.response_minutes and not step.HasField("due_time")
        ]

    def _decide(self, person: Person, step_id: str, decision: pb.ApprovalDecision, now: datetime) -> list[pb.ApprovalStep]:
        decision.time.CopyFrom(clock.timestamp(now))
        decided = place(self.state, person, step_id)
        for step, mine in decided:
            mine.MergeFrom(decision)
            step.decisions.append(mine)
        return [step for step, _ in decided]

    def _go_on(self, now: datetime) -> None:
        advance(self.state.steps)
        decisions = [each for step in self.state.steps for each in step.decisions]
        self.state.bounds.CopyFrom(all_of(decisions, self.state.facts))
        if complete(self.state.steps):
            self._end(_State.STATE_APPROVED, now)
            self.record(events.ApprovalRequestApproved(**self._about))
        self._settle()

    def _take_back(self, verb: str, state: pb.ApprovalRequest.State.ValueType, reason: str, now: datetime) -> None:
        self.must_allow(verb)
        self.state.close_reason, self.state.subject_key = reason, ""
        self._end(state, now)
        self.record(events.ApprovalRequestRecalled(**self._about, reason=reason))

    def _end(self, state: pb.ApprovalRequest.State.ValueType, now: datetime) -> None:
        skip_open(self.state.steps)
        self.state.state = state
        self.state.close_time.CopyFrom(clock.timestamp(now))
        self._settle()

    def _settle(self) -> None:
        """Derives whom it waits for, and whether anybody was too slow."""
        waiting = [step for step in self.state.steps if step.state == _Step.STATE_PENDING]
        self.state.pending_approvers[:] = pending(waiting)
        if self.state.state in OPEN:
            late = any(step.escalated for step in waiting)
            self.state.state = _State.STATE_ESCALATED if late else _State.STATE_IN_PROGRESS

    @property
    def _about(self) -> dict[str, Any]:
        state = self.state
        return {
            "approval_request": self.name,
            "subject": state.subject,
            "version": state.facts.version,
            "fingerprint": state.fingerprint,
            "partner": state.partner,
        }

    def check(self) -> None:
        """Open exactly while a step is, approved if every step is; nobody decided a step twice or in his own cause."""
        state, states = self.state, {step.state for step in self.state.steps}
        if not state.steps or (state.state in OPEN) != (_Step.STATE_PENDING in states):
            raise Broken(f"{self.name} is {state.state} with steps {states}")
        if (state.state == _State.STATE_APPROVED) != complete(state.steps) or state.HasField("close_time") == (
            state.state in OPEN
        ):
            raise Broken(f"{self.name} is {state.state} with steps {states} and close time {state.close_time}")
        for step in state.steps:
            people = [who for each in step.decisions for who in {each.principal, each.on_behalf_of} - {""}]
            if len(people) != len(set(people)) or set(people) & {state.facts.owner, state.facts.submitter}:
                raise Broken(f"{self.name}: {step.step_id} was decided by {people}")


def pending(steps: Sequence[pb.ApprovalStep]) -> list[str]:
    """Whom open steps ask, sorted; those above, too, where it took too long."""
    seats = [seat for step in steps for seat in (*step.seats, *(step.escalation if step.escalated else ()))]
    return sorted({seat.approver for seat in seats})
