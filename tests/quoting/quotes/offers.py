"""Offers to test with: lines, and a catalog that answers from the real pricing core."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products
from revops.quoting.v1 import quotes_pb2 as pb
from revops.type.v1 import pricing_pb2

from revops_mesh.kernel import clock
from revops_mesh.numbers.money import EXACT, money, rounded
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing.charge import price
from revops_mesh.quoting.quotes.domain import Quote
from revops_mesh.quoting.quotes.pricing import Prices

ONE_TIME, RECURRING, USAGE = products.Charge.TYPE_ONE_TIME, products.Charge.TYPE_RECURRING, products.Charge.TYPE_USAGE
FREE = pb.QuoteApproval(state=pb.QuoteApproval.STATE_NOT_NEEDED, asked_state=pb.QuoteApproval.STATE_NOT_NEEDED)
"""What is known of an offer that needs no approval."""
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def plan(product: str = "cloud") -> str:
    """The name of a rate plan."""
    return f"products/{product}/ratePlans/standard"


class Charged:
    """A charge of a plan as the catalog knows it: what a unit costs the customer and the seller."""

    def __init__(
        self, amount: str, kind: int = RECURRING, months: int = 1, cost: str = "", entry: str = "e1", by_document: bool = False
    ) -> None:
        self.pricing = pricing_pb2.Pricing(model=pricing_pb2.CHARGE_MODEL_PER_UNIT, amount=amount)
        if by_document:
            self.pricing.rounding_place = pricing_pb2.ROUNDING_PLACE_DOCUMENT
        self.kind, self.months, self.cost, self.entry = kind, months if kind != ONE_TIME else 0, cost, entry

    def priced(self, name: str, quantity: Decimal, currency: str) -> books.ChargePrice:
        """What the catalog would say."""
        entry = f"priceBooks/list/entries/{self.entry}"
        proof = ProofBuilder(name, entry, "1")
        proof.step("book", "priceBooks/list for everybody, priority 0", Decimal(0))
        proof.step("entry", f"{entry}, valid from 2027-01-01T00:00:00Z, known from 2026-12-01T00:00:00Z", Decimal(0))
        amount = price(self.pricing, quantity, currency, proof)
        cost = money(rounded(EXACT.multiply(Decimal(self.cost), quantity), currency), currency) if self.cost else None
        frozen = products.Charge(charge_id=name.rpartition("/")[2], type=self.kind, billing_period_months=self.months)
        return books.ChargePrice(
            charge=name,
            price_entry=entry,
            frozen_charge=frozen,
            pricing=self.pricing,
            list_amount=money(amount, currency),
            cost=cost,
            known_time=clock.timestamp(NOW),
            proof=proof.finish(amount, currency),
        )


def line(product: str = "cloud", quantity: str = "10", **fields: Any) -> pb.QuoteLine:
    """A line of a plan."""
    return pb.QuoteLine(**{"rate_plan": plan(product), "quantity": quantity, **fields})


def offer(*lines: pb.QuoteLine, currency: str = "EUR", **fields: Any) -> pb.Quote:
    """What somebody asks to be created."""
    return pb.Quote(**{"account": "accounts/acme", "currency_code": currency, "lines": lines, **fields})


def prices(quote: pb.Quote, *charges: Charged, time: datetime = NOW) -> Prices:
    """The catalog's answer for every line of a quote: these charges, `c0` and so on, or one of 4.00 a month."""
    return answered(quote, [charges or (Charged("4.00"),)] * len(quote.lines), time)


def answered(quote: pb.Quote, charges: Sequence[Sequence[Charged]], time: datetime = NOW) -> Prices:
    """The catalog's answer with the charges of each line."""
    plans = [
        books.PlanPrice(
            rate_plan=line.rate_plan,
            charges=[
                each.priced(f"{line.rate_plan}/charges/c{i}", Decimal(line.quantity), quote.currency_code)
                for i, each in enumerate(found)
            ],
        )
        for line, found in zip(quote.lines, charges, strict=True)
    ]
    return Prices(time, plans)


def drafted(*lines: pb.QuoteLine, charges: tuple[Charged, ...] = (), **fields: Any) -> Quote:
    """A draft with these lines, one of ten units unless given."""
    wanted = offer(*(lines or (line(),)), **fields)
    return Quote.draft("quotes/q", wanted, prices(wanted, *charges))


def submitted(*lines: pb.QuoteLine, now: datetime = NOW, **fields: Any) -> Quote:
    """A quote on offer."""
    quote = drafted(*lines, **fields)
    quote.submit("Q-000001", quote.ready(prices(quote.state, time=now), UTC), FREE)
    return quote
