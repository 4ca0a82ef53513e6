"""What became of each discount: how much it took off which line, or why not. Amounts are at the minor unit."""

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from revops.type.v1 import discount_pb2 as pb


class Why(Enum):
    """What became of a candidate, and why."""

    APPLIED = "APPLIED"
    """It took off all that its rule says, on the lines where it won."""
    CUT_TO_FLOOR = "CUT_TO_FLOOR"
    """It took off less, because more would have gone below the floor of a line."""
    CUT_TO_ZERO = "CUT_TO_ZERO"
    """It took off less, because no more was left."""
    CONDITIONS = "CONDITIONS"
    """Its conditions do not hold; `detail` says which."""
    NO_LINE = "NO_LINE"
    """No line of the document is one that it is for, or none has units."""
    NO_EFFECT = "NO_EFFECT"
    """Its rule takes nothing off: the price is lower already, or too few are bought."""
    NOTHING_LEFT = "NOTHING_LEFT"
    """Those before it left nothing above the floors."""
    BELOW_FLOOR = "BELOW_FLOOR"
    """It would have gone below the floor of a line, and such discounts are refused; `detail` is the line."""
    OUTDONE = "OUTDONE"
    """Another one, `by`, takes more off."""
    OVERRIDDEN = "OVERRIDDEN"
    """Another one, `by`, comes first and excludes all others."""

    @property
    def applied(self) -> bool:
        """Whether it took anything off."""
        return self in (Why.APPLIED, Why.CUT_TO_FLOOR, Why.CUT_TO_ZERO)


class Outcome(NamedTuple):
    """What became of one candidate."""

    key: str
    why: Why
    amounts: tuple[Decimal, ...]
    """What it took off each line of the document, 0 if nothing."""
    alone: Decimal
    """What it would take off by itself, from list amounts and without floors; unrounded."""
    by: str = ""
    detail: str = ""

    @property
    def amount(self) -> Decimal:
        """What it took off the document."""
        return sum(self.amounts, Decimal(0))


class Stacked(NamedTuple):
    """The discounts of a document applied."""

    mode: pb.StackingMode.ValueType
    nets: tuple[Decimal, ...]
    """Net amount of each line, at the minor unit."""
    outcomes: tuple[Outcome, ...]
    """Of every candidate, in the order in which they apply."""

    @property
    def net(self) -> Decimal:
        """Net amount of the document."""
        return sum(self.nets, Decimal(0))
