"""Any sequence of verbs: nothing is ever lost, a refused verb changes nothing, an accepted quote never changes."""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import BadField, Failure
from revops_mesh.quoting.quotes.domain import Quote
from revops_mesh.quoting.quotes.versions import QuoteVersion
from tests.quoting.quotes.offers import FREE, NOW, ONE_TIME, USAGE, Charged, drafted, line, offer, prices

S = pb.Quote.State
LEGAL = {
    (S.STATE_DRAFT, S.STATE_SUBMITTED), (S.STATE_DRAFT, S.STATE_WITHDRAWN), (S.STATE_DRAFT, S.STATE_SUPERSEDED),
    (S.STATE_SUBMITTED, S.STATE_DRAFT), (S.STATE_SUBMITTED, S.STATE_ACCEPTED), (S.STATE_SUBMITTED, S.STATE_REJECTED),
    (S.STATE_SUBMITTED, S.STATE_WITHDRAWN), (S.STATE_SUBMITTED, S.STATE_EXPIRED), (S.STATE_SUBMITTED, S.STATE_SUPERSEDED),
}  # fmt: skip
"""Every way from one state to another."""

discounts = st.one_of(
    st.just({}),
    st.decimals(0, 1, places=3).map(lambda rate: {"discount_rate": f"{rate:f}"}),
    st.integers(0, 5000).map(lambda cents: {"discount_amount": f"{cents / 100:.2f}"}),
)
new_lines = st.builds(
    lambda product, quantity, discount: line(product, str(quantity), **discount),
    st.sampled_from(["cloud", "disk", "tape"]),
    st.integers(1, 50),
    discounts,
)
price_lists = st.builds(
    lambda entry, amount: (Charged(f"{amount}.37", entry=entry, months=3), Charged("0.5", ONE_TIME), Charged("0.01", USAGE)),
    st.sampled_from(["e1", "e2", "e3"]),
    st.integers(0, 9),
)


class AQuote(RuleBasedStateMachine):
    """One quote, a price list that changes, and a clock that only moves on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.versions: dict[str, QuoteVersion] = {}
        self.ids: dict[str, str] = {}
        self.accepted: bytes = b""

    @initialize(lines=st.lists(new_lines, max_size=3), listed=price_lists)
    def draft(self, lines: list[pb.QuoteLine], listed: tuple[Charged, ...]) -> None:
        self.listed = listed
        for each in lines:
            each.ClearField("discount")
        self.quote = Quote.draft("quotes/q", offer(*lines), prices(offer(*lines), *listed, time=self.now))
        self.learn()

    def attempt(self, verb: Callable[[], Any]) -> bool:
        """Does it, or finds that a refusal changed nothing."""
        before, events = self.quote.state.SerializeToString(deterministic=True), len(self.quote.events)
        state = self.quote.state.state
        try:
            verb()
        except (Failure, BadField):
            assert self.quote.state.SerializeToString(deterministic=True) == before
            assert len(self.quote.events) == events
            return False
        assert self.quote.state.state == state or (state, self.quote.state.state) in LEGAL
        return True

    def learn(self) -> None:
        """An id means one line for ever: notes who has which."""
        for each in self.quote.state.lines:
            assert self.ids.setdefault(each.line_id, each.rate_plan) == each.rate_plan

    @rule(listed=price_lists)
    def the_price_list_changes(self, listed: tuple[Charged, ...]) -> None:
        self.listed = listed
        if any(entry.endswith("/e1") for entry in self.quote.state.price_entries):
            self.quote.mark_stale("priceBooks/list/entries/e1")

    @rule(days=st.integers(0, 20))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(added=st.lists(new_lines, max_size=2), keep=st.integers(0, 3))
    def the_lines_change(self, added: list[pb.QuoteLine], keep: int) -> None:
        new = pb.Quote()
        new.CopyFrom(self.quote.state)
        del new.lines[keep:]
        new.lines.extend(added)
        if self.attempt(lambda: self.quote.update(new, prices(new, *self.listed, time=self.now))):
            self.learn()

    @rule(text=st.text(max_size=5))
    def a_description_changes(self, text: str) -> None:
        new = pb.Quote()
        new.CopyFrom(self.quote.state)
        for each in new.lines:
            each.description = text
            each.ClearField("charges")
        amounts = self.quote.state.totals.SerializeToString()
        self.attempt(lambda: self.quote.update(new, None))
        assert self.quote.state.totals.SerializeToString() == amounts

    @rule()
    def reprice(self) -> None:
        self.attempt(lambda: self.quote.reprice(prices(self.quote.state, *self.listed, time=self.now)))

    @rule()
    def submit(self) -> None:
        found = prices(self.quote.state, *self.listed, time=self.now)

        def submitting() -> None:
            version = self.quote.submit("Q-000001", self.quote.ready(found, UTC), FREE)
            assert self.versions.setdefault(version.name, version) is version
            pinned = {c.charge: c.price_entry for each in self.quote.state.lines for c in each.charges}
            assert pinned == {c.charge: c.price_entry for each in found.plans for c in each.charges}

        self.attempt(submitting)

    @precondition(lambda self: self.quote.state.state == S.STATE_DRAFT)
    @rule(line=new_lines)
    def go_on_offer(self, line: pb.QuoteLine) -> None:
        """What people do most: makes sure that it can be submitted, and submits."""
        new = pb.Quote()
        new.CopyFrom(self.quote.state)
        new.ClearField("valid_until")
        for each in [*new.lines, line]:
            each.ClearField("discount")
        new.lines.append(line)
        assert self.attempt(lambda: self.quote.update(new, prices(new, *self.listed, time=self.now)))
        self.learn()
        self.submit()
        assert self.quote.state.state == S.STATE_SUBMITTED

    @rule()
    def revise(self) -> None:
        replaced = self.quote.version_name
        if self.attempt(self.quote.revise):
            self.versions[replaced].supersede()

    @rule()
    def accept(self) -> None:
        if self.attempt(lambda: self.quote.accept(self.now)):
            assert self.now < self.quote.state.expire_time.ToDatetime(tzinfo=UTC)
            self.accepted = self.quote.state.SerializeToString(deterministic=True)

    @precondition(lambda self: self.quote.state.version > 1 or self.accepted)
    @rule(verb=st.sampled_from(["reject", "withdraw", "supersede"]))
    def close(self, verb: str) -> None:
        """Not too early, or there would be no story."""
        other = drafted()
        other.state.name = "quotes/other"
        reason: Any = other if verb == "supersede" else "Because."
        self.attempt(lambda: getattr(self.quote, verb)(reason))

    @rule(version=st.integers(1, 3))
    def the_timer_fires(self, version: int) -> None:
        if self.quote.is_on_offer(version) and self.quote.has_expired(self.now):
            assert self.attempt(self.quote.expire)

    @rule()
    def delete(self) -> None:
        self.attempt(self.quote.must_be_deletable)

    @invariant()
    def nothing_is_lost(self) -> None:
        self.quote.check()
        for version in self.versions.values():
            version.check()

    @invariant()
    def one_version_is_current_at_most(self) -> None:
        current = [v for v in self.versions.values() if v.state.state == pb.QuoteVersion.STATE_CURRENT]
        assert len(current) <= 1
        if self.quote.state.content_hash:
            assert current[0].state.quote.content_hash == self.quote.state.content_hash

    @precondition(lambda self: self.accepted)
    @invariant()
    def an_accepted_quote_never_changes(self) -> None:
        assert self.quote.state.SerializeToString(deterministic=True) == self.accepted


TestAQuote = AQuote.TestCase
TestAQuote.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
