"""Money as exact decimals: parsing, canonical text, minor units and rounding.

An amount is a `Decimal` in whole units of the currency named beside it (12.50 beside EUR), never a float and never
cents. Currencies and their minor units: ISO 4217. Products and sums stay exact under `EXACT`; only quotients are cut,
by `intermediate`, at 12 decimals.
"""

import re
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from functools import cache

from babel.numbers import get_currency_precision, list_currencies
from revops.type.v1 import pricing_pb2
from revops.type.v1.money_pb2 import Money

# A price of 30 digits times a quantity of 18, summed over a thousand tiers, still fits; the default of 28 would
# round silently. Arithmetic on money belongs inside `with localcontext(EXACT):`.
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)

_DECIMAL = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,12})?").fullmatch
_INTERMEDIATE = Decimal("1E-12")
_WHOLE_DIGITS, _DECIMAL_DIGITS = 18, 12  # of the contract's Money

# Babel reads CLDR, which for these gives the digits in daily use; ISO 4217 list one says otherwise.
_ISO_DIGITS = dict.fromkeys("AFN ALL IRR KPW LAK LBP MGA MMK RSD SLL SOS SYP YER".split(), 2)  # noqa: SIM905
_ISO_DIGITS["IQD"] = 3
# Metals, funds units, "testing" and "no currency": ISO 4217 gives them no minor unit.
_NO_MINOR_UNIT = frozenset("XAG XAU XBA XBB XBC XBD XDR XEU XFO XFU XPD XPT XRE XSU XTS XUA XXX".split())  # noqa: SIM905

_ROUNDINGS: dict[int, str] = {
    pricing_pb2.ROUNDING_UNSPECIFIED: ROUND_HALF_UP,
    pricing_pb2.ROUNDING_HALF_UP: ROUND_HALF_UP,
    pricing_pb2.ROUNDING_HALF_EVEN: ROUND_HALF_EVEN,
    pricing_pb2.ROUNDING_UP: ROUND_UP,
    pricing_pb2.ROUNDING_DOWN: ROUND_DOWN,
}


class InvalidNumber(ValueError):
    """A number that cannot be used: `field` names it, `reason` says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class UnknownCurrency(InvalidNumber):
    """A code that ISO 4217 does not list or lists without a minor unit."""


@cache
def minor_unit(currency_code: str) -> Decimal:
    """Smallest amount of a currency: 0.01 for EUR, 1 for JPY, 0.001 for BHD. Withdrawn currencies count as known,
    because old documents name them. Raises UnknownCurrency.
    """
    if currency_code not in _known_currencies():
        raise UnknownCurrency("currency_code", f"{currency_code!r} is not an ISO 4217 code")
    if currency_code in _NO_MINOR_UNIT:
        raise UnknownCurrency("currency_code", f"{currency_code} has no minor unit in ISO 4217")
    digits = _ISO_DIGITS.get(currency_code)
    return Decimal((0, (1,), -(get_currency_precision(currency_code) if digits is None else digits)))


def parse(text: str, field: str) -> Decimal:
    """A decimal in the contract's notation, as in "-1204.50". Raises InvalidNumber naming `field`."""
    if not _DECIMAL(text):
        raise InvalidNumber(field, f"must be a decimal such as 1204.50 (18 digits, 12 decimals at most), got {text!r}")
    return Decimal(text)


def amount(money: Money) -> Decimal:
    """The number of an amount of money. Raises InvalidNumber if it is empty or malformed."""
    return parse(money.amount, "amount")


def money(value: Decimal, currency_code: str) -> Money:
    """An amount of money in canonical text. Raises InvalidNumber beyond 18 digits and 12 decimals: nothing is cut."""
    return Money(amount=amount_text(value, currency_code), currency_code=currency_code)


def amount_text(value: Decimal, currency_code: str) -> str:
    """As `money_text`, but raises InvalidNumber beyond the 18 digits and 12 decimals of the contract."""
    text = money_text(value, currency_code)
    if len(text) <= _DECIMAL_DIGITS:
        return text  # too short to be beyond either
    whole, _, decimals = text.lstrip("-").partition(".")
    if len(whole) > _WHOLE_DIGITS or len(decimals) > _DECIMAL_DIGITS:
        raise InvalidNumber("amount", f"must have at most 18 digits and 12 decimals, got {text}")
    return text


def rounded(
    value: Decimal,
    currency_code: str,
    rounding: pricing_pb2.Rounding.ValueType = pricing_pb2.ROUNDING_HALF_UP,
) -> Decimal:
    """The value at the minor unit of its currency; halves go away from zero unless `rounding` says otherwise."""
    return value.quantize(minor_unit(currency_code), decimal_rounding(rounding), EXACT)


def intermediate(value: Decimal) -> Decimal:
    """The value at 12 decimals, half up: for quotients, which may never end."""
    return value.quantize(_INTERMEDIATE, ROUND_HALF_UP, EXACT)


def decimal_text(value: Decimal) -> str:
    """Canonical text of a number: no exponent, no trailing zeros, no "-0". Raises InvalidNumber for NaN or infinity."""
    text = str(value)
    if text.isdigit():
        return text
    if not value.is_finite():
        raise InvalidNumber("value", f"must be a finite number, got {value}")
    if "E" in text:
        text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def money_text(value: Decimal, currency_code: str) -> str:
    """Canonical text of an amount: at least the decimals of the currency and no trailing zeros beyond them."""
    digits = _minor_digits(currency_code)
    text = str(value)
    if digits and text[-digits - 1 : -digits] == "." and "E" not in text and (value or text[0] != "-"):
        return text  # an amount at its minor unit, as nearly all are
    text = decimal_text(value)
    whole, _, decimals = text.partition(".")
    if len(decimals) >= digits:
        return text
    return f"{whole}.{decimals.ljust(digits, '0')}"


@cache
def rounding_text(rounding: pricing_pb2.Rounding.ValueType, currency_code: str) -> str:
    """How a proof names a rounding: "HALF_UP 0.01"."""
    return f"{decimal_rounding(rounding).removeprefix('ROUND_')} {minor_unit(currency_code)}"


@cache
def _minor_digits(currency_code: str) -> int:
    """Decimals of a currency: 2 for EUR."""
    return -int(minor_unit(currency_code).as_tuple().exponent)


@cache
def _known_currencies() -> frozenset[str]:
    """Codes that CLDR lists; needed because Babel answers 2 digits for a code it has never seen."""
    return frozenset(list_currencies())


def decimal_rounding(rounding: int) -> str:
    """The decimal module's name of a contract rounding. Raises InvalidNumber for a value unknown to this release."""
    if (name := _ROUNDINGS.get(rounding)) is None:
        raise InvalidNumber("rounding", f"{rounding} is not a rounding this release knows")
    return name
