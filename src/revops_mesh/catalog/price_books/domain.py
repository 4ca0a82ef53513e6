"""Price books and their entries: what a charge costs for whom, and since when that is known.

A book goes from draft to retirement. An entry is never edited: a later one supersedes it, so that what a book said of an
instant, as it was known at another, can always be said again. Times are instants in UTC, to the microsecond.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from revops.catalog.v1 import price_books_pb2 as pb
from revops.catalog.v1 import products_pb2 as products
from revops.type.v1 import pricing_pb2

from revops_mesh.catalog.periods import MICROSECOND, Period, instant, period, rfc3339
from revops_mesh.kernel import clock
from revops_mesh.kernel.aggregate import Aggregate, transition
from revops_mesh.kernel.errors import BadField, Broken, Failure
from revops_mesh.kernel.names import parent_of
from revops_mesh.numbers.money import UnknownCurrency, minor_unit
from revops_mesh.pricing import charge as charges
from revops_mesh.pricing.violations import Violation

from . import lineage
from .precedence import scope_key
from .supersession import Validity, superseded

ALLOWED: dict[str, frozenset[int]] = {
    "update": frozenset({pb.PriceBook.STATE_DRAFT, pb.PriceBook.STATE_ACTIVE}),
    "change_terms": frozenset({pb.PriceBook.STATE_DRAFT}),
    "delete": frozenset({pb.PriceBook.STATE_DRAFT}),
    "activate": frozenset({pb.PriceBook.STATE_DRAFT}),
    "retire": frozenset({pb.PriceBook.STATE_ACTIVE}),
    "add_entry": frozenset({pb.PriceBook.STATE_DRAFT, pb.PriceBook.STATE_ACTIVE}),
}
"""States of a book in which each verb is possible."""


class PriceBook(Aggregate[pb.PriceBook]):
    """Prices in one currency for one scope of customers."""

    state_type = pb.PriceBook

    @classmethod
    def draft(cls, name: str, offer: pb.PriceBook, parent: "PriceBook | None") -> Self:
        """A new book; `parent` is the one that it names.

        Raises PRICE_BOOK_PERIOD_EMPTY, PRICE_BOOK_PARENT_UNFIT, BadField for an unknown currency, FIELD_INVALID for the formula.
        """
        book = cls(pb.PriceBook())
        book.state.CopyFrom(offer)
        book.state.name, book.state.state = name, pb.PriceBook.STATE_DRAFT
        book._settle()
        lineage.descend(book.state, parent.state if parent is not None else None)
        return book

    def update(self, changed: pb.PriceBook, parent: "PriceBook | None", rivals: Iterable["PriceBook"]) -> None:
        """Takes over changed fields; `parent` as in `draft`, `rivals` as in `activate`.

        Raises PRICE_BOOK_STATE, PRICE_BOOK_AMBIGUOUS, and what `draft` raises.
        """
        self.must_allow("update")
        before = self._terms, self._origin
        self.state.CopyFrom(changed)
        self._settle()
        if (self._terms, self._origin) != before:
            self.must_allow("change_terms")
        if self.state.state == pb.PriceBook.STATE_DRAFT:
            lineage.descend(self.state, parent.state if parent is not None else None)
        if self.state.state == pb.PriceBook.STATE_ACTIVE:
            self._must_be_unambiguous(rivals)

    def activate(self, parent: "PriceBook | None", rivals: Iterable["PriceBook"]) -> None:
        """Has new quotes use it; `rivals` are the other active books of equal currency, scope and priority.

        Raises PRICE_BOOK_STATE, PRICE_BOOK_PARENT_UNFIT, PRICE_BOOK_AMBIGUOUS.
        """
        self.must_allow("activate")
        lineage.descend(self.state, parent.state if parent is not None else None)
        self._must_be_unambiguous(rivals)
        self.state.state = pb.PriceBook.STATE_ACTIVE
        self.record(pb.PriceBookActivated(price_book=self.name, currency_code=self.state.currency_code))

    def retire(self, heir: str) -> None:
        """Has new quotes no longer use it; `heir` is an active book that follows it, if any.

        Raises PRICE_BOOK_STATE, PRICE_BOOK_IN_USE.
        """
        self.must_allow("retire")
        if heir:
            text = "The prices of {other} follow from {price_book}: retire that one first."
            raise Failure(pb.PriceBookReason, pb.PRICE_BOOK_IN_USE, text, price_book=self.name, other=heir)
        self.state.state = pb.PriceBook.STATE_RETIRED
        self.record(pb.PriceBookRetired(price_book=self.name))

    def learn(self, now: datetime) -> datetime:
        """Notes one more entry: the instant from which it is known, later than that of any other. Raises PRICE_BOOK_STATE.

        Only under the lock of the book's row do these instants follow one another in the order of commits.
        """
        self.must_allow("add_entry")
        last = instant(self.state, "known_time")
        known = now if last is None else max(now, last + MICROSECOND)
        self.state.known_time.FromDatetime(known)
        return known

    def must_allow(self, verb: str) -> None:
        """Raises PRICE_BOOK_STATE unless the state allows the verb."""
        transition(
            self.state.state,
            ALLOWED[verb],
            pb.PriceBook.State,
            pb.PriceBookReason,
            pb.PRICE_BOOK_STATE,
            verb=verb,
            price_book=self.name,
        )

    @property
    def effective(self) -> Period:
        """When new quotes use it once it is active."""
        return period(self.state, "effective_from", "effective_to", "price_book.")

    @property
    def _terms(self) -> tuple[str, str, int]:
        return self.state.currency_code, self.state.scope_key, self.state.priority

    @property
    def _origin(self) -> tuple[str, bytes]:
        return self.state.parent_book, self.state.formula.SerializeToString(deterministic=True)

    def _settle(self) -> None:
        """Derives what follows from other fields, and refuses what cannot be."""
        must_be_currency(self.state.currency_code, "price_book.currency_code")
        self.state.scope_key = scope_key(self.state.scope)
        if self.effective.is_empty:
            text = "{price_book} would be used until before it is used."
            raise Failure(pb.PriceBookReason, pb.PRICE_BOOK_PERIOD_EMPTY, text, price_book=self.name)

    def _must_be_unambiguous(self, rivals: Iterable["PriceBook"]) -> None:
        for rival in rivals:
            if rival.name != self.name and rival._terms == self._terms and rival.effective.overlaps(self.effective):
                text = "{price_book} has the currency, scope and priority of {other}: change one's priority or period."
                raise Failure(pb.PriceBookReason, pb.PRICE_BOOK_AMBIGUOUS, text, price_book=self.name, other=rival.name)

    def check(self) -> None:
        """A live state, a key that is its scope's, a period that is not empty."""
        state = self.state
        if not state.state or state.scope_key != scope_key(state.scope) or self.effective.is_empty:
            raise Broken(f"{self.name}: state, scope key or period is wrong: {state}")


