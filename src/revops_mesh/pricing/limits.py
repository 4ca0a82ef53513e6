"""What a charge amounts to at least and at most, and the true-up of a commitment. Amounts are in the charge's currency."""

from decimal import Decimal
from fractions import Fraction

from revops_mesh.numbers.money import InvalidNumber, intermediate, money_text
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.terms import WHOLE, Limits


def limited(limits: Limits, amount: Decimal, currency: str, proof: ProofBuilder | None = None) -> Decimal:
    """The amount raised to the minimum or lowered to the maximum. Steps, by code: "minimum" and "maximum"."""
    if limits.minimum is not None and amount < limits.minimum:
        if proof is not None:
            proof.step("minimum", f"at least {money_text(limits.minimum, currency)}", limits.minimum)
        return limits.minimum
    if limits.maximum is not None and amount > limits.maximum:
        if proof is not None:
            proof.step("maximum", f"at most {money_text(limits.maximum, currency)}", limits.maximum)
        return limits.maximum
    return amount


def with_true_up(
    committed: Decimal, amount: Decimal, share: Fraction, currency: str, proof: ProofBuilder | None = None
) -> Decimal:
    """The amount + what it falls short of the committed amount × `share`, the part of the billing period that passed.

    Use it on the sum of a period, since a period that is billed in pieces falls short of its commitment only once. Step:
    "true_up". Raises InvalidNumber for a share outside 0 to 1. Call it inside `localcontext(EXACT)`.
    """
    if not 0 <= share <= 1:
        raise InvalidNumber("share", f"must be from 0 to 1, got {share}")
    due = committed if share == WHOLE else intermediate(committed * share.numerator / share.denominator)
    if amount >= due:
        return amount
    if proof is not None:
        part = "" if share == WHOLE else f" × {share}"
        missing = f"{money_text(due - amount, currency)} short of {money_text(committed, currency)}{part}"
        proof.step("true_up", f"{money_text(amount, currency)} + {missing}", due)
    return due
