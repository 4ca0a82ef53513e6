"""Quotes, from draft to acceptance. Amounts are in the quote's currency, instants in UTC."""

from datetime import UTC, datetime, tzinfo
from typing import Self

from revops.quoting.v1 import quotes_pb2 as pb
from revops.quoting.v1.approvals_pb2 import CheckBoundsResponse

from revops_mesh.kernel import clock
from revops_mesh.kernel.aggregate import Aggregate
from revops_mesh.kernel.errors import Broken, Failure

from . import approval, conservation, invariants, lines, pricing, states, telling
from .content import content_hash
from .pricing import Prices
from .validity import Validity, validity, wanted_day
from .versions import QuoteVersion

_State = pb.Quote.State


class Quote(Aggregate[pb.Quote]):
    """An offer to one account."""

    state_type = pb.Quote

    @classmethod
    def draft(cls, name: str, offer: pb.Quote, prices: Prices, partner: str = "") -> Self:
        """A new draft; a partner's is the partner's, whatever it says.

        Raises what `pricing.price` raises, QUOTE_LINE_DUPLICATE, and BadField for an impossible day.
        """
        state = pb.Quote()
        state.CopyFrom(offer)
        state.name, state.state, state.version, state.partner = name, _State.STATE_DRAFT, 1, partner or offer.partner
        quote = cls(_priced(state, prices))
        quote.record(
            pb.QuoteCreated(quote=name, account=state.account, partner=state.partner, net_amount=state.totals.net_amount)
        )
        return quote

    def needs_prices(self, changed: pb.Quote) -> bool:
        """Whether a change touches what decides prices."""
        return lines.terms(changed) != lines.terms(self.state)

    def update(self, changed: pb.Quote, prices: Prices | None) -> None:
        """Takes over a changed draft, which is used up; without new prices the pinned ones stay, and so does staleness.

        Raises QUOTE_STATE and what `draft` raises.
        """
        self.must_allow("update")
        if prices is not None:
            _priced(changed, prices)
        elif self.needs_prices(changed):
            raise Broken(f"{self.name} was changed without prices")
        else:
            lines.keep_prices(changed, self.state)
            changed.price_scope.account = changed.account
            wanted_day(changed)
        self.state.CopyFrom(changed)

    def reprice(self, prices: Prices) -> None:
        """Pins new prices. Raises QUOTE_STATE and what `pricing.price` raises."""
        self.must_allow("reprice")
        changed = pb.Quote()
        changed.CopyFrom(self.state)
        self.state.CopyFrom(_priced(changed, prices))

    def must_be_submittable(self) -> None:
        """Raises QUOTE_STATE, QUOTE_WITHOUT_LINES, QUOTE_PRICES_STALE: what can be said before the catalog is asked."""
        self.must_allow("submit")
        if not self.state.lines:
            raise Failure(pb.QuoteReason, pb.QUOTE_WITHOUT_LINES, "{quote} has no line: add one.", quote=self.name)
        if self.state.stale_price_entry:
            raise self._stale(self.state.stale_price_entry)

    def ready(self, prices: Prices, zone: tzinfo) -> Validity:
        """How long the offer would stand if it were submitted at the instant of `prices`.

        The pinned prices must be those that hold at this instant, because a draft may be older than the price list: an
        event about a superseded entry may still be on its way, and a more specific book, a retired one or a product taken off
        sale cause no event about the pinned entry at all. So the mark of staleness only warns people early, and this
        comparison with the catalog's answer, read in the transaction of the submit, decides. A wrong price cannot be submitted;
        a price that changes after the submit was promised, and holds.

        Raises what `must_be_submittable` raises, QUOTE_PRICES_STALE, QUOTE_ALREADY_EXPIRED.
        """
        self.must_be_submittable()
        if entry := pricing.superseded(self.state, prices):
            raise self._stale(entry)
        found = validity(wanted_day(self.state), prices.time, zone)
        if found.end <= prices.time:
            raise self._expired()
        return found

    def submit(self, number: str, offered: Validity, approved: pb.QuoteApproval) -> QuoteVersion:
        """Puts the offer on the table and freezes it. `number` is kept once given. Raises QUOTE_STATE."""
        self.must_allow("submit")
        state, day = self.state, offered.last_day
        state.state, state.number = _State.STATE_SUBMITTED, state.number or number
        state.valid_until.year, state.valid_until.month, state.valid_until.day = day.year, day.month, day.day
        state.expire_time.CopyFrom(clock.timestamp(offered.end))
        state.approval.CopyFrom(approved)
        state.content_hash = content_hash(state)
        self.record(telling.submitted(state))
        return QuoteVersion.frozen(self.version_name, state)

    @property
    def version_name(self) -> str:
        """The resource name of the version it is at; the version exists from submit on."""
        return f"{self.name}/versions/{self.state.version}"

    @property
    def is_settled(self) -> bool:
        """Whether it is known to need no approval, or to have it."""
        return self.state.approval.state in approval.SETTLED

    def answered(self, answer: CheckBoundsResponse) -> None:
        """Takes over what the rules of approval say now."""
        self.state.approval.CopyFrom(approval.answered(answer))

    def hear(self, version: int, fingerprint: str, request: str, outcome: pb.QuoteApprovalRequest.Outcome.ValueType) -> bool:
        """Notes what became of a request; False, and nothing changes, unless it is news of exactly what is on offer."""
        about = self.is_on_offer(version) and fingerprint == self.state.content_hash
        return about and approval.hear(self.state.approval, request, outcome)

    def must_be_answerable(self, verb: str, now: datetime) -> None:
        """Raises QUOTE_STATE, and QUOTE_ALREADY_EXPIRED even if the timer has not fired yet."""
        self.must_allow(verb)
        if self.has_expired(now):
            raise self._expired()

    def present(self, now: datetime) -> None:
        """The customer is shown what is on offer; only the first time counts. Its validity does not change.

        Raises what `must_be_answerable` raises, and QUOTE_APPROVAL_NEEDED, QUOTE_APPROVAL_PENDING, QUOTE_APPROVAL_REFUSED.
        """
        self.must_be_answerable("present", now)
        approval.must_be_settled(self.state)
        state = self.state
        if state.HasField("present_time"):
            return
        state.present_time.CopyFrom(clock.timestamp(now))
        self.record(telling.presented(state))

    def accept(self, now: datetime) -> None:
        """The customer agrees. Raises what `present` raises."""
        self.must_be_answerable("accept", now)
        approval.must_be_settled(self.state)
        state = self.state
        state.state = _State.STATE_ACCEPTED
        self.record(telling.accepted(state))

    def reject(self, reason: str) -> None:
        """The customer declines. Raises QUOTE_STATE."""
        self.must_allow("reject")
        self.state.state, self.state.close_reason = _State.STATE_REJECTED, reason
        self.record(pb.QuoteRejected(quote=self.name, version=self.state.version, reason=reason, partner=self.state.partner))

    def withdraw(self, reason: str) -> None:
        """The seller takes it back. Raises QUOTE_STATE."""
        self.must_allow("withdraw")
        self.state.state, self.state.close_reason = _State.STATE_WITHDRAWN, reason
        self.record(pb.QuoteWithdrawn(quote=self.name, version=self.state.version, reason=reason, partner=self.state.partner))

    def revise(self) -> None:
        """Takes the offer off the table to write its next version; number and lines stay. Raises QUOTE_STATE."""
        self.must_allow("revise")
        self.record(telling.superseded(self.state, self.name))
        self.state.state = _State.STATE_DRAFT
        self.state.version += 1
        self.state.content_hash = ""
        for of_the_offer in ("expire_time", "approval", "present_time"):
            self.state.ClearField(of_the_offer)

    def supersede(self, by: "Quote") -> None:
        """Another quote replaces it. Raises QUOTE_SUPERSEDES_ITSELF, and QUOTE_STATE for either."""
        if by.name == self.name:
            raise Failure(pb.QuoteReason, pb.QUOTE_SUPERSEDES_ITSELF, "{quote} cannot be superseded by itself.", quote=self.name)
        self.must_allow("supersede")
        by.must_allow("replace another")
        self.state.state, self.state.superseded_by = _State.STATE_SUPERSEDED, by.name
        self.record(telling.superseded(self.state, by.name))

    def expire(self) -> None:
        """Its validity ended. Raises QUOTE_STATE; whether it ended, `is_on_offer` and `has_expired` say."""
        self.must_allow("expire")
        self.state.state = _State.STATE_EXPIRED
        self.record(pb.QuoteExpired(quote=self.name, version=self.state.version, partner=self.state.partner))

    def is_on_offer(self, version: int) -> bool:
        """Whether the customer can still answer this version, its validity aside."""
        return self.state.state == _State.STATE_SUBMITTED and self.state.version == version

    def has_expired(self, now: datetime) -> bool:
        """Whether its validity has ended; a quote that is not submitted has none."""
        return self.state.HasField("expire_time") and self.state.expire_time.ToDatetime(tzinfo=UTC) <= now

    def mark_stale(self, price_entry: str) -> bool:
        """Notes that an entry no longer gives the price; False, and nothing changes, unless a draft uses it and is not stale."""
        state = self.state
        if state.state != _State.STATE_DRAFT or state.stale_price_entry or price_entry not in state.price_entries:
            return False
        state.stale_price_entry = price_entry
        return True

    def must_be_deletable(self) -> None:
        """Raises QUOTE_STATE unless it is a draft that was never submitted: a number, once given, stays accounted for."""
        self.must_allow("delete")
        if self.state.number:
            raise Failure(
                pb.QuoteReason,
                pb.QUOTE_STATE,
                "{quote} was submitted before; delete needs {allowed}: withdraw it.",
                quote=self.name,
                state="DRAFT",
                allowed="DRAFT without a number",
            )

    def must_allow(self, verb: str) -> None:
        """Raises QUOTE_STATE unless the state allows the verb."""
        states.must_allow(self.state, verb)

    def _stale(self, entry: str) -> Failure:
        return Failure(
            pb.QuoteReason,
            pb.QUOTE_PRICES_STALE,
            "{price_entry} no longer gives the price in {quote}: reprice it.",
            quote=self.name,
            price_entry=entry,
        )

    def _expired(self) -> Failure:
        return Failure(
            pb.QuoteReason,
            pb.QUOTE_ALREADY_EXPIRED,
            "{quote} was valid until {valid_until}.",
            quote=self.name,
            valid_until=wanted_day(self.state),
        )

    def check(self) -> None:
        """Nothing is lost in the sums; line ids are unique; what is or was on offer is numbered, dated, judged and unchanged."""
        invariants.verify(self.state)
        conservation.verify(self.state)


def _priced(state: pb.Quote, prices: Prices) -> pb.Quote:
    """A state with ids, scope and everything that follows from prices; they are fresh, so it is not stale."""
    wanted_day(state)
    state.price_scope.account = state.account
    state.last_line_number = lines.assign_ids(state.lines, state.last_line_number)
    state.stale_price_entry = ""
    pricing.price(state, prices)
    return state
