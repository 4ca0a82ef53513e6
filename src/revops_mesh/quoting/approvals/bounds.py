"""Approval bounds: the values within which an approval holds, so that only what leaves them is approved again.

Each bound is one-sided and none gets tighter for a better deal: less discount, more margin, a smaller amount before discounts,
fewer special terms and earlier payment stay inside. An open term is longer than any; a margin that is not known is -1.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, cast

from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import deal_facts_pb2 as facts_pb

from revops_mesh.numbers.money import decimal_text

from ..deal_facts import LOWEST_MARGIN, number
from .vocabulary import OPEN_TERM

MARGIN_BOUNDS = frozenset({"min_margin_rate", "min_line_margin_rate"})
_CEILINGS = ("max_discount_rate", "max_line_discount_rate", "max_list_amount", "max_term_months", "max_payment_days")
_FLOORS = ("min_margin_rate", "min_line_margin_rate", "min_term_months")
_SETS = ("special_terms", "products")
_DECIMALS = tuple(name for name in (*_CEILINGS, *_FLOORS) if name.endswith(("_rate", "_amount")))
_SAME = ("account", "partner", "currency_code")


class Excess(NamedTuple):
    """A value that leaves a bound, in words that a machine reads."""

    bound: str
    limit: str
    actual: str


def bounds_of(facts: facts_pb.DealFacts) -> pb.ApprovalBounds:
    """The narrowest bounds that a deal is within."""
    found: Any = pb.ApprovalBounds(
        min_term_months=facts.term_months, max_term_months=facts.term_months, max_payment_days=facts.payment_days
    )
    for name in _DECIMALS:
        setattr(_holder(name, found), name, decimal_text(_fact(name, facts)))
    for name in _SAME:
        setattr(found, name, getattr(facts, name))
    for name in _SETS:
        getattr(found, name).SetInParent()
        getattr(found, name).names[:] = getattr(facts, name)
    return cast(pb.ApprovalBounds, found)


def completed(given: pb.ApprovalBounds, facts: facts_pb.DealFacts) -> pb.ApprovalBounds:
    """Bounds that an approver gave, with the deal as it is where they say nothing."""
    found: Any = bounds_of(facts)
    for name in _SETS:
        if cast(Any, given).HasField(name):
            found.ClearField(name)
    found.MergeFrom(given)
    return cast(pb.ApprovalBounds, found)


def excesses(bounds: Any, facts: facts_pb.DealFacts) -> list[Excess]:
    """What of a deal leaves some bounds; nothing if it is within them."""
    found = [_beyond(name, bounds, facts, 1) for name in _CEILINGS] + [_beyond(name, bounds, facts, -1) for name in _FLOORS]
    for name in _SETS:
        extra = sorted(set(getattr(facts, name)) - set(getattr(bounds, name).names)) if bounds.HasField(name) else []
        found.append(Excess(name, ", ".join(getattr(bounds, name).names), ", ".join(extra)) if extra else None)
    for name in _SAME:
        if bounds.HasField(name) and getattr(bounds, name) != getattr(facts, name):
            found.append(Excess(name, getattr(bounds, name), getattr(facts, name)))
    return [each for each in found if each is not None]


def narrowest(several: Sequence[Any]) -> pb.ApprovalBounds:
    """The bounds that keep all of some; at least one is given."""
    found = pb.ApprovalBounds()
    for name in (*_CEILINGS, *_FLOORS):
        said = [each for each in several if _holder(name, each).HasField(name)]
        if said:
            strictest = (min if name in _CEILINGS else max)(said, key=partial(_value, name))
            setattr(_holder(name, found), name, getattr(_holder(name, strictest), name))
    for name in _SETS:
        lists = [set(getattr(each, name).names) for each in several if each.HasField(name)]
        if lists:
            getattr(found, name).SetInParent()
            getattr(found, name).names[:] = sorted(set.intersection(*lists))
    for name in _SAME:
        for each in several:
            if each.HasField(name):
                setattr(found, name, getattr(each, name))
    return found


def all_of(decisions: Iterable[pb.ApprovalDecision], facts: facts_pb.DealFacts) -> pb.ApprovalBounds:
    """The bounds of a request by those of its decisions; of one that nobody had to decide, the deal as it is."""
    given = [each.bounds for each in decisions if each.verdict == pb.ApprovalDecision.VERDICT_APPROVED]
    return narrowest(given) if given else bounds_of(facts)


def _beyond(name: str, bounds: Any, facts: facts_pb.DealFacts, sign: int) -> Excess | None:
    if not _holder(name, bounds).HasField(name):
        return None
    limit, actual = _value(name, bounds), _fact(name, facts)
    return Excess(name, decimal_text(limit), decimal_text(actual)) if sign * (actual - limit) > 0 else None


def _value(name: str, bounds: Any) -> Decimal:
    value = getattr(_holder(name, bounds), name)
    return _term(value) if name.endswith("term_months") else Decimal(value)


def _fact(name: str, facts: facts_pb.DealFacts) -> Decimal:
    fact = name if "_line_" in name else name.partition("_")[2]
    if name in MARGIN_BOUNDS:
        text: str = getattr(facts.margins, fact)
        return Decimal(text) if text else LOWEST_MARGIN
    if name.endswith("term_months"):
        return _term(facts.term_months)
    if name == "max_payment_days":
        return Decimal(facts.payment_days)
    return number(getattr(facts, fact))


def _holder(name: str, bounds: Any) -> Any:
    """Where a bound is set: margins are apart, because not everybody may read them."""
    return bounds.margins if name in MARGIN_BOUNDS else bounds


def _term(months: int) -> Decimal:
    return Decimal(months or OPEN_TERM)
