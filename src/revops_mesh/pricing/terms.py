"""What a pricing says, parsed, and what an amount is computed from. Amounts are in the currency of the charge."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeVar

from revops.type.v1 import pricing_pb2

from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.tiers import Table

_T = TypeVar("_T")
WHOLE = Fraction(1)


class Basis(NamedTuple):
    """What was bought or used in a billing period. A model asks for what it needs and ignores the rest."""

    quantity: Decimal | None = None
    """Units, at least 0."""
    amount: Decimal | None = None
    """Money that a percentage is of, at least 0, in the currency of the charge."""
    events: int | None = None
    """How many events the amount is made of, at least 0."""
    event_amounts: Sequence[Decimal] | None = None
    """The amount of each event, at least 0, in the order they happened; says `amount` and `events` too."""
    share: Fraction = WHOLE
    """Part of a billing period that this is, 0 to 1: so much of the committed amount is due."""


class Limits(NamedTuple):
    """Between what the amount of a charge stays, and what is committed for a whole billing period."""

    minimum: Decimal | None
    maximum: Decimal | None
    committed: Decimal | None


class Terms(NamedTuple):
    """A pricing that passed `check`, its numbers parsed."""

    model: "Model"
    plain: "Units | None"
    """The arithmetic of the model, if nothing but the rounding of the line follows it: nearly every pricing."""
    rounding: str
    """As the decimal module names it."""
    place: pricing_pb2.RoundingPlace.ValueType
    zero_is_charged: bool
    limits: Limits | None
    amount: Decimal
    tiers: Table
    package_size: Decimal
    free_units: Decimal
    rate: Decimal
    event_amount: Decimal
    free_events: int
    free_amount: Decimal | None
    included_units: Decimal
    overage_amount: Decimal
    rounding_mode: pricing_pb2.Rounding.ValueType


Units = Callable[[Terms, Decimal, str, ProofBuilder | None], Decimal]
Money = Callable[[Terms, Basis, str, ProofBuilder | None], Decimal]


class Model(NamedTuple):
    """One way an amount follows from what was bought: the fields it needs, those it may use, and its arithmetic.

    Either `of_units` or `of_money` is its arithmetic, from a quantity or from an amount of money. What it answers is not
    rounded; it records its steps if given a proof. The currency only formats them.
    """

    name: str
    required: frozenset[str]
    optional: frozenset[str]
    tier_fields: frozenset[str]
    of_units: Units | None = None
    of_money: Money | None = None


def needed(value: _T | None, field: str, model: Model) -> _T:
    """What a model cannot do without. Raises InvalidNumber naming the field."""
    if value is None:
        raise InvalidNumber(field, f"is required by {model.name}")
    return value
