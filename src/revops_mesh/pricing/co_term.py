"""Co-termination: subscriptions that end on different days are made to end on one.

A term is priced by its days, those of the time zone that is given: cost a day of the old term × days of the new one ×
uplift (IBM). Amounts are in one currency, at its minor unit.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from decimal import Decimal, localcontext
from enum import Enum
from typing import NamedTuple

from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import EXACT, InvalidNumber, decimal_text, intermediate, money_text, rounded, rounding_text
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.proration import Span


class Anchor(Enum):
    """Which of several ends all are moved to."""

    EARLIEST = "EARLIEST"
    LATEST = "LATEST"


class Term(NamedTuple):
    """A term of a subscription and its net amount, at least 0."""

    span: Span
    amount: Decimal


def co_term(
    old: Term,
    new: Span,
    zone: tzinfo,
    currency: str,
    uplift: Decimal = Decimal(1),
    rounding: pricing_pb2.Rounding.ValueType = pricing_pb2.ROUNDING_UNSPECIFIED,
    proof: ProofBuilder | None = None,
) -> Decimal:
    """What a new term costs at the daily cost of the old one × uplift: 1.1 for 10 % more, at least 0.

    Steps, by code: "co_term", with 12 decimals, and "round". Raises InvalidNumber: an old term of no whole day, an empty
    span, an uplift or amount below 0.
    """
    for field, value in (("amount", old.amount), ("uplift", uplift)):
        if not value.is_finite() or value < 0:
            raise InvalidNumber(field, f"must be at least 0, got {value}")
    old_days, new_days = days(old.span, zone, "old"), days(new, zone, "new")
    if not old_days:
        raise InvalidNumber("old", "must have at least one day")
    with localcontext(EXACT):
        exact = old.amount * uplift * new_days / old_days
        result = rounded(exact, currency, rounding)
        if proof is not None:
            by = "" if uplift == 1 else f" × {decimal_text(uplift)}"
            shown = intermediate(exact)
            proof.step("co_term", f"{money_text(old.amount, currency)}{by} × {new_days} ÷ {old_days} days", shown)
            if result != shown:
                proof.step("round", decimal_text(shown), result, rounding_text(rounding, currency))
    return result


def extended(terms: Sequence[Term], end: Anchor | datetime, zone: tzinfo, currency: str) -> list[Decimal]:
    """What moving the end of each term to one end costs, at its own daily cost: a credit, below 0, for one that is cut.

    Raises InvalidNumber for an end that is not after the start of every term, and as `co_term`.
    """
    anchor = common_end([term.span for term in terms], end)
    amounts = []
    for index, term in enumerate(terms):
        if anchor <= term.span.start:
            raise InvalidNumber(f"terms[{index}]", f"would end before it starts, at {anchor.isoformat()}")
        whole = co_term(term, Span(term.span.start, anchor), zone, currency)
        amounts.append(whole - rounded(term.amount, currency))
    return amounts


def common_end(spans: Sequence[Span], end: Anchor | datetime) -> datetime:
    """The instant that all spans are to end at. Raises InvalidNumber without spans."""
    if isinstance(end, datetime):
        return end
    if not spans:
        raise InvalidNumber("spans", "must have at least one span")
    ends = [span.end for span in spans]
    return min(ends) if end is Anchor.EARLIEST else max(ends)


def days(span: Span, zone: tzinfo, field: str) -> int:
    """Days of a span in a time zone, the day of its end not counted. Raises InvalidNumber for a span that is empty."""
    start, end = span.in_utc(field)
    return (end.astimezone(zone).date() - start.astimezone(zone).date()).days
