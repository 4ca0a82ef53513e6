"""From the entries that hold to prices with their proofs: pure, the same entries and quantity give the same price.

List amounts and costs are in the book's currency at its minor unit.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Self

from google.protobuf.timestamp_pb2 import Timestamp
from revops.catalog.v1 import price_books_pb2 as pb
from revops.type.v1.money_pb2 import Money

from revops_mesh.catalog.periods import rfc3339
from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import BadField, Failure
from revops_mesh.kernel.names import parent_of
from revops_mesh.numbers.money import EXACT, InvalidNumber, money, rounded
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing import charge as charges

from .precedence import audience

ENTRY_VERSION = "1"
"""An entry never says anything else than when it was made: closing it, which counts as a revision, changes no price."""


class Rule(NamedTuple):
    """An entry that gives a price, with what it needs of its book as it was in the same snapshot."""

    entry: pb.PriceEntry
    currency: str
    known_time: Timestamp
    because: tuple[str, str]
    """Which book and why, and which entry: the first two steps of its proofs."""


class Book(NamedTuple):
    """A book, parsed once for all its entries."""

    currency: str
    known_time: Timestamp
    because: str

    @classmethod
    def parsed(cls, body: bytes) -> Self:
        """The book in a stored state."""
        book = pb.PriceBook.FromString(body)
        because = f"{book.name} for {audience(book.scope)}, priority {book.priority}"
        return cls(book.currency_code, book.known_time, because)

    def rule(self, entry: pb.PriceEntry) -> Rule:
        """The rule in one of its entries."""
        because = f"{entry.name}, known from {rfc3339(entry.known_from)}"
        return Rule(entry, self.currency, self.known_time, (self.because, because))


class Prices:
    """The rules that hold for a customer at an instant, each parsed once, by the plan they price."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], currency: str, at: datetime) -> None:
        """`rows` have `rate_plan`, `entry`, `book_name` and `book`, at most one for each charge. Raises PRICE_MISSING."""
        self._currency, self._at = currency, at
        books: dict[str, Book] = {}
        found: dict[str, list[Rule]] = {}
        for row in rows:
            name = row["book_name"]
            book = books[name] if name in books else books.setdefault(name, Book.parsed(row["book"]))
            found.setdefault(row["rate_plan"], []).append(book.rule(pb.PriceEntry.FromString(row["entry"])))
        self._plans = {plan: self._whole(plan, rules) for plan, rules in found.items()}

    def price(self, queries: Iterable[pb.PriceQuery]) -> pb.ResolvePricesResponse:
        """One plan price for each query, in their order. Raises PRICE_MISSING; BadField for an amount out of range."""
        answer = pb.ResolvePricesResponse()
        for i, query in enumerate(queries):
            rules = self._plans.get(query.rate_plan)
            if rules is None:
                raise missing(query.rate_plan, self._currency, self._at)
            quantity = Decimal(query.quantity)
            charges_of_plan = answer.plans.add(rate_plan=query.rate_plan).charges
            for rule in rules:
                charges_of_plan.add(**_price(rule, quantity, f"items[{i}].quantity"))
        return answer

    def _whole(self, plan: str, rules: list[Rule]) -> list[Rule]:
        """The rules in the order of the plan's charges. Raises PRICE_MISSING if a charge has none."""
        by_id = {rule.entry.frozen_charge.charge_id: rule for rule in rules}
        expected = rules[0].entry.plan_charges
        for charge_id in expected:
            if charge_id not in by_id:
                raise missing(plan, self._currency, self._at, f"{plan}/charges/{charge_id}")
        return [by_id[charge_id] for charge_id in expected]


def replayed(
    book: bytes, entry: bytes | None, request: pb.ReplayPriceRequest, at: datetime, known: datetime | None
) -> pb.ReplayPriceResponse:
    """The price in the entry that a book held. Raises PRICE_MISSING if it held none; BadField for an amount out of range."""
    of = Book.parsed(book)
    if entry is None:
        raise missing(parent_of(request.charge), of.currency, at, request.charge)
    rule = of.rule(pb.PriceEntry.FromString(entry))
    # Of a later instant than the book's last nothing can be promised: an entry may still come before it.
    if known is not None and known < of.known_time.ToDatetime(tzinfo=UTC):
        rule = rule._replace(known_time=clock.timestamp(known))
    return pb.ReplayPriceResponse(price=pb.ChargePrice(**_price(rule, Decimal(request.quantity), "quantity")))


def missing(plan: str, currency: str, at: datetime, charge: str | None = None) -> Failure:
    """The refusal of a plan, or of one of its charges, that has no price."""
    return Failure(
        pb.PriceBookReason,
        pb.PRICE_MISSING,
        ("{charge}" if charge else "{rate_plan}") + " has no price in {currency} at {valid_time}.",
        rate_plan=plan,
        charge=charge,
        currency=currency,
        valid_time=rfc3339(clock.timestamp(at)),
    )


def _price(rule: Rule, quantity: Decimal, field: str) -> dict[str, Any]:
    """The fields of a ChargePrice; a mapping, so that it is built where it belongs instead of copied there."""
    entry, currency = rule.entry, rule.currency
    proof = ProofBuilder(entry.charge, entry.name, ENTRY_VERSION)
    proof.step("book", rule.because[0], _NOTHING_YET)
    proof.step("entry", rule.because[1], _NOTHING_YET)
    amount = charges.price(entry.pricing, quantity, currency, proof)
    try:
        listed = money(amount, currency)
        cost = _cost(entry.unit_cost, quantity, currency)
    except InvalidNumber as beyond:
        raise BadField(field, f"makes an amount out of range: {beyond.reason}") from None
    return {
        "charge": entry.charge,
        "price_entry": entry.name,
        "frozen_charge": entry.frozen_charge,
        "pricing": entry.pricing,
        "list_amount": listed,
        "cost": cost,
        "known_time": rule.known_time,
        "proof": proof.finish(amount, currency),
    }


_NOTHING_YET = Decimal(0)


def _cost(unit_cost: str, quantity: Decimal, currency: str) -> Money | None:
    return money(rounded(EXACT.multiply(Decimal(unit_cost), quantity), currency), currency) if unit_cost else None
