"""Rules: what is saved checks, what matches takes its step, and what fails asks rather than forgets."""

from typing import Any

import pytest
from revops.quoting.v1 import approval_policies_pb2 as policies

from revops_mesh.quoting.approvals.matching import matches, problems
from tests.quoting.approvals.deals import ALL, QUORUM, deal, discounted, line, role, rule, steps, user, version


def matrix(*rows: tuple[str, str], currency: str = "EUR") -> policies.Approver:
    """Roles by amounts; the last row has no amount."""
    made = [policies.AmountRow(up_to=up_to, role=name) for up_to, name in rows]
    return policies.Approver(matrix=policies.AmountMatrix(currency_code=currency, rows=made))


def met(condition: str, **fields: Any) -> bool:
    """Whether a deal of two lines meets a condition."""
    facts = deal(line(net="80.00"), line(net="95.00", product="products/gold"), **fields)
    return bool(matches([version(rule("r", condition))], facts))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("max_line_discount_rate > 0.19", True),
        ("max_line_discount_rate > 0.2", False),
        ("discount_rate == 0.125", True),
        ("net_amount >= 175.0 && list_amount < 200.01", True),
        ("min_line_margin_rate < 0.51 && margin_known", True),
        ("margin_rate < 0.5", False),
        ('"products/gold" in products', True),
        ('lines.exists(l, l.product == "products/gold" && l.discount_rate > 0.06)', False),
        ('lines.exists(l, l.product == "products/gold" && l.discount_rate >= 0.05)', True),
        ("size(lines) == line_count", True),
        ("term_months > 36", False),
        ('partner == "" && account == "accounts/acme"', True),
        ("special_terms.exists(t, t == 'most favoured customer')", False),
        ("payment_days > 30", False),
    ],
)
def test_a_rule_goes_by_header_and_lines(condition: str, holds: bool) -> None:
    assert met(condition) is holds


def test_an_open_term_is_longer_than_any() -> None:
    assert met("term_months > 120", term_months=0)


def test_an_unknown_margin_is_minus_one_and_told() -> None:
    facts = deal(line(cost=""))
    assert matches([version(rule("r", "min_line_margin_rate < 0.2"))], facts)
    assert not matches([version(rule("r", "margin_known && min_line_margin_rate < 0.2"))], facts)


def test_a_rule_that_fails_asks_rather_than_forgets() -> None:
    assert matches([version(rule("r", "lines[7].quantity > 1"))], deal())


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (rule("r", "discount > 0.1"), "condition"),
        (rule("r", "net_amount"), "condition"),
        (rule("r", "net_amount > "), "condition"),
        (rule("r", "true", policies.Approver()), "approvers[0]"),
        (rule("r", "true", role("a"), mode=ALL, quorum=2), "quorum"),
        (rule("r", "true", role("a"), mode=QUORUM), "quorum"),
        (rule("r", "true", user("a"), user("a"), mode=QUORUM, quorum=2), "quorum"),
        (rule("r", "true", matrix(("10", "a"), ("20", "b"))), "approvers[0].matrix.rows[1].up_to"),
        (rule("r", "true", matrix(("", "a"), ("", "b"))), "approvers[0].matrix.rows[0].up_to"),
        (rule("r", "true", matrix(("10", "a"), ("10.0", "b"), ("", "c"))), "approvers[0].matrix.rows[1].up_to"),
        (rule("r", "true", escalation=[policies.Approver()]), "escalation[0]"),
    ],
)
def test_what_does_not_check_is_named(wrong: policies.ApprovalRule, field: str) -> None:
    found = problems([rule("good", "net_amount > 5"), wrong])
    assert [problem.field for problem in found] == [f"approval_policy.rules[1].{field}"]


def test_two_rules_of_one_id_are_found() -> None:
    assert [each.field for each in problems([rule("r", "true"), rule("r", "true")])] == ["approval_policy.rules[1].rule_id"]


def test_a_row_of_a_matrix_includes_its_amount_and_another_currency_goes_to_the_last() -> None:
    asked = matrix(("1000", "team"), ("5000", "region"), ("", "board"))

    def seat(amount: str, **fields: Any) -> str:
        return steps(deal(line(amount, amount), **fields), version(rule("r", "true", asked)))[0].seats[0].approver

    assert [seat(amount) for amount in ("1000.00", "1000.01", "5000.00", "5000.01")] == [
        "roles/team",
        "roles/region",
        "roles/region",
        "roles/board",
    ]
    assert seat("1.00", currency_code="USD") == "roles/board"


def test_a_manager_is_found_by_level_and_the_highest_stands_for_those_there_are_not() -> None:
    def seats(level: int, *managers: str) -> list[str]:
        asked = policies.Approver(manager_level=level)
        return [each.approver for each in steps(deal(), version(rule("r", "true", asked)), managers=managers)[0].seats]

    assert seats(1, "users/m1", "users/m2") == ["users/m1"]
    assert seats(2, "users/m1", "users/m2") == ["users/m2"]
    assert seats(5, "users/m1", "users/m2") == ["users/m2"]
    assert seats(1) == ["roles/admin"]


def test_who_has_an_interest_is_replaced_by_the_fallback_role() -> None:
    facts = deal(owner="users/o", beneficiaries=["users/b"])
    found = steps(facts, version(rule("r", "true", user("o"), user("b"), user("seller"), user("x"))))[0]
    assert [seat.approver for seat in found.seats] == ["roles/admin", "users/x"]
    assert found.seats[0].because == "users/o has an interest in the deal"
    assert found.needed == 2


def test_steps_are_ordered_by_chain_level_and_id() -> None:
    found = steps(
        discounted("0.3"),
        version(rule("b", "true", chain="legal", level=2), rule("a", "true", level=9), rule("c", "true", chain="legal")),
    )
    assert [step.step_id for step in found] == ["p/a", "p/c", "p/b"]