class PriceEntry(Aggregate[pb.PriceEntry]):
    """The price of one charge in one book, for a period of validity."""

    state_type = pb.PriceEntry

    @classmethod
    def of(
        cls,
        name: str,
        offer: pb.PriceEntry,
        product: products.Product,
        plan: products.RatePlan,
        *,
        now: datetime,
        known_from: datetime,
    ) -> Self:
        """A new entry, valid from `now` on unless it says otherwise; it freezes its charge.

        Raises PRODUCT_NOT_SELLABLE, CHARGE_UNKNOWN, PRICE_INVALID, PRICE_PERIOD_EMPTY.
        """
        if product.state != products.Product.STATE_ACTIVE:
            state = products.Product.State.Name(product.state).removeprefix("STATE_")
            text = "{product} is {state}: only an active product is priced."
            raise Failure(pb.PriceBookReason, pb.PRODUCT_NOT_SELLABLE, text, product=product.name, state=state)
        entry = cls(pb.PriceEntry())
        entry.state.CopyFrom(offer)
        entry.state.name, entry.state.product, entry.state.rate_plan = name, product.name, plan.name
        entry.state.plan_charges[:] = [charge.charge_id for charge in plan.charges]
        entry._freeze(plan)
        entry._must_have_sound_pricing()
        entry._settle(now)
        entry.state.known_from.FromDatetime(known_from)
        entry.record(pb.PriceEntryCreated(price_entry=name, charge=offer.charge, valid_from=entry.state.valid_from))
        return entry

    def supersede(self, older: Iterable[Validity]) -> None:
        """Leaves an event for each entry of the same book and charge, the last known first, that it supersedes."""
        valid = self.valid
        if valid.start is None:
            raise Broken(f"{self.name} has no first instant")
        for name, start in superseded(Validity(self.name, valid.start, valid.end), older):
            event = pb.PriceEntrySuperseded(price_entry=name, superseded_by=self.name, charge=self.state.charge)
            event.valid_from.FromDatetime(start)
            self.record(event)

    def close(self) -> None:
        """Closes it to new quotes; what it said stays true."""
        self.state.closed = True

    @property
    def valid(self) -> Period:
        """When it holds, unless an entry that became known later says otherwise."""
        return period(self.state, "valid_from", "valid_to", "price_entry.")

    def _freeze(self, plan: products.RatePlan) -> None:
        charge_id = self.state.charge.rpartition("/")[2]
        for charge in plan.charges:
            if charge.charge_id == charge_id:
                self.state.frozen_charge.CopyFrom(charge)
                return
        text = "The rate plan has no {charge}."
        raise Failure(pb.PriceBookReason, pb.CHARGE_UNKNOWN, text, charge=self.state.charge)

    def _must_have_sound_pricing(self) -> None:
        if found := self._problems():
            first = found[0]
            failure = Failure(
                pb.PriceBookReason, pb.PRICE_INVALID, "{field} {problem}.", field=first.field, problem=first.description
            )
            failure.violations = found
            raise failure

    def _problems(self) -> list[Violation]:
        pricing, model = self.state.pricing, self.state.frozen_charge.model
        if pricing.model != model:
            name = pricing_pb2.ChargeModel.Name(model).removeprefix("CHARGE_MODEL_")
            return [Violation("price_entry.pricing.model", f"must be {name}, the model of the charge")]
        return [Violation(f"price_entry.pricing.{field}", problem) for field, problem in charges.check(pricing)]

    def _settle(self, now: datetime) -> None:
        if not self.state.HasField("valid_from"):
            self.state.valid_from.CopyFrom(clock.timestamp(now))
        if self.valid.is_empty:
            raise Failure(
                pb.PriceBookReason,
                pb.PRICE_PERIOD_EMPTY,
                "The price would hold until {valid_to}, before it holds from {valid_from} on.",
                valid_from=rfc3339(self.state.valid_from),
                valid_to=rfc3339(self.state.valid_to),
            )

    def check(self) -> None:
        """Names that agree, sound numbers, a period that is not empty, and an instant from which it is known."""
        state = self.state
        agree = parent_of(state.charge) == state.rate_plan and parent_of(state.rate_plan) == state.product
        own = state.charge == f"{state.rate_plan}/charges/{state.frozen_charge.charge_id}"
        listed = state.frozen_charge.charge_id in state.plan_charges
        if not (agree and own and listed and state.HasField("known_from") and state.HasField("valid_from")):
            raise Broken(f"{self.name}: names or instants do not agree: {state}")
        if self._problems() or self.valid.is_empty:
            raise Broken(f"{self.name}: {self._problems() or 'valid never'}")


def must_be_currency(code: str, field: str) -> None:
    """Raises BadField unless ISO 4217 knows the currency and its minor unit."""
    try:
        minor_unit(code)
    except UnknownCurrency as unknown:
        raise BadField(field, unknown.reason) from None
