"""Books whose prices follow from other books: parents are active and no longer change what they are, so nothing runs in a circle.

What a book takes from its parent is written into it when it is saved as a draft and when it becomes active: the names of all
books above it, and the formulas between them.
"""

from collections.abc import Sequence
from decimal import Decimal

from revops.catalog.v1 import price_books_pb2 as pb
from revops.type.v1 import pricing_pb2

from revops_mesh.kernel.errors import Failure, invalid
from revops_mesh.numbers.money import InvalidNumber
from revops_mesh.numbers.proof import ProofBuilder, Step
from revops_mesh.pricing import formula as formulas
from revops_mesh.pricing.violations import InvalidTerms

COSTS = "catalog.costs.read"
"""Needed to read steps that say what something costs."""


def descend(book: pb.PriceBook, parent: pb.PriceBook | None) -> None:
    """Writes into a book what it takes from the parent that it names. Raises PRICE_BOOK_PARENT_UNFIT, FIELD_INVALID."""
    _must_be_sound(book)
    del book.lineage[:], book.formulas[:]
    if parent is None:
        return
    problem = _problem(book, parent)
    if problem:
        text = "Prices of {price_book} cannot follow from {parent_book}: {problem}."
        raise Failure(
            pb.PriceBookReason, pb.PRICE_BOOK_PARENT_UNFIT, text, price_book=book.name, parent_book=parent.name, problem=problem
        )
    book.lineage.extend([parent.name, *parent.lineage])
    book.formulas.extend([book.formula, *parent.formulas])


def derived(book: pb.PriceBook, depth: int, entry: pb.PriceEntry, currency: str) -> tuple[pricing_pb2.Pricing, tuple[Step, ...]]:
    """The pricing of a book that follows from an entry `depth` books above it, and the steps of its proof.

    Raises PRICE_NOT_DERIVABLE where a formula cannot be applied to such a price.
    """
    way, proof = [formulas.parsed(each) for each in reversed(book.formulas[:depth])], ProofBuilder("", "", "")
    cost = Decimal(entry.unit_cost) if entry.unit_cost else None
    try:
        pricing = formulas.derived(way, entry.pricing, cost, currency, proof)
    except (InvalidNumber, InvalidTerms) as error:
        text = "The price of {charge} does not follow in {price_book}: {problem}."
        raise Failure(
            pb.PriceBookReason, pb.PRICE_NOT_DERIVABLE, text, price_book=book.name, charge=entry.charge, problem=str(error)
        ) from None
    if not any(each.from_cost for each in way):
        return pricing, proof.steps
    return pricing, tuple((code, text, value, rounding, COSTS) for code, text, value, rounding, _ in proof.steps)


def _must_be_sound(book: pb.PriceBook) -> None:
    found: Sequence[tuple[str, str]] = ()
    if book.HasField("formula"):
        found = [(f"price_book.formula.{field}", problem) for field, problem in formulas.check(book.formula)]
        if not book.parent_book:
            found = [("price_book.parent_book", "is required: a formula needs prices to start from"), *found]
    if found:
        raise invalid(found)


def _problem(book: pb.PriceBook, parent: pb.PriceBook) -> str:
    if parent.name == book.name:
        return "it is the book itself"
    if parent.state != pb.PriceBook.STATE_ACTIVE:
        return f"it is {pb.PriceBook.State.Name(parent.state).removeprefix('STATE_')}, and only active books are followed"
    if parent.currency_code != book.currency_code:
        return f"it is in {parent.currency_code}, not in {book.currency_code}"
    if len(parent.lineage) >= formulas.MOST_FORMULAS:
        return f"it has {len(parent.lineage)} books above it already"
    return ""
