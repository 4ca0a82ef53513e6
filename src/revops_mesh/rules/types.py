"""Types of rules, and how their values enter and leave the engine.

The engine knows no decimals and turns a `Decimal` into a binary float without a word. So a decimal enters as its
canonical text, is compared and computed by functions of ours on exact `Decimal`s, and the checker keeps everything else
away from that text. A date enters as ISO 8601 text, which sorts as dates do.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any


class RuleError(ValueError):
    """A rule that cannot be saved or evaluated; the kernel answers INVALID_ARGUMENT with one field violation."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}")
        self.field = field
        self.description = description


class Scalar(enum.Enum):
    """Types of single values; the value is the name in messages."""

    BOOL = "bool"
    INT = "int"
    DECIMAL = "decimal"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class ListOf:
    """At most 1,000 values of one type."""

    element: "Type"

    @property
    def value(self) -> str:
        return f"list of {self.element.value}"


@dataclass(frozen=True, slots=True)
class Record:
    """Named fields, all of them always there."""

    fields: Mapping[str, "Type"]
    value: str = "record"


Type = Scalar | ListOf | Record
BOOL, INT, DECIMAL, TEXT, DATE, TIMESTAMP, DURATION = Scalar
MONEY = Record({"amount": DECIMAL, "currency_code": TEXT}, "money")

MAX_ELEMENTS = 1_000
MAX_DIGITS = 60  # of a decimal, on either side of the point
MAX_DURATION = timedelta(days=36_525)
_EXACT = Context(prec=4 * MAX_DIGITS)  # holds the product of any two decimals


def decimal_text(number: Decimal) -> str:
    """The one spelling of a decimal: equal numbers have equal texts. Raises ValueError beyond MAX_DIGITS."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or (number and (number.adjusted() >= MAX_DIGITS or exponent < -MAX_DIGITS)):
        raise ValueError(f"a decimal has at most {MAX_DIGITS} digits on either side of the point")
    return format(number.normalize(_EXACT), "f") if number else "0"


def _exact(operation: Callable[[Decimal, Decimal], Decimal]) -> Callable[[str, str], str]:
    return lambda one, other: decimal_text(operation(Decimal(one), Decimal(other)))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "decimal_compare": lambda one, other: int(Decimal(one).compare(Decimal(other))),
    "decimal_add": _exact(_EXACT.add),
    "decimal_subtract": _exact(_EXACT.subtract),
    "decimal_multiply": _exact(_EXACT.multiply),
    "text_size": len,  # the engine's own `size` counts bytes
}


def enter(kind: Type, value: object, path: str) -> object:
    """A Python value as the engine takes it. Raises RuleError on the path of a value that is missing or of another type.

    Taken are bool, int of 64 bits, Decimal or int, str, date, aware datetime, timedelta of at most a century, sequences
    and mappings of these.
    """
    match kind, value:
        case (Scalar.BOOL, bool()) | (Scalar.TEXT, str()):
            return value
        case Scalar.INT, int() if not isinstance(value, bool) and -(2**63) <= value < 2**63:
            return value
        case Scalar.DECIMAL, Decimal() | int() if not isinstance(value, bool):
            try:
                return decimal_text(Decimal(value))
            except ValueError as error:
                raise RuleError(path, str(error)) from None
        case Scalar.DATE, date() if not isinstance(value, datetime):
            return value.isoformat()
        case Scalar.TIMESTAMP, datetime() if value.tzinfo is not None:
            return value
        case Scalar.DURATION, timedelta() if abs(value) <= MAX_DURATION:
            return value
        case ListOf(element), list() | tuple() if len(value) <= MAX_ELEMENTS:
            return [enter(element, item, f"{path}[{index}]") for index, item in enumerate(value)]
        case Record(fields), Mapping():
            return {name: enter(inner, value.get(name), f"{path}.{name}") for name, inner in fields.items()}
    raise RuleError(path, f"must be {kind.value}, not {'missing' if value is None else type(value).__name__}")


def leave(kind: Type, value: Any) -> object:
    """A result of the engine as Python value, the inverse of `enter`."""
    match kind:
        case Scalar.DECIMAL:
            return Decimal(value)
        case Scalar.DATE:
            return date.fromisoformat(value)
        case ListOf(element):
            return [leave(element, item) for item in value]
    return value
