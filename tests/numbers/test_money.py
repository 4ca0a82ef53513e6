"""Money: minor units, canonical text and rounding."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from revops.type.v1 import pricing_pb2
from revops.type.v1.money_pb2 import Money

from revops_mesh.numbers import money as m

CURRENCIES = st.sampled_from(["JPY", "EUR", "USD", "BHD", "CLF"])
AMOUNTS = st.decimals(min_value=-(10**18) + 1, max_value=10**18 - 1, places=12, allow_nan=False)


MINOR_UNITS = {
    "1": "JPY KRW CLP UGX XOF UYI",
    "0.01": "EUR USD HUF COP DEM",
    "0.001": "BHD KWD OMR JOD TND LYD",
    "0.0001": "CLF UYW",
}
# Here CLDR gives the digits in daily use, mostly 0.
CORRECTED = {"0.01": "AFN ALL IRR KPW LAK LBP MGA MMK RSD SLL SOS SYP YER", "0.001": "IQD"}


@pytest.mark.parametrize("units", [MINOR_UNITS, CORRECTED])
def test_the_minor_unit_is_that_of_iso_4217(units):
    for unit, currencies in units.items():
        for currency in currencies.split():
            assert str(m.minor_unit(currency)) == unit, currency


@pytest.mark.parametrize("code", ["QQQ", "eur", "", "EURO", "XXX", "XAU"])
def test_a_code_that_is_no_currency_is_refused_by_name(code):
    with pytest.raises(m.UnknownCurrency) as refused:
        m.minor_unit(code)
    assert refused.value.field == "currency_code"
    assert code in refused.value.reason


def test_minor_units_count_as_the_currency_says():
    # E36 (CB-zero, NS-prec): 1000 minor units are 10.00 USD, 10 are 10 JPY; BHD KWD OMR JOD TND have 3 decimals.
    assert m.money(1000 * m.minor_unit("USD"), "USD") == Money(amount="10.00", currency_code="USD")
    assert m.money(10 * m.minor_unit("JPY"), "JPY") == Money(amount="10", currency_code="JPY")
    for currency in ("BHD", "KWD", "OMR", "JOD", "TND"):
        assert m.money(10 * m.minor_unit(currency), currency).amount == "0.010"


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("10", "EUR", "10.00"),
        ("10.500", "EUR", "10.50"),
        ("0.0060", "EUR", "0.006"),
        ("1E+3", "EUR", "1000.00"),
        ("1E-9", "EUR", "0.000000001"),
        ("-0.000", "EUR", "0.00"),
        ("-0", "JPY", "0"),
        ("100", "JPY", "100"),
        ("-3.5", "BHD", "-3.500"),
    ],
)
def test_money_text_is_canonical(value, currency, text):
    assert m.money(Decimal(value), currency).amount == text


@given(AMOUNTS, CURRENCIES)
@example(Decimal("-999999999999999999.999999999999"), "JPY")
def test_money_comes_back_as_it_went(value, currency):
    assert m.amount(m.money(value, currency)) == value


@given(AMOUNTS, st.integers(0, 6))
def test_equal_numbers_have_equal_text(value, zeros):
    longer = Decimal(f"{value:f}{'0' * zeros}")
    assert m.decimal_text(longer) == m.decimal_text(value)
    assert "E" not in m.decimal_text(value)


def test_text_of_many_digits_is_not_rounded():
    digits = "1234567890" * 8 + ".5"
    assert m.decimal_text(Decimal(digits)) == digits


@pytest.mark.parametrize("text", ["", " 1", "1e5", "1_000", "NaN", "Infinity", "1.", ".5", "+1", "1" * 19, "0.1234567890123"])
def test_a_malformed_decimal_is_refused_with_its_field(text):
    with pytest.raises(m.InvalidNumber) as refused:
        m.parse(text, "tiers[0].up_to")
    assert refused.value.field == "tiers[0].up_to"
    assert repr(text) in refused.value.reason


@pytest.mark.parametrize("value", ["1E+18", "1E-13", "NaN", "-Infinity"])
def test_a_number_the_contract_cannot_hold_is_refused_not_cut(value):
    with pytest.raises(m.InvalidNumber):
        m.money(Decimal(value), "EUR")


@pytest.mark.parametrize(
    ("rounding", "results"),
    # of 0.125, 0.135, 0.121, -0.125
    [
        (pricing_pb2.ROUNDING_UNSPECIFIED, ["0.13", "0.14", "0.12", "-0.13"]),
        (pricing_pb2.ROUNDING_HALF_UP, ["0.13", "0.14", "0.12", "-0.13"]),
        (pricing_pb2.ROUNDING_HALF_EVEN, ["0.12", "0.14", "0.12", "-0.12"]),
        (pricing_pb2.ROUNDING_UP, ["0.13", "0.14", "0.13", "-0.13"]),
        (pricing_pb2.ROUNDING_DOWN, ["0.12", "0.13", "0.12", "-0.12"]),
    ],
)
def test_rounding_follows_the_contract(rounding, results):
    values = ["0.125", "0.135", "0.121", "-0.125"]
    assert [str(m.rounded(Decimal(value), "EUR", rounding)) for value in values] == results


def test_an_unknown_rounding_is_refused():
    with pytest.raises(m.InvalidNumber, match="rounding"):
        m.rounded(Decimal(1), "EUR", 99)


def test_rounding_is_exact_beyond_the_default_precision():
    assert str(m.rounded(Decimal("123456789012345678901234567890.125"), "EUR")) == "123456789012345678901234567890.13"


def test_a_quotient_keeps_twelve_decimals():
    assert str(m.intermediate(Decimal(2) / Decimal(3))) == "0.666666666667"
    assert str(m.intermediate(Decimal("999999999999999999.1234567890125"))) == "999999999999999999.123456789013"


def test_a_rounding_is_named_with_its_unit():
    assert m.rounding_text(pricing_pb2.ROUNDING_UNSPECIFIED, "EUR") == "HALF_UP 0.01"
    assert m.rounding_text(pricing_pb2.ROUNDING_DOWN, "JPY") == "DOWN 1"
