"""The deal approval template: rules with parameters, which a tenant adjusts within declared ranges and nowhere else.

Source of the policy: Conga, "Create an effective approval process": 10 % on a bulk order of a standard product goes through;
above 15 %, or with a strategic product, it needs approval: of the regional manager up to 20 %, above of the business unit
manager.
"""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from revops.quoting.v1 import approval_policies_pb2 as pb

from revops_mesh.kernel.errors import Failure, not_found

_Type = pb.TemplateParameter.Type
NAME = "approvalTemplates/deal-approval"
VERSION = 1

PARAMETERS = tuple(
    pb.TemplateParameter(parameter=name, display_name=text, type=kind, default_value=value, min_value=low, max_value=high)
    for name, text, kind, value, low, high in (
        ("approval_rate", "Discount above which approval is needed", _Type.TYPE_RATE, "0.15", "0.05", "0.3"),
        ("regional_rate", "Discount up to which the regional manager decides", _Type.TYPE_RATE, "0.2", "0.1", "0.5"),
        ("strategic_products", "Products that always need approval", _Type.TYPE_NAMES, "", "", ""),
        ("strategic_families", "Families that always need approval", _Type.TYPE_NAMES, "", "", ""),
        ("regional_role", "Role of regional managers", _Type.TYPE_ROLE, "sales-manager", "", ""),
        ("business_unit_role", "Role of business unit managers", _Type.TYPE_ROLE, "admin", "", ""),
        ("response_minutes", "Working minutes to decide in, 0 for no limit", _Type.TYPE_INTEGER, "480", "0", "4800"),
    )
)
"""What can be adjusted, and how far; bounds are inclusive."""

_BY_NAME = {each.parameter: each for each in PARAMETERS}


def template(name: str) -> pb.ApprovalTemplate:
    """The template of a name, with the rules that its defaults give. Refused with RESOURCE_NOT_FOUND."""
    if name != NAME:
        raise not_found(name)
    return pb.ApprovalTemplate(
        name=NAME,
        display_name="Deal approval",
        description="Discounts up to a rate go through; above, or with a strategic product, managers decide.",
        version=VERSION,
        parameters=PARAMETERS,
        rules=rules(settled(())),
    )


def settled(given: Iterable[pb.TemplateParameterValue]) -> dict[str, str]:
    """The value of every parameter. Raises APPROVAL_PARAMETER_INVALID for one that is unknown, doubled or out of its range."""
    found = {each.parameter: each.default_value for each in PARAMETERS}
    seen: set[str] = set()
    for value in given:
        declared = _BY_NAME.get(value.parameter)
        problem = "is given twice" if value.parameter in seen else _problem(declared, value.value)
        if problem:
            text = "{parameter} {problem}."
            reason = pb.APPROVAL_PARAMETER_INVALID
            raise Failure(pb.ApprovalPolicyReason, reason, text, parameter=value.parameter, problem=problem)
        seen.add(value.parameter)
        found[value.parameter] = value.value
    if Decimal(found["regional_rate"]) < Decimal(found["approval_rate"]):
        text = "{parameter} {problem}."
        problem = f"must be at least approval_rate, {found['approval_rate']}"
        raise Failure(pb.ApprovalPolicyReason, pb.APPROVAL_PARAMETER_INVALID, text, parameter="regional_rate", problem=problem)
    return found


def _problem(declared: pb.TemplateParameter | None, value: str) -> str:
    """What is wrong with a value, "" if nothing."""
    if declared is None:
        return f"is no parameter of the template; it has {', '.join(_BY_NAME)}"
    pattern, what = _FORMS[declared.type]
    if not re.fullmatch(pattern, value):
        return f"must be {what}, not {value!r}"
    if declared.min_value and not Decimal(declared.min_value) <= Decimal(value) <= Decimal(declared.max_value):
        return f"must be from {declared.min_value} to {declared.max_value}, not {value}"
    return ""


_FORMS: Mapping[int, tuple[str, str]] = {
    _Type.TYPE_RATE: (r"[0-9](\.[0-9]{1,6})?", "a share with at most 6 decimals, as in 0.15"),
    _Type.TYPE_INTEGER: (r"[0-9]{1,9}", "a whole number"),
    _Type.TYPE_ROLE: (r"[a-z0-9-]{1,63}", "the id of a role"),
    _Type.TYPE_NAMES: (r'[^"\\\x00-\x1f]{0,1000}', "names, separated by commas, in at most 1,000 characters"),
}


def rules(values: Mapping[str, str]) -> list[pb.ApprovalRule]:
    """The rules that the values of the parameters give."""
    touched = [f"{each} in {kind}" for kind in ("products", "families") for each in _names(values[f"strategic_{kind}"])]
    strategic = " || ".join(["", *touched])
    approval, regional = (_rate(values[name]) for name in ("approval_rate", "regional_rate"))
    minutes = int(values["response_minutes"])
    manager, unit = pb.Approver(role=values["regional_role"]), pb.Approver(role=values["business_unit_role"])
    return [
        pb.ApprovalRule(
            rule_id="regional",
            display_name=f"Discount above {approval}, or strategic",
            condition=f"max_line_discount_rate <= {regional} && (max_line_discount_rate > {approval}{strategic})",
            level=1,
            approvers=[manager],
            escalation=[unit],
            mode=pb.APPROVAL_MODE_ANY,
            response_minutes=minutes,
        ),
        pb.ApprovalRule(
            rule_id="business-unit",
            display_name=f"Discount above {regional}",
            condition=f"max_line_discount_rate > {regional}",
            level=2,
            approvers=[unit],
            mode=pb.APPROVAL_MODE_ANY,
            response_minutes=minutes,
        ),
    ]


def _names(text: str) -> list[str]:
    return [json.dumps(each.strip(), ensure_ascii=False) for each in text.split(",") if each.strip()]


def _rate(text: str) -> str:
    """A rate as rules write a decimal: always with a point."""
    return text if "." in text else f"{text}.0"
