"""What can be done with a quote in which state, and what it leaves behind."""

from collections.abc import Callable
from datetime import UTC, timedelta

import pytest
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import Broken, Failure
from revops_mesh.quoting.quotes.domain import Quote
from revops_mesh.quoting.quotes.states import ALLOWED
from tests.quoting.quotes.offers import FREE, NOW, Charged, drafted, line, prices, submitted

S = pb.Quote.State
LATER = NOW + timedelta(days=60)


def changed(quote: Quote) -> pb.Quote:
    copy = pb.Quote()
    copy.CopyFrom(quote.state)
    return copy


VERBS: dict[str, Callable[[Quote], object]] = {
    "update": lambda q: q.update(changed(q), None),
    "reprice": lambda q: q.reprice(prices(q.state)),
    "delete": lambda q: q.must_be_deletable(),
    "submit": lambda q: q.submit("Q-000009", q.ready(prices(q.state), UTC), FREE),
    "revise": lambda q: q.revise(),
    "accept": lambda q: q.accept(NOW),
    "present": lambda q: q.present(NOW),
    "reject": lambda q: q.reject("Too dear."),
    "expire": lambda q: q.expire(),
    "withdraw": lambda q: q.withdraw("Mistake."),
    "supersede": lambda q: q.supersede(Quote(pb.Quote(name="quotes/other", state=S.STATE_DRAFT))),
    "replace another": lambda q: Quote(pb.Quote(name="quotes/other", state=S.STATE_DRAFT)).supersede(q),
}
REACHED: dict[int, Callable[[], Quote]] = {
    S.STATE_DRAFT: drafted,
    S.STATE_SUBMITTED: submitted,
    S.STATE_ACCEPTED: lambda: after(submitted(), "accept"),
    S.STATE_REJECTED: lambda: after(submitted(), "reject"),
    S.STATE_WITHDRAWN: lambda: after(submitted(), "withdraw"),
    S.STATE_EXPIRED: lambda: after(submitted(), "expire"),
    S.STATE_SUPERSEDED: lambda: after(submitted(), "supersede"),
}


def after(quote: Quote, verb: str) -> Quote:
    VERBS[verb](quote)
    return quote


def test_the_square_is_whole() -> None:
    assert set(VERBS) == set(ALLOWED)
    assert set(REACHED) == set(S.values()) - {0}
    assert all(reach().state.state == state for state, reach in REACHED.items())


@pytest.mark.parametrize("state", REACHED, ids=S.Name)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_works_in_the_states_it_fits_and_elsewhere_changes_nothing(verb: str, state: int) -> None:
    quote = REACHED[state]()
    before, events = changed(quote), list(quote.events)
    if state in ALLOWED[verb]:
        VERBS[verb](quote)
        quote.check()
        return
    with pytest.raises(Failure) as refused:
        VERBS[verb](quote)
    assert refused.value.reason == "QUOTE_STATE"
    assert refused.value.metadata == {
        "quote": "quotes/q",
        "state": S.Name(state).removeprefix("STATE_"),
        "allowed": " or ".join(sorted(S.Name(each).removeprefix("STATE_") for each in ALLOWED[verb])),
    }
    assert (quote.state, quote.events) == (before, events)
    quote.check()


def test_submit_freezes_what_was_promised() -> None:
    quote = drafted(line(discount_rate="0.1"))
    version = quote.submit("Q-000042", quote.ready(prices(quote.state), UTC), FREE)
    version.check()
    assert version.name == "quotes/q/versions/1"
    assert (quote.state.number, quote.state.valid_until.month, quote.state.valid_until.day) == ("Q-000042", 3, 31)
    assert quote.state.expire_time.ToDatetime(tzinfo=UTC) == NOW.replace(month=4, day=1, hour=0)
    offered = changed(quote)
    offered.ClearField("approval")  # what becomes of it is told by the quote, not by what was frozen
    assert version.state.quote == offered
    event = quote.events[-1]
    assert isinstance(event, pb.QuoteSubmitted)
    assert (event.content_hash, event.version, event.net_amount.amount) == (quote.state.content_hash, 1, "36.00")


@pytest.mark.parametrize("field", ["number", "account", "display_name"])
def test_what_is_on_offer_cannot_be_stored_changed(field: str) -> None:
    for quote in (submitted(), after(submitted(), "accept")):
        setattr(quote.state, field, "accounts/other")
        quote.state.price_scope.account = quote.state.account
        with pytest.raises(Broken, match="changed after it was submitted"):
            quote.check()


def test_a_quote_without_lines_cannot_be_submitted() -> None:
    quote = drafted()
    quote.update(pb.Quote(name="quotes/q", account="a", currency_code="EUR", state=1, version=1), prices(pb.Quote()))
    with pytest.raises(Failure) as refused:
        quote.must_be_submittable()
    assert refused.value.reason == "QUOTE_WITHOUT_LINES"


