"""What is wrong with the numbers of a contract message: every fault is found, named by its path, and explained."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from revops_mesh.numbers.money import InvalidNumber, parse


class Violation(NamedTuple):
    """What is wrong with a field of a contract message; `field` is its path, as in "tiers[1].up_to"."""

    field: str
    description: str


class InvalidTerms(ValueError):
    """A message that its check finds fault with; `violations` lists every fault."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__("; ".join(f"{field}: {description}" for field, description in violations))
        self.violations = violations


def check_decimal(
    text: str,
    path: str,
    *,
    positive: bool = False,
    signed: bool = False,
    most: Decimal | None = None,
    below: Decimal | None = None,
) -> Iterator[Violation]:
    """Whether an optional field is a decimal of at least 0, above 0 if `positive`, of any sign if `signed`, at most `most`
    and less than `below`; an empty one is.
    """
    if not text:
        return
    try:
        value = parse(text, path)
    except InvalidNumber as wrong:
        yield Violation(path, wrong.reason)
        return
    if not signed and (value < 0 or (positive and not value)):
        yield Violation(path, f"must be {'above' if positive else 'at least'} 0, got {text}")
    elif most is not None and value > most:
        yield Violation(path, f"must be at most {most}, got {text}")
    elif below is not None and value >= below:
        yield Violation(path, f"must be below {below}, got {text}")


def check_limits(message: Any, prefix: str, least: str, most: str) -> Iterator[Violation]:
    """Whether one optional field of a message is at most another one; what is no decimal is `check_decimal`'s to find."""
    low, high = getattr(message, least), getattr(message, most)
    if not low or not high or any((*check_decimal(low, "", signed=True), *check_decimal(high, "", signed=True))):
        return
    if Decimal(low) > Decimal(high):
        yield Violation(f"{prefix}{most}", f"must be at least {least}, {low}, got {high}")
