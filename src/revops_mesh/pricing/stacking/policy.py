"""Stacking policies: how the discounts of a document combine, and which comes first.

Input order never matters: what is equal in every key of the policy is ordered by name.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from revops.type.v1 import discount_pb2 as pb
from revops.type.v1 import pricing_pb2

from revops_mesh.pricing.stacking.rules import InvalidRule, Rule
from revops_mesh.pricing.violations import Violation

ADDITIVE = pb.STACKING_MODE_ADDITIVE_ON_BASE
SEQUENTIAL = pb.STACKING_MODE_SEQUENTIAL
BEST_OF = pb.STACKING_MODE_BEST_OF
EXCLUSIVE = pb.STACKING_MODE_EXCLUSIVE_OVERRIDE
MODES = (ADDITIVE, SEQUENTIAL, BEST_OF, EXCLUSIVE)

_ORDER = (pb.STACKING_KEY_LEVEL, pb.STACKING_KEY_CLASS, pb.STACKING_KEY_KIND, pb.STACKING_KEY_PRIORITY)
_KINDS = (
    pb.DISCOUNT_KIND_FIXED_PRICE,
    pb.DISCOUNT_KIND_BUY_X_GET_Y,
    pb.DISCOUNT_KIND_RATE,
    pb.DISCOUNT_KIND_AMOUNT,
)


class Line(NamedTuple):
    """A line of a document before discounts."""

    key: str
    """Unique in the document."""
    quantity: Decimal
    """Units, at least 0."""
    list_amount: Decimal
    """In the currency of the document at its minor unit, at least 0."""
    floor: Decimal = Decimal(0)
    """Net amount of the whole line that no discount undercuts, at the minor unit: `floors.floor_of`."""
    floor_permission: str = ""
    """Permission that is needed to read the floor in a proof, as that of the cost it was computed from."""


class Candidate(NamedTuple):
    """A discount that might apply. Whether its conditions hold has been found out before."""

    key: str
    """Unique among the candidates: the name of its policy."""
    rule: Rule
    lines: frozenset[str] | None = None
    """Keys of the lines it is for; None for all."""
    bought: frozenset[str] | None = None
    """Keys of the lines whose units buy-X-get-Y counts as bought, none of them in `lines`; None for those in `lines`."""
    discount_class: str = ""
    priority: int = 0
    """The higher comes first."""
    refused: str = ""
    """Why its conditions do not hold; empty if they do."""


class Policy(NamedTuple):
    """A stacking policy that passed `check`, its defaults filled in."""

    mode: pb.StackingMode.ValueType
    by_document: bool
    order: tuple[pb.StackingKey.ValueType, ...]
    classes: tuple[str, ...]
    kinds: tuple[pb.DiscountKind.ValueType, ...]
    refuses_below_floor: bool
    rounding: pricing_pb2.Rounding.ValueType
    rounds_document: bool

    def ordered(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Candidates in the order in which they apply."""
        return sorted(candidates, key=self._rank)

    def _rank(self, candidate: Candidate) -> tuple[tuple[int, ...], str]:
        return tuple(self._position(key, candidate) for key in self.order), candidate.key

    def _position(self, key: pb.StackingKey.ValueType, candidate: Candidate) -> int:
        if key == pb.STACKING_KEY_LEVEL:
            return candidate.rule.level
        if key == pb.STACKING_KEY_CLASS:
            return _index(self.classes, candidate.discount_class)
        if key == pb.STACKING_KEY_KIND:
            return _index(self.kinds, candidate.rule.kind)
        return -candidate.priority


def check(stacking: pb.Stacking) -> list[Violation]:
    """Everything that is wrong with a stacking policy; empty if it can be used. Keys, classes and kinds may occur once."""
    found: list[Violation] = []
    if stacking.mode not in pb.StackingMode.values():
        found.append(Violation("mode", "must be ADDITIVE_ON_BASE, SEQUENTIAL, BEST_OF or EXCLUSIVE_OVERRIDE"))
    if stacking.scope not in pb.StackingScope.values():
        found.append(Violation("scope", "must be LINE or DOCUMENT"))
    elif stacking.scope and stacking.mode not in (BEST_OF, EXCLUSIVE):
        found.append(Violation("scope", "is only used beside BEST_OF and EXCLUSIVE_OVERRIDE; leave it empty"))
    for field in ("order", "classes", "kinds"):
        values = list(getattr(stacking, field))
        if len(values) != len(set(values)):
            found.append(Violation(field, "must not repeat a value"))
    found += [
        Violation(f"order[{index}]", "must be LEVEL, CLASS, KIND or PRIORITY")
        for index, key in enumerate(stacking.order)
        if key not in _ORDER
    ]
    found += [
        Violation(f"kinds[{index}]", "must be FIXED_PRICE, BUY_X_GET_Y, RATE or AMOUNT")
        for index, kind in enumerate(stacking.kinds)
        if kind not in _KINDS
    ]
    if stacking.floor_action not in pb.FloorAction.values():
        found.append(Violation("floor_action", "must be CUT or REFUSE"))
    if stacking.rounding not in pricing_pb2.Rounding.values():
        found.append(Violation("rounding", "must be HALF_UP, HALF_EVEN, UP or DOWN"))
    if stacking.rounding_place not in (0, pricing_pb2.ROUNDING_PLACE_LINE, pricing_pb2.ROUNDING_PLACE_DOCUMENT):
        found.append(Violation("rounding_place", "must be LINE or DOCUMENT"))
    return found


def parsed(stacking: pb.Stacking) -> Policy:
    """A stacking policy with its defaults. Raises InvalidRule."""
    if violations := check(stacking):
        raise InvalidRule(violations)
    return Policy(
        mode=stacking.mode or SEQUENTIAL,
        by_document=stacking.scope == pb.STACKING_SCOPE_DOCUMENT,
        order=tuple(stacking.order) or _ORDER,
        classes=tuple(stacking.classes),
        kinds=tuple(stacking.kinds) or _KINDS,
        refuses_below_floor=stacking.floor_action == pb.FLOOR_ACTION_REFUSE,
        rounding=stacking.rounding,
        rounds_document=stacking.rounding_place == pricing_pb2.ROUNDING_PLACE_DOCUMENT,
    )


def _index(values: Sequence[object], value: object) -> int:
    """The position of a value; behind all of them if it is not listed."""
    return values.index(value) if value in values else len(values)