@pytest.mark.parametrize(
    "now",
    [
        (Charged("4.00", entry="e2"),),
        (Charged("4.00"), Charged("1.00", entry="e3")),
        (Charged("3.00", entry="e2"), Charged("1.00", entry="e3")),
    ],
)
def test_a_draft_is_not_submitted_with_prices_that_no_longer_hold(now: tuple[Charged, ...]) -> None:
    quote = drafted(line(), line("disk"))
    with pytest.raises(Failure) as refused:
        quote.ready(prices(quote.state, *now), UTC)
    entry = "priceBooks/list/entries/" + ("e1" if now[0].entry != "e1" else "e3")
    assert (refused.value.reason, refused.value.metadata) == ("QUOTE_PRICES_STALE", {"quote": "quotes/q", "price_entry": entry})


def test_a_draft_marked_as_stale_is_submitted_only_after_it_was_priced_again() -> None:
    quote = drafted()
    assert not quote.mark_stale("priceBooks/list/entries/e9")
    assert quote.mark_stale("priceBooks/list/entries/e1")
    assert not quote.mark_stale("priceBooks/list/entries/e1")
    with pytest.raises(Failure) as refused:
        quote.ready(prices(quote.state), UTC)
    assert refused.value.reason == "QUOTE_PRICES_STALE"
    quote.update(changed(quote), None)
    assert quote.state.stale_price_entry
    quote.reprice(prices(quote.state, Charged("5.00", entry="e2")))
    assert (quote.state.stale_price_entry, quote.state.totals.net_amount.amount) == ("", "50.00")
    quote.ready(prices(quote.state, Charged("5.00", entry="e2")), UTC)


@pytest.mark.parametrize("state", set(REACHED) - {S.STATE_DRAFT}, ids=S.Name)
def test_only_a_draft_becomes_stale(state: int) -> None:
    assert not REACHED[state]().mark_stale("priceBooks/list/entries/e1")


def test_a_validity_that_has_passed_is_refused() -> None:
    quote = drafted(valid_until={"year": 2027, "month": 2, "day": 28})
    with pytest.raises(Failure) as refused:
        quote.ready(prices(quote.state), UTC)
    assert (refused.value.reason, refused.value.metadata["valid_until"]) == ("QUOTE_ALREADY_EXPIRED", "2027-02-28")
    today = drafted(valid_until={"year": 2027, "month": 3, "day": 1})
    assert today.ready(prices(today.state), UTC).end == NOW.replace(day=2, hour=0)


def test_nobody_accepts_after_the_end_even_if_the_timer_is_late() -> None:
    quote = submitted()
    end = quote.state.expire_time.ToDatetime(tzinfo=UTC)
    with pytest.raises(Failure) as refused:
        quote.accept(end)
    assert refused.value.reason == "QUOTE_ALREADY_EXPIRED"
    quote.accept(end - timedelta(microseconds=1))
    assert quote.state.state == S.STATE_ACCEPTED


def test_a_revised_quote_keeps_number_and_line_ids_and_loses_its_promise() -> None:
    quote = submitted(line(), line("disk"))
    quote.revise()
    quote.check()
    assert (quote.state.version, quote.state.number, quote.state.content_hash) == (2, "Q-000001", "")
    assert not quote.has_expired(LATER)
    version = quote.submit("Q-000002", quote.ready(prices(quote.state), UTC), FREE)
    assert (version.name, quote.state.number) == ("quotes/q/versions/2", "Q-000001")
    assert [each.line_id for each in version.state.quote.lines] == ["1", "2"]
    kinds = [type(event).__name__ for event in quote.events]
    assert kinds == ["QuoteCreated", "QuoteSubmitted", "QuoteSuperseded", "QuoteSubmitted"]


def test_a_draft_with_a_number_cannot_be_deleted() -> None:
    quote = after(submitted(), "revise")
    with pytest.raises(Failure) as refused:
        quote.must_be_deletable()
    assert refused.value.metadata == {"quote": "quotes/q", "state": "DRAFT", "allowed": "DRAFT without a number"}


def test_a_quote_cannot_be_superseded_by_itself_or_by_one_that_is_closed() -> None:
    quote = drafted()
    with pytest.raises(Failure) as refused:
        quote.supersede(quote)
    assert refused.value.reason == "QUOTE_SUPERSEDES_ITSELF"
    closed = Quote(pb.Quote(name="quotes/closed", state=S.STATE_EXPIRED))
    with pytest.raises(Failure) as refused:
        quote.supersede(closed)
    assert refused.value.metadata["quote"] == "quotes/closed"


def test_a_partners_quote_is_the_partners_whatever_it_says() -> None:
    wanted = pb.Quote(account="accounts/a", currency_code="EUR", partner="partners/other")
    quote = Quote.draft("quotes/q", wanted, prices(wanted), "partners/mine")
    assert (quote.state.partner, quote.events[0].partner) == ("partners/mine", "partners/mine")  # type: ignore[attr-defined]
