"""Prices the lines of a quote from the catalog's answer: list amounts, discounts, proofs and sums.

Pure: the same lines and the same answer give the same quote. Amounts are in the quote's currency at its minor unit, once or for
one billing period; instants are in UTC.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from typing import NamedTuple

from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products
from revops.quoting.v1 import quotes_pb2 as pb
from revops.type.v1.pricing_pb2 import ROUNDING_PLACE_DOCUMENT as DOCUMENT
from revops.type.v1.proof_pb2 import Proof

from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import BadField, Broken, Failure
from revops_mesh.numbers.apportion import apportion
from revops_mesh.numbers.money import EXACT, InvalidNumber, minor_unit, money_text
from revops_mesh.numbers.proof import ProofBuilder
from revops_mesh.pricing import document
from revops_mesh.pricing.discount import net_of

from .totals import NOTHING, Sums, totals

USAGE = products.Charge.TYPE_USAGE
MOST_CHARGES = 5000
MOST_ENTRIES = 1000
"""As many as the contract lets a stored list hold."""


class Prices(NamedTuple):
    """What the catalog says of the lines of a quote, in their order, at one instant."""

    time: datetime
    plans: Sequence[books.PlanPrice]


def question(quote: pb.Quote, time: datetime) -> books.ResolvePricesRequest:
    """What the catalog is asked to price a quote at an instant. Raises BadField for an unknown currency."""
    try:
        minor_unit(quote.currency_code)
    except InvalidNumber as unknown:
        raise BadField("quote.currency_code", unknown.reason) from None
    request = books.ResolvePricesRequest(currency_code=quote.currency_code, valid_time=clock.timestamp(time))
    request.scope.CopyFrom(quote.price_scope)
    request.scope.account = quote.account
    for line in quote.lines:
        item = request.items.add()
        item.rate_plan, item.quantity = line.rate_plan, line.quantity
    return request


def price(quote: pb.Quote, prices: Prices) -> None:
    """Fills in everything of a quote that follows from its lines, whose ids are set, and the prices of their plans.

    Raises QUOTE_DISCOUNT_TOO_LARGE, QUOTE_TOO_LARGE, and BadField for a discount in fractions of the minor unit or sums beyond
    the digits of Money.
    """
    plans = [(plan.rate_plan, list(plan.charges)) for plan in prices.plans]
    entries = sorted({charge.price_entry for _, charges in plans for charge in charges})
    _must_fit("charges", sum(len(charges) for _, charges in plans), MOST_CHARGES)
    _must_fit("price entries", len(entries), MOST_ENTRIES)
    sums = Sums()
    with localcontext(EXACT):
        settled = _settled([charge for _, charges in plans for charge in charges], quote.currency_code)
        for index, (line, (plan, charges)) in enumerate(zip(quote.lines, plans, strict=True)):
            if plan != line.rate_plan or not charges:
                raise Broken(f"{quote.name}: the catalog priced {plan} for line {line.line_id}, {line.rate_plan}")
            sums.include(_price_line(quote, index, line, charges, settled))
        try:
            quote.totals.CopyFrom(totals(sums, quote.currency_code))
        except InvalidNumber as beyond:
            raise BadField("quote.lines", f"sum to more than an amount can be: {beyond.reason}") from None
    quote.price_entries[:] = entries
    quote.price_time.CopyFrom(clock.timestamp(prices.time))


def _price_line(
    quote: pb.Quote, index: int, line: pb.QuoteLine, prices: Sequence[books.ChargePrice], settled: Iterator[Decimal]
) -> Sums:
    currency, line_id = quote.currency_code, line.line_id
    subject = f"{quote.name}/lines/{line_id}/charges/"
    exact = [_listed(price, currency) for price in prices]
    by_document = [price.pricing.rounding_place == DOCUMENT for price in prices]
    listed = [next(settled) if own else each for own, each in zip(by_document, exact, strict=True)]
    discount = line.WhichOneof("discount")
    rate = Decimal(line.discount_rate) if discount == "discount_rate" else None
    shares = _shares(line, index, listed, currency) if discount == "discount_amount" else [None] * len(listed)
    line.ClearField("charges")
    add, sums = line.charges.add, Sums()
    for price, unrounded, list_amount, share in zip(prices, exact, listed, shares, strict=True):
        charge, frozen, pricing, known = price.charge, price.frozen_charge, price.pricing, price.proof
        kind, months, charge_id = frozen.type, frozen.billing_period_months, charge.rpartition("/")[2]
        proof = _begun(known, subject + charge_id, unrounded)
        if list_amount != unrounded:
            proof.step("document", "rounded as its part of the document's sum", list_amount)
        if kind == USAGE:
            net = NOTHING
            proof.step("usage", "billed as it is metered", net)
        else:
            if share is not None:
                proof.step("share", "of the line's discount, spread over its charges by their list amounts", share)
            net = net_of(list_amount, rate, share, currency, pricing.rounding, proof)
            sums.count(list_amount, net, months, Decimal(price.cost.amount) if price.HasField("cost") else None)
        priced = add()
        priced.charge_key, priced.charge, priced.price_entry = f"{line_id}/{charge_id}", charge, price.price_entry
        priced.type, priced.billing_period_months = kind, months
        priced.pricing.CopyFrom(pricing)
        priced.list_amount, priced.net_amount = money_text(list_amount, currency), money_text(net, currency)
        priced.discount_total = money_text(list_amount - net, currency)
        priced.price_proof = known.hash
        proof.finish(net, currency, priced.proof)
        priced.known_time.CopyFrom(price.known_time)
    line.list_amount, line.net_amount = money_text(sums.listed, currency), money_text(sums.net, currency)
    line.discount_total = money_text(sums.listed - sums.net, currency)
    line.cost = "" if sums.cost is None else money_text(sums.cost, currency)
    return sums


def _settled(prices: Sequence[books.ChargePrice], currency: str) -> Iterator[Decimal]:
    """The list amounts of the charges that are rounded by document, in their order; those of one mode sum up."""
    found = [price for price in prices if price.pricing.rounding_place == DOCUMENT]
    amounts: dict[int, Iterator[Decimal]] = {}
    for rounding in {price.pricing.rounding for price in found}:
        exact = [_listed(price, currency) for price in found if price.pricing.rounding == rounding]
        amounts[rounding] = iter(document.settled(exact, currency, rounding))
    return (next(amounts[price.pricing.rounding]) for price in found)


def _listed(price: books.ChargePrice, currency: str) -> Decimal:
    """The list amount of a charge, 0 for usage."""
    listed = price.list_amount
    if listed.currency_code != currency:
        raise Broken(f"{price.price_entry} is in {listed.currency_code or 'no currency'}, the quote in {currency}")
    return NOTHING if price.frozen_charge.type == USAGE else Decimal(listed.amount)


def _begun(known: Proof, subject: str, list_amount: Decimal) -> ProofBuilder:
    """A proof whose first step is the catalog's whole way to the list amount of a charge.

    Steps that need a permission are left out: they are about the cost, which changes no net amount.
    """
    proof = ProofBuilder(subject, known.rule, known.rule_version)
    way, rounding = [], ""
    for step in known.steps:
        if not step.read_permission:
            way.append(step.expression)
            rounding = step.rounding
    proof.step("list", "; ".join(way), list_amount or Decimal(known.result), rounding)
    return proof


def _shares(line: pb.QuoteLine, index: int, listed: Sequence[Decimal], currency: str) -> Sequence[Decimal]:
    """What each charge bears of the amount that is taken off a line."""
    discount, whole = Decimal(line.discount_amount), sum(listed, NOTHING)
    if discount > whole:
        raise Failure(
            pb.QuoteReason,
            pb.QUOTE_DISCOUNT_TOO_LARGE,
            "A discount of {discount} is more than line {line} lists, {list_amount}.",
            line=line.line_id,
            list_amount=money_text(whole, currency),
            discount=line.discount_amount,
        )
    try:
        return apportion(discount, listed, minor_unit(currency))
    except InvalidNumber as fraction:
        raise BadField(f"quote.lines[{index}].discount_amount", fraction.reason) from None


def _must_fit(what: str, count: int, most: int) -> None:
    if count > most:
        raise Failure(
            pb.QuoteReason, pb.QUOTE_TOO_LARGE, "{count} {what} are too many: at most {most}.", what=what, count=count, most=most
        )


def superseded(quote: pb.Quote, prices: Prices) -> str:
    """The first pinned price entry that no longer gives the price of its charge at the instant of `prices`, "" if none.

    Entries are never edited, so that the same entry for the same quantity is the same price.
    """
    for line, plan in zip(quote.lines, prices.plans, strict=True):
        pinned = {charge.charge: charge.price_entry for charge in line.charges}
        current = {charge.charge: charge.price_entry for charge in plan.charges}
        if pinned != current:
            return next(entry for charge, entry in (current | pinned).items() if pinned.get(charge) != current.get(charge))
    return ""
