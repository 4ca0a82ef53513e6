"""What must follow from what was committed, stated once more: events, supersessions, ends of offers, marks of staleness."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from revops.catalog.v1 import price_books_pb2 as books
from revops.quoting.v1 import quotes_pb2 as quotes

from tests.journeys.evidence import Audited, Evidence

SUPERSEDED = "revops.catalog.v1.PriceEntrySuperseded"
REACTION = "OnPriceEntrySuperseded"
REACTION_RPC = f"revops.quoting.v1.QuoteService.{REACTION}"
CREATED = "revops.catalog.v1.PriceEntryCreated"
EVENTS = {
    "ActivateProduct": "revops.catalog.v1.ProductActivated",
    "ActivatePriceBook": "revops.catalog.v1.PriceBookActivated",
    "CreatePriceEntry": CREATED,
    "CreateQuote": "revops.quoting.v1.QuoteCreated",
    "SubmitQuote": "revops.quoting.v1.QuoteSubmitted",
    "AcceptQuote": "revops.quoting.v1.QuoteAccepted",
    "ReviseQuote": "revops.quoting.v1.QuoteSuperseded",
    "ExpireQuote": "revops.quoting.v1.QuoteExpired",
}
"""The first event of each method of a journey that has events."""
DRAFTING = frozenset({"CreateQuote", "RepriceQuote", "ReviseQuote"})
"""Methods after which a quote is a draft."""


def events(evidence: Evidence) -> Counter[tuple[str, int, int, str]]:
    """Aggregate, revision, position and type of every event that must exist."""
    olds = superseded(evidence.entries)
    found: Counter[tuple[str, int, int, str]] = Counter()
    for entry in evidence.audit:
        if entry.method not in EVENTS or (name := _recorded_by(entry)) is None:
            continue
        aggregate, _, revision = name.rpartition("@")
        found[aggregate, int(revision), 0, EVENTS[entry.method]] += 1
        if entry.method == "CreatePriceEntry":
            found.update((aggregate, int(revision), n + 1, SUPERSEDED) for n in range(len(olds[aggregate])))
    return found


def _recorded_by(entry: Audited) -> str | None:
    """The resource that recorded the event, with its revision; None if the call changed nothing."""
    wanted = 3 if entry.method == "CreatePriceEntry" else 1
    return next((name for name in entry.resources if name.count("/") == wanted), None)


def superseded(entries: Iterable[books.PriceEntry]) -> dict[str, list[str]]:
    """By each entry the entries of its charge that held at some instant from its own beginning on, until it came.

    All of them hold for ever, and at an instant the one that became known last holds.
    """
    by_charge: dict[str, list[books.PriceEntry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: _instant(entry.known_from)):
        by_charge[entry.charge].append(entry)
    found: dict[str, list[str]] = {}
    for known in by_charge.values():
        for n, entry in enumerate(known):
            older, start = known[:n], _instant(entry.valid_from)
            instants = {start} | {at for each in older if (at := _instant(each.valid_from)) >= start}
            holding = (_holds(older, at) for at in instants)
            found[entry.name] = sorted({each for each in holding if each})
    return found


def _holds(known: list[books.PriceEntry], at: datetime) -> str:
    return next((each.name for each in reversed(known) if _instant(each.valid_from) <= at), "")


def expiries(evidence: Evidence) -> Iterator[quotes.ExpireQuoteRequest]:
    """A look at the end of every version that was ever on offer."""
    for entry in evidence.audit:
        for resource in entry.resources if entry.method == "SubmitQuote" else ():
            if "/versions/" in resource:
                quote, _, version = resource.rpartition("@")[0].partition("/versions/")
                yield quotes.ExpireQuoteRequest(name=quote, version=int(version))


def postponed(evidence: Evidence) -> Counter[str]:
    """How often the reaction found that an entry still held, so that a timer marks the drafts later."""
    found: Counter[str] = Counter()
    for entry in evidence.audit:
        if entry.method == REACTION:
            event = books.PriceEntrySuperseded.FromString(entry.request)
            found[event.price_entry] += _instant(event.valid_from) > entry.time
    return +found


def overtaken(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Drafts and the entries by which they must know that they are stale.

    Those are drafts whose caller had been told of their pricing before the new price was even sent. Others may have been
    priced with the old entry while the reaction already ran; they are found at their submit.
    """
    drafted: dict[str, int] = {}
    first_sent: dict[str, int] = {}
    made_at: dict[str, int] = {}
    for n, line in enumerate(evidence.journal):
        first_sent.setdefault(line.request_id, n)
        if line.what == "told" and line.method in DRAFTING:
            drafted[line.name] = n
        if line.what == "told" and line.method == "CreatePriceEntry":
            made_at[line.name] = first_sent[line.request_id]
    news = {(old, new) for new, olds in superseded(evidence.entries).items() for old in olds}
    latest: dict[str, int] = {}
    for old, new in news:
        latest[old] = max(latest.get(old, -1), made_at.get(new, -1))
    for name, quote in evidence.quotes.items():
        for entry in quote.price_entries if quote.state == quotes.Quote.STATE_DRAFT else ():
            if drafted.get(name, len(evidence.journal)) < latest.get(entry, -1):
                yield name, entry


def _instant(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
