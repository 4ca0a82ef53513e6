"""The deal approval template: the published policy, and what may be adjusted of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.quoting.v1 import approval_policies_pb2 as pb

from revops_mesh.kernel.errors import Failure
from revops_mesh.quoting.approvals import templates
from revops_mesh.quoting.approvals.matching import problems
from revops_mesh.quoting.approvals.policies import ApprovalPolicy
from tests.quoting.approvals.deals import deal, discounted, line, steps, version


def policy(**parameters: str) -> ApprovalPolicy:
    """A policy of the template."""
    values = [pb.TemplateParameterValue(parameter=name, value=value) for name, value in parameters.items()]
    return ApprovalPolicy.draft("approvalPolicies/p", pb.ApprovalPolicy(template=templates.NAME, parameters=values))


def asks(rate: str, made: ApprovalPolicy, product: str = "products/standard") -> list[str]:
    """Whom it asks for a deal of one line at a discount."""
    net = f"{1000 * (1 - float(rate)):.2f}"
    found = steps(deal(line("1000.00", net, product=product)), version(*made.state.rules))
    return [seat.approver for step in found for seat in step.seats]


@pytest.mark.parametrize(
    ("rate", "product", "approvers"),
    [
        # Conga: 10 % on bulk standard goes through; over 15 % or strategic needs approval; the regional manager up to 20 %, then
        # the business unit manager.
        ("0.10", "products/standard", []),
        ("0.15", "products/standard", []),
        ("0.16", "products/standard", ["roles/regional"]),
        ("0.20", "products/standard", ["roles/regional"]),
        ("0.21", "products/standard", ["roles/unit"]),
        ("0.00", "products/strategic", ["roles/regional"]),
        ("0.20", "products/strategic", ["roles/regional"]),
        ("0.25", "products/strategic", ["roles/unit"]),
    ],
)
def test_the_published_policy(rate: str, product: str, approvers: list[str]) -> None:
    made = policy(strategic_products="products/strategic, products/core", regional_role="regional", business_unit_role="unit")
    assert asks(rate, made, product) == approvers


def test_parameters_that_are_left_out_have_their_defaults() -> None:
    made = policy(approval_rate="0.1")
    values = {each.parameter: each.value for each in made.state.parameters}
    assert (values["approval_rate"], values["regional_rate"]) == ("0.1", "0.2")
    assert (made.state.template_version, len(values)) == (templates.VERSION, len(templates.PARAMETERS))
    assert (
        templates.template(templates.NAME).rules
        == ApprovalPolicy.draft("x", pb.ApprovalPolicy(template=templates.NAME)).state.rules
    )


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("approval_rate", "0.31"),
        ("approval_rate", "0.04"),
        ("approval_rate", "15%"),
        ("approval_rate", "0.1500001"),
        ("approval_rate", "0.25"),  # above regional_rate
        ("regional_rate", "0.14"),  # below approval_rate
        ("response_minutes", "-1"),
        ("response_minutes", "4801"),
        ("regional_role", "Sales Manager"),
        ("strategic_products", 'x" in products || true || "'),
        ("surprise", "1"),
    ],
)
def test_a_value_out_of_its_range_is_refused(parameter: str, value: str) -> None:
    with pytest.raises(Failure) as refused:
        policy(**{parameter: value})
    assert refused.value.reason == "APPROVAL_PARAMETER_INVALID"


def test_one_parameter_twice_is_refused() -> None:
    twice = [pb.TemplateParameterValue(parameter="approval_rate", value=value) for value in ("0.1", "0.12")]
    with pytest.raises(Failure):
        templates.settled(twice)


def test_the_rules_of_a_templated_policy_change_by_its_parameters_alone() -> None:
    made = policy()
    changed = pb.ApprovalPolicy()
    changed.CopyFrom(made.state)
    changed.rules[0].condition = "false"
    with pytest.raises(Failure) as refused:
        made.update(changed)
    assert refused.value.reason == "APPROVAL_POLICY_TEMPLATED"
    with pytest.raises(Failure):
        ApprovalPolicy.draft("x", pb.ApprovalPolicy(template=templates.NAME, rules=[pb.ApprovalRule(rule_id="r")]))
    changed.CopyFrom(made.state)
    changed.parameters[1].value = "0.3"
    made.update(changed)
    assert made.state.rules[1].condition == "max_line_discount_rate > 0.3"


def test_a_policy_without_template_takes_no_parameters() -> None:
    with pytest.raises(Failure):
        ApprovalPolicy.draft(
            "x", pb.ApprovalPolicy(parameters=[pb.TemplateParameterValue(parameter="approval_rate", value="0.1")])
        )


names = st.text(st.characters(exclude_categories=("C",), exclude_characters='"\\,'), min_size=1, max_size=20)


@given(st.integers(50_000, 300_000), st.integers(100_000, 500_000), st.lists(names, max_size=10))
def test_whatever_the_parameters_allow_gives_rules_that_check(approval: int, regional: int, strategic: list[str]) -> None:
    values = {
        "approval_rate": f"{approval / 1e6:f}",
        "regional_rate": f"{regional / 1e6:f}",
        "strategic_families": ",".join(strategic),
    }
    if regional < approval:
        return
    made = policy(**values)
    assert problems(made.state.rules) == []
    made.check()


def test_a_discount_is_judged_by_its_worst_line() -> None:
    assert steps(discounted("0.16"), version(*policy().state.rules))[0].display_name == "Discount above 0.15, or strategic"
