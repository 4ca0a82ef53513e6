"""From the entries that hold to prices with their proofs: pure, the same entries and quantity give the same price.

List amounts and costs are in the book's currency at its minor unit.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from revops.catalog.v1 import price_books_pb2 as pb
from revops.type.v1.money_pb2 import Money

from revops_mesh.catalog.periods import rfc3339
from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import BadField, Failure
from revops_mesh.kernel.names import parent_of
from revops_mesh.numbers.money import EXACT, InvalidNumber, amount_text, rounded
from revops_mesh.numbers.proof import ProofBuilder, Step
from revops_mesh.pricing import charge as charges

from . import lineage
from .precedence import audience

ENTRY_VERSION = "1"
"""An entry never says anything else than when it was made: closing it, which counts as a revision, changes no price."""


class Rule(NamedTuple):
    """An entry that gives a price, with what it needs of its book as it was in the same snapshot."""

    currency: str
    because: tuple[Step, ...]
    """Which book and why, which entry, and how the price follows from it: the first steps of its proofs."""
    answer: pb.ChargePrice
    """What is the same for every quantity."""
    terms: charges.Terms
    unit_cost: Decimal | None
    plan_charges: tuple[str, ...]
    """All charges of the plan, in its order."""


def _rule_of(book: pb.PriceBook, source: pb.PriceBook, depth: int, entry: pb.PriceEntry) -> Rule:
    """The rule in an entry of a book, or of the book `source` that is `depth` books above it. Raises PRICE_NOT_DERIVABLE."""
    currency, pricing, way = book.currency_code, entry.pricing, tuple[Step, ...]()
    if depth:
        pricing, way = lineage.derived(book, depth, entry, currency)
    audience_text = f"{book.name} for {audience(book.scope)}, priority {book.priority}"
    entry_text = f"{entry.name}, known from {rfc3339(entry.known_from)}"
    answer = pb.ChargePrice(
        charge=entry.charge,
        price_entry=entry.name,
        price_book=book.name,
        frozen_charge=entry.frozen_charge,
        pricing=pricing,
        list_amount=Money(currency_code=currency),
        cost=Money(currency_code=currency) if entry.unit_cost else None,
        known_time=max(book.known_time, source.known_time, key=Timestamp.ToNanoseconds),
    )
    return Rule(
        currency,
        (("book", audience_text, "0", "", ""), ("entry", entry_text, "0", "", ""), *way),
        answer,
        charges.parsed(pricing),
        Decimal(entry.unit_cost) if entry.unit_cost else None,
        tuple(entry.plan_charges),
    )


@lru_cache(maxsize=2048)
def _rule(book: bytes, source: bytes, depth: int, entry: bytes) -> Rule:
    """The rule of stored states, which are only read: equal bytes say the same, so what is remembered is never stale."""
    parsed = pb.PriceBook.FromString
    return _rule_of(parsed(book), parsed(source), depth, pb.PriceEntry.FromString(entry))


class Prices:
    """The rules that hold for a customer at an instant, each parsed once, by the plan they price."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], currency: str, at: datetime) -> None:
        """`rows` are those of RESOLVE, at most one for each charge. Raises PRICE_MISSING, PRICE_NOT_DERIVABLE."""
        self._currency, self._at = currency, at
        found: dict[str, list[Rule]] = {}
        for row in rows:
            found.setdefault(row["rate_plan"], []).append(
                _rule(row["book"], row["source"] or row["book"], row["depth"], row["entry"])
            )
        self._plans = {plan: self._whole(plan, rules) for plan, rules in found.items()}

    def price(self, queries: Iterable[pb.PriceQuery]) -> pb.ResolvePricesResponse:
        """One plan price for each query, in their order. Raises PRICE_MISSING; BadField for an amount out of range."""
        answer = pb.ResolvePricesResponse()
        with localcontext(EXACT):
            for i, query in enumerate(queries):
                plan, quantity = query.rate_plan, Decimal(query.quantity)
                if (rules := self._plans.get(plan)) is None:
                    raise missing(plan, self._currency, self._at)
                priced = answer.plans.add()
                priced.rate_plan = plan
                add = priced.charges.add
                for rule in rules:
                    _price(add(), rule, quantity, i)
        return answer

    def _whole(self, plan: str, rules: list[Rule]) -> list[Rule]:
        """The rules in the order of the plan's charges. Raises PRICE_MISSING if a charge has none."""
        by_id = {rule.answer.frozen_charge.charge_id: rule for rule in rules}
        expected = rules[0].plan_charges
        for charge_id in expected:
            if charge_id not in by_id:
                raise missing(plan, self._currency, self._at, f"{plan}/charges/{charge_id}")
        return [by_id[charge_id] for charge_id in expected]


def replayed(
    row: Mapping[str, Any], request: pb.ReplayPriceRequest, at: datetime, known: datetime | None
) -> pb.ReplayPriceResponse:
    """The price that a row of REPLAY gives.

    Raises PRICE_MISSING if it has no entry, PRICE_NOT_DERIVABLE, and BadField for an amount out of range.
    """
    if row["entry"] is None:
        currency = pb.PriceBook.FromString(row["book"]).currency_code
        raise missing(parent_of(request.charge), currency, at, request.charge)
    rule = _rule(row["book"], row["source"] or row["book"], row["depth"], row["entry"])
    response = pb.ReplayPriceResponse()
    with localcontext(EXACT):
        _price(response.price, rule, Decimal(request.quantity), "quantity")
    # Of a later instant than the books' last nothing can be promised: an entry may still come before it.
    if known is not None and known < rule.answer.known_time.ToDatetime(tzinfo=UTC):
        response.price.known_time.CopyFrom(clock.timestamp(known))
    return response


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


def _price(answer: pb.ChargePrice, rule: Rule, quantity: Decimal, field: str | int) -> None:
    """Fills in the price of a quantity; `field` is that of the quantity, or its item's position."""
    currency = rule.currency
    answer.CopyFrom(rule.answer)
    proof = ProofBuilder(answer.charge, answer.price_entry, ENTRY_VERSION, rule.because)
    named = f"items[{field}].quantity" if isinstance(field, int) else field
    try:
        amount = charges.amount_of(rule.terms, quantity, currency, proof)
    except InvalidNumber as missing_basis:
        raise BadField(named, f"does not price {answer.charge}: {missing_basis.field} {missing_basis.reason}") from None
    try:
        answer.list_amount.amount = amount_text(amount, currency)
        if rule.unit_cost is not None:
            answer.cost.amount = amount_text(rounded(rule.unit_cost * quantity, currency), currency)
    except InvalidNumber as beyond:
        raise BadField(named, f"makes an amount out of range: {beyond.reason}") from None
    proof.finish(amount, currency, answer.proof)
