"""The variables of approval rules, and which way each gets worse."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from revops.quoting.v1 import deal_facts_pb2 as pb

from revops_mesh.rules import RuleKind
from revops_mesh.rules.types import BOOL, DECIMAL, INT, TEXT, ListOf, Record

from ..deal_facts import LOWEST_MARGIN, number

OPEN_TERM = 1_000_000
"""Months that an open term counts as: it is longer than any."""

_LINE = Record(
    {
        "product": TEXT,
        "family": TEXT,
        "quantity": DECIMAL,
        "list_amount": DECIMAL,
        "net_amount": DECIMAL,
        "discount_rate": DECIMAL,
        "margin_rate": DECIMAL,
    },
    "line",
)
_AMOUNTS = ("list_amount", "discount_total", "net_amount", "mrr", "discount_rate", "max_line_discount_rate")
_MARGINS = ("margin_rate", "min_line_margin_rate")
_TEXTS = ("account", "partner", "currency_code", "owner")
_LISTS = ("products", "families", "special_terms")

APPROVAL = RuleKind(
    "approval",
    {
        **dict.fromkeys((*_AMOUNTS, *_MARGINS), DECIMAL),
        **dict.fromkeys(("term_months", "payment_days", "line_count"), INT),
        **dict.fromkeys(_TEXTS, TEXT),
        **dict.fromkeys(_LISTS, ListOf(TEXT)),
        "margin_known": BOOL,
        "lines": ListOf(_LINE),
    },
)
"""Conditions of approval rules. `term_months` of an open term is 1,000,000; a margin that is not known is -1."""

MARGIN_FACTS = frozenset({*_MARGINS, "margin_known", "lines"})
"""Variables that tell something of margins."""


def values(facts: pb.DealFacts, *, lines: bool = True) -> dict[str, object]:
    """The variables of a deal; without `lines` where no rule looks at them, because there may be a thousand."""
    found: dict[str, object] = {name: number(getattr(facts, name)) for name in _AMOUNTS}
    found |= {name: _margin(getattr(facts.margins, name)) for name in _MARGINS}
    found |= {name: getattr(facts, name) for name in _TEXTS}
    found |= {name: list(getattr(facts, name)) for name in _LISTS}
    found["term_months"] = facts.term_months or OPEN_TERM
    found["payment_days"], found["line_count"] = facts.payment_days, facts.line_count
    found["margin_known"] = facts.HasField("margins")
    if not lines:
        return found
    margins = {each.line_id: each.margin_rate for each in facts.margins.lines}
    found["lines"] = [_line(line, margins.get(line.line_id, "")) for line in facts.lines]
    return found


def _line(line: pb.LineFacts, margin: str) -> Mapping[str, object]:
    return {
        "product": line.product,
        "family": line.family,
        "quantity": number(line.quantity),
        "list_amount": number(line.list_amount),
        "net_amount": number(line.net_amount),
        "discount_rate": number(line.discount_rate),
        "margin_rate": _margin(margin),
    }


def _margin(text: str) -> Decimal:
    return number(text) if text else LOWEST_MARGIN


def _higher(now: Decimal | int, then: Decimal | int) -> bool:
    return now > then


def _lower(now: Decimal | int, then: Decimal | int) -> bool:
    return now < then


def _more(now: Sequence[str], then: Sequence[str]) -> bool:
    return not set(now) <= set(then)


_WORSE: Mapping[str, Callable[..., bool]] = {
    **dict.fromkeys((*_AMOUNTS, "payment_days", "line_count"), _higher),
    **dict.fromkeys(_MARGINS, _lower),
    **dict.fromkeys(_LISTS, _more),
}


def worse(name: str, now: object, then: object) -> bool:
    """Whether a variable got worse. Of one that has no better and worse, any change counts; lines are not compared: always."""
    if name == "lines":
        return True
    compare = _WORSE.get(name)
    return compare(now, then) if compare is not None else now != then
