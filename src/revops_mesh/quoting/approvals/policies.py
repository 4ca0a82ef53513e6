"""Approval policies and their versions. What a version says never changes; requests follow the versions they began under."""

from typing import Self

from revops.quoting.v1 import approval_policies_pb2 as pb

from revops_mesh.kernel.aggregate import Aggregate, transition
from revops_mesh.kernel.errors import Broken, Failure

from . import templates
from .matching import problems

_State = pb.ApprovalPolicy.State
ALLOWED: dict[str, frozenset[int]] = {
    "update": frozenset({_State.STATE_DRAFT, _State.STATE_ACTIVE}),
    "delete": frozenset({_State.STATE_DRAFT}),
    "publish": frozenset({_State.STATE_DRAFT, _State.STATE_ACTIVE}),
    "retire": frozenset({_State.STATE_ACTIVE}),
}
"""States in which each verb is possible."""
FALLBACK_ROLE = "admin"


class ApprovalPolicy(Aggregate[pb.ApprovalPolicy]):
    """Rules that say which deals need whose approval."""

    state_type = pb.ApprovalPolicy

    @classmethod
    def draft(cls, name: str, offer: pb.ApprovalPolicy) -> Self:
        """A new draft, of a template if it names one.

        Raises APPROVAL_RULE_INVALID, APPROVAL_PARAMETER_INVALID, APPROVAL_POLICY_TEMPLATED, RESOURCE_NOT_FOUND.
        """
        policy = cls(pb.ApprovalPolicy())
        policy.state.CopyFrom(offer)
        policy.state.name, policy.state.state = name, _State.STATE_DRAFT
        if offer.template:
            policy.state.template_version = templates.template(offer.template).version
            if offer.rules:
                raise policy._templated()
        policy._settle()
        return policy

    def update(self, changed: pb.ApprovalPolicy) -> None:
        """Takes over changed fields.

        Raises APPROVAL_POLICY_STATE, APPROVAL_RULE_INVALID, APPROVAL_PARAMETER_INVALID, APPROVAL_POLICY_TEMPLATED.
        """
        self.must_allow("update")
        if self.state.template and list(changed.rules) != list(self.state.rules):
            raise self._templated()
        self.state.CopyFrom(changed)
        self._settle()

    def publish(self) -> "ApprovalPolicyVersion":
        """Has it decide from now on. Raises APPROVAL_POLICY_STATE, APPROVAL_POLICY_EMPTY."""
        self.must_allow("publish")
        if not self.state.rules:
            text = "{policy} has no rule: add one, or retire it."
            raise Failure(pb.ApprovalPolicyReason, pb.APPROVAL_POLICY_EMPTY, text, policy=self.name)
        self.state.version += 1
        self.state.state = _State.STATE_ACTIVE
        self.record(pb.ApprovalPolicyPublished(approval_policy=self.name, version=self.state.version))
        return ApprovalPolicyVersion.frozen(self.version_name, self.state)

    def retire(self) -> None:
        """Has it decide no more. Raises APPROVAL_POLICY_STATE."""
        self.must_allow("retire")
        self.state.state = _State.STATE_RETIRED

    @property
    def version_name(self) -> str:
        """The resource name of its latest version; there is none before it is published."""
        return f"{self.name}/versions/{self.state.version}"

    def must_allow(self, verb: str) -> None:
        """Raises APPROVAL_POLICY_STATE unless the state allows the verb."""
        states, reasons, reason = pb.ApprovalPolicy.State, pb.ApprovalPolicyReason, pb.APPROVAL_POLICY_STATE
        transition(self.state.state, ALLOWED[verb], states, reasons, reason, verb=verb, policy=self.name)

    def _templated(self) -> Failure:
        text = "The rules of {policy} follow from {template}: set its parameters, or create a policy of your own."
        reason, template = pb.APPROVAL_POLICY_TEMPLATED, self.state.template
        return Failure(pb.ApprovalPolicyReason, reason, text, policy=self.name, template=template)

    def _settle(self) -> None:
        """Derives what follows from the template, and refuses rules that do not check."""
        state = self.state
        state.fallback_role = state.fallback_role or FALLBACK_ROLE
        if state.template:
            values = templates.settled(state.parameters)
            del state.parameters[:], state.rules[:]
            state.parameters.extend(pb.TemplateParameterValue(parameter=name, value=value) for name, value in values.items())
            state.rules.extend(templates.rules(values))
        elif state.parameters:
            text, problem = "{parameter} {problem}.", "belongs to no template: the rules of the policy are its own"
            wrong = state.parameters[0].parameter
            raise Failure(pb.ApprovalPolicyReason, pb.APPROVAL_PARAMETER_INVALID, text, parameter=wrong, problem=problem)
        if found := problems(state.rules):
            text, first = "{field} {problem}.", found[0]
            failure = Failure(
                pb.ApprovalPolicyReason, pb.APPROVAL_RULE_INVALID, text, field=first.field, problem=first.description
            )
            failure.violations = found
            raise failure

    def check(self) -> None:
        """Published exactly if it has a version, with a role to fall back to, and rules that check."""
        state = self.state
        if (state.state == _State.STATE_DRAFT) != (state.version == 0) or not state.fallback_role or problems(state.rules):
            raise Broken(f"{self.name} is {state.state} at version {state.version}: {problems(state.rules)}")


class ApprovalPolicyVersion(Aggregate[pb.ApprovalPolicyVersion]):
    """What a policy said when it was published."""

    state_type = pb.ApprovalPolicyVersion

    @classmethod
    def frozen(cls, name: str, policy: pb.ApprovalPolicy) -> Self:
        """The version that decides."""
        version = cls(pb.ApprovalPolicyVersion(name=name, policy=policy, state=pb.ApprovalPolicyVersion.STATE_CURRENT))
        for bookkeeping in ("etag", "update_time"):
            version.state.policy.ClearField(bookkeeping)
        return version

    def supersede(self) -> None:
        """A later one decides, or none."""
        self.state.state = pb.ApprovalPolicyVersion.STATE_SUPERSEDED

    def check(self) -> None:
        """It is the policy's, of its number."""
        policy = self.state.policy
        if not self.state.state or self.name != f"{policy.name}/versions/{policy.version}":
            raise Broken(f"{self.name} is version {policy.version} of {policy.name}")
