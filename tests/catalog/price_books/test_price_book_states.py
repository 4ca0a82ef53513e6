"""The full square of a book's verbs and states, on the aggregate alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from revops.catalog.v1 import price_books_pb2 as pb

from revops_mesh.catalog.periods import MICROSECOND
from revops_mesh.catalog.price_books.domain import ALLOWED, PriceBook
from revops_mesh.kernel.errors import Broken, Failure
from tests.catalog.shop import at

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DRAFT, ACTIVE, RETIRED = pb.PriceBook.STATE_DRAFT, pb.PriceBook.STATE_ACTIVE, pb.PriceBook.STATE_RETIRED


def changed(book: PriceBook, **fields: object) -> pb.PriceBook:
    state = pb.PriceBook.FromString(book.state.SerializeToString())
    state.MergeFrom(pb.PriceBook(**fields))  # type: ignore[arg-type]
    return state


VERBS: dict[str, Callable[[Any], Any]] = {
    "update": lambda book: book.update(changed(book, display_name="Other"), None, []),
    "change_terms": lambda book: book.update(changed(book, priority=7), None, []),
    "delete": lambda book: book.must_allow("delete"),
    "activate": lambda book: book.activate(None, []),
    "retire": lambda book: book.retire(""),
    "add_entry": lambda book: book.learn(NOW),
}
POSSIBLE = {
    ("update", DRAFT),
    ("update", ACTIVE),
    ("change_terms", DRAFT),
    ("delete", DRAFT),
    ("activate", DRAFT),
    ("retire", ACTIVE),
    ("add_entry", DRAFT),
    ("add_entry", ACTIVE),
}


def test_every_verb_is_in_the_square() -> None:
    assert set(VERBS) == set(ALLOWED)


@pytest.mark.parametrize("state", [DRAFT, ACTIVE, RETIRED])
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_outside_its_states_is_refused_and_leaves_no_event(verb: str, state: Any) -> None:
    book = PriceBook(pb.PriceBook(name="priceBooks/b", currency_code="EUR", state=state))
    if (verb, state) in POSSIBLE:
        VERBS[verb](book)
        book.check()
        return
    with pytest.raises(Failure) as refused:
        VERBS[verb](book)
    assert refused.value.reason == "PRICE_BOOK_STATE"
    assert refused.value.metadata["price_book"] == "priceBooks/b"
    assert refused.value.metadata["state"] == pb.PriceBook.State.Name(state).removeprefix("STATE_")
    assert (book.state.state, book.events) == (state, [])


@pytest.mark.parametrize(
    "term", [{"currency_code": "USD"}, {"priority": 1}, {"scope": pb.PriceScope(channel="web")}, {"parent_book": "priceBooks/a"}]
)
def test_an_active_book_keeps_its_terms(term: dict[str, object]) -> None:
    book = PriceBook(pb.PriceBook(name="priceBooks/b", currency_code="EUR", state=ACTIVE))
    with pytest.raises(Failure) as refused:
        book.update(changed(book, **term), None, [])
    assert (refused.value.reason, refused.value.metadata["allowed"]) == ("PRICE_BOOK_STATE", "DRAFT")


def test_what_a_book_learns_is_later_each_time_even_when_the_clock_stands_or_goes_back() -> None:
    book = PriceBook.draft("priceBooks/b", pb.PriceBook(currency_code="EUR"), None)
    assert book.learn(NOW) == NOW
    assert book.learn(NOW) == NOW + MICROSECOND
    assert book.learn(NOW - timedelta(hours=1)) == NOW + 2 * MICROSECOND
    assert book.learn(NOW + timedelta(hours=1)) == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    "broken",
    [
        pb.PriceBook(name="priceBooks/b"),
        pb.PriceBook(name="priceBooks/b", state=DRAFT, scope_key="channel=web"),
        pb.PriceBook(name="priceBooks/b", state=DRAFT, effective_from=at(2), effective_to=at(1)),
    ],
)
def test_a_book_that_cannot_be_is_never_stored(broken: pb.PriceBook) -> None:
    with pytest.raises(Broken):
        PriceBook(broken).check()
