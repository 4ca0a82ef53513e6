"""Page tokens come back as they were, for their own list only, or are refused."""

import base64
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.aip import BadField
from revops_mesh.aip.page_tokens import MAX_LENGTH, bind, decode, encode, page_size

SECRET = b"0" * 32
LIST = bind("revops.quoting.v1.Quotes.ListQuotes", "acme", "", "state = DRAFT", "account")

values = st.lists(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.dates()
    | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.sampled_from([UTC, timezone(timedelta(hours=5))])),
    max_size=5,
)


def refused(token: str, binding: bytes = LIST) -> bool:
    with pytest.raises(BadField) as caught:
        decode([SECRET], token, binding)
    return caught.value.field == "page_token"


@given(values)
def test_values_come_back_equal_and_of_the_same_type(given_: list[object]) -> None:
    back = decode([SECRET], encode([SECRET], given_, LIST), LIST)
    assert back == given_
    assert [type(value) for value in back] == [type(value) for value in given_]
    assert [str(value) for value in back if isinstance(value, Decimal)] == [
        str(value) for value in given_ if isinstance(value, Decimal)
    ]


@given(values, st.data())
def test_a_token_with_any_character_changed_is_refused(given_: list[object], data: st.DataObject) -> None:
    token = encode([SECRET], given_, LIST)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(exclude_characters=token[at]))
    assert refused(token[:at] + other + token[at + 1 :])
    assert refused(token[:at] + other + token[at:])
    assert refused(token[:at])


@given(st.text(max_size=60))
def test_arbitrary_text_is_refused(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize(
    "parts",
    [
        ("revops.quoting.v1.Quotes.ListOrders", "acme", "", "state = DRAFT", "account"),
        ("revops.quoting.v1.Quotes.ListQuotes", "globex", "", "state = DRAFT", "account"),
        ("revops.quoting.v1.Quotes.ListQuotes", "acme", "accounts/a", "state = DRAFT", "account"),
        ("revops.quoting.v1.Quotes.ListQuotes", "acme", "", "state = SENT", "account"),
        ("revops.quoting.v1.Quotes.ListQuotes", "acme", "", "state = DRAFT", "account desc"),
        ("revops.quoting.v1.Quotes.ListQuotes", "acme", "state = DRAFT", "", "account"),
        ("revops.quoting.v1.Quotes.ListQuotesacme", "", "", "state = DRAFT", "account"),
    ],
)
def test_a_token_of_another_list_is_refused(parts: tuple[str, ...]) -> None:
    assert refused(encode([SECRET], ["x"], bind(*parts)))


def test_an_older_secret_still_verifies_until_it_is_dropped() -> None:
    fresh = b"1" * 32
    old = encode([SECRET], ["x"], LIST)
    assert decode([fresh, SECRET], old, LIST) == ["x"]
    assert decode([fresh], encode([fresh, SECRET], ["x"], LIST), LIST) == ["x"]
    with pytest.raises(BadField):
        decode([fresh], old, LIST)


def test_the_border_between_binding_and_values_cannot_be_moved() -> None:
    raw = base64.urlsafe_b64decode(encode([SECRET], [], b"\x93") + "==")
    assert refused(base64.urlsafe_b64encode(raw[:16] + b"\x93" + raw[16:]).decode().rstrip("="), b"")


def test_a_token_has_one_spelling() -> None:
    token = encode([SECRET], [], LIST)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = token[:-1] + alphabet[alphabet.index(token[-1]) + 1]
    assert base64.urlsafe_b64decode(twin + "=") == base64.urlsafe_b64decode(token + "=")
    assert refused(twin)


def test_a_forged_payload_is_refused_before_it_is_read() -> None:
    assert refused(base64.urlsafe_b64encode(b"\0" * 16 + b"\xc1").decode().rstrip("="))


def test_an_endless_token_is_refused() -> None:
    assert refused("A" * (MAX_LENGTH + 4))


@pytest.mark.parametrize("value", [1.5, datetime(2026, 1, 1), b"raw", object(), [1]])
def test_a_value_that_would_not_come_back_equal_is_a_bug(value: object) -> None:
    with pytest.raises(TypeError):
        encode([SECRET], [value], LIST)


def test_an_instant_is_told_from_a_date() -> None:
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    assert decode([SECRET], encode([SECRET], [instant, date(2026, 1, 1)], LIST), LIST) == [instant, date(2026, 1, 1)]


@pytest.mark.parametrize(("requested", "size"), [(0, 50), (1, 1), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)])
def test_a_page_size_is_defaulted_and_capped(requested: int, size: int) -> None:
    assert page_size(requested) == size


def test_a_negative_page_size_is_refused() -> None:
    with pytest.raises(BadField) as caught:
        page_size(-1)
    assert caught.value.field == "page_size"


def test_a_default_above_the_maximum_is_capped() -> None:
    assert page_size(0, default=50, maximum=20) == 20
