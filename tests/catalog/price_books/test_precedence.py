"""Precedence of scopes against the plain rule: weights 8, 4, 2, 1, each side that is named must match."""

from hypothesis import given
from hypothesis import strategies as st
from revops.catalog.v1 import price_books_pb2 as pb

from revops_mesh.catalog.price_books.precedence import SIDES, audience, fitting_keys, scope_key

# Values that would read like another side if they were not quoted, and few of them, so that sides often match.
values = st.sampled_from(["", "a", "b", "a&segment=b", "=", "ä", "a%26"])
scopes = st.builds(pb.PriceScope, **dict.fromkeys(SIDES, values))


def fits(scope: pb.PriceScope, customer: pb.PriceScope) -> bool:
    return all(not getattr(scope, side) or getattr(scope, side) == getattr(customer, side) for side in SIDES)


def weight(scope: pb.PriceScope) -> int:
    return sum(
        w for w, side in zip((8, 4, 2, 1), ("account", "segment", "channel", "region_code"), strict=True) if getattr(scope, side)
    )


@given(scopes, scopes)
def test_keys_are_equal_only_for_equal_scopes(one: pb.PriceScope, other: pb.PriceScope) -> None:
    assert (scope_key(one) == scope_key(other)) is (one == other)


@given(scopes, scopes)
def test_a_key_is_among_those_of_a_customer_exactly_when_its_scope_fits(scope: pb.PriceScope, customer: pb.PriceScope) -> None:
    assert (scope_key(scope) in fitting_keys(customer)) is fits(scope, customer)


@given(scopes, st.lists(st.tuples(scopes, st.integers(0, 3)), max_size=12))
def test_books_come_in_the_order_of_weight_and_then_of_priority(
    customer: pb.PriceScope, books: list[tuple[pb.PriceScope, int]]
) -> None:
    keys = fitting_keys(customer)
    fitting = [(scope, priority) for scope, priority in books if fits(scope, customer)]
    by_keys = sorted(fitting, key=lambda book: (keys.index(scope_key(book[0])), -book[1]))
    plainly = sorted(fitting, key=lambda book: (-weight(book[0]), -book[1]))
    assert by_keys == plainly


@given(scopes)
def test_the_keys_of_a_customer_are_each_there_once_and_end_with_everybody(customer: pb.PriceScope) -> None:
    keys = fitting_keys(customer)
    assert len(set(keys)) == len(keys) == 2 ** sum(bool(getattr(customer, side)) for side in SIDES)
    assert (keys[0], keys[-1]) == (scope_key(customer), "")


def test_each_side_outweighs_all_that_follow_it() -> None:
    keys = fitting_keys(pb.PriceScope(account="a", segment="b", channel="c", region_code="DE"))
    assert keys.index("account=a") < keys.index("segment=b&channel=c&region_code=DE")
    assert keys.index("segment=b") < keys.index("channel=c&region_code=DE")
    assert keys.index("channel=c") < keys.index("region_code=DE")


def test_an_audience_is_said_in_words() -> None:
    assert audience(pb.PriceScope(account="accounts/a1", region_code="DE")) == "account accounts/a1, region DE"
    assert audience(pb.PriceScope()) == "everybody"
