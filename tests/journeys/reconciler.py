"""Reconciles what callers were told with what is left: nothing lost, nothing twice. Each check says what is wrong, one line each.

The audit is the backbone: it is written by the statement that writes the state, so it tells which revisions were committed by
which method; what must follow from that is stated here once more, and not taken from the product.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from google.protobuf.message import Message
from revops.catalog.v1 import price_books_pb2 as books
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel.names import derived
from tests.journeys import consequences
from tests.journeys.evidence import Evidence
from tests.journeys.servers import SELLER

ANSWERS: dict[str, type[Message]] = {
    "CreateQuote": quotes.Quote,
    "RepriceQuote": quotes.Quote,
    "SubmitQuote": quotes.Quote,
    "ReviseQuote": quotes.Quote,
    "AcceptQuote": quotes.Quote,
    "CreatePriceEntry": books.PriceEntry,
}
"""What the methods of the load answer."""
EXPECTED = frozenset({("SubmitQuote", "QUOTE_PRICES_STALE")})
"""Refusals that the load provokes."""
FAULT = "FAULT"
SERVICE = "services/quoting"
"""Who reacts and answers timers."""

Check = Callable[[Evidence], Iterator[str]]


def findings(evidence: Evidence) -> list[str]:
    """All that is wrong; empty if every promise was kept."""
    return [f"{check.__name__}: {found}" for check in CHECKS for found in check(evidence)]


def summary(found: Iterable[str], most: int = 4) -> list[str]:
    """The first few findings of each check, and how many more there are."""
    by_check: dict[str, list[str]] = defaultdict(list)
    for each in found:
        by_check[each.partition(":")[0]].append(each)
    lines: list[str] = []
    for name, all_of_it in by_check.items():
        lines += all_of_it[:most]
        if len(all_of_it) > most:
            lines.append(f"{name}: … and {len(all_of_it) - most} more")
    return lines


def calls_ended_as_expected(evidence: Evidence) -> Iterator[str]:
    """Every call was answered or refused in the end, for a reason that it should be refused for, and never by a fault."""
    ended = {line.request_id for line in evidence.journal if line.what in ("told", "refused")}
    for line in evidence.journal:
        if line.request_id not in ended:
            yield f"{line.method} {line.request_id} never ended"
        if line.what == "refused" and (line.method, line.why) not in EXPECTED:
            yield f"{line.method} {line.request_id} was refused with {line.why}"
        if line.what == "lost" and line.why == FAULT:
            yield f"{line.method} {line.request_id} met a fault"


def acknowledged_writes_are_there_once(evidence: Evidence) -> Iterator[str]:
    """What a caller was told is what is kept under its request id, and was done once; nothing else was done in its name."""
    principal, told = derived("principal", SELLER), {}
    done = Counter((entry.method, name) for entry in evidence.audit if entry.principal == SELLER for name in entry.resources)
    for line in evidence.journal:
        if line.what != "told":
            continue
        told[UUID(line.request_id)] = line
        answer = ANSWERS[line.method].FromString(evidence.replays.get((principal, UUID(line.request_id))) or b"")
        kept = (answer.name, answer.etag, getattr(answer, "number", ""))  # type: ignore[attr-defined]
        if kept != (line.name, line.etag, line.number):
            yield f"{line.method} {line.request_id} was told {line.name}@{line.etag} {line.number}, kept is {kept}"
        if (times := done[line.method, f"{line.name}@{line.etag}"]) != 1:
            yield f"{line.method} {line.request_id} of {line.name}@{line.etag} was done {times} times"
    for owner, request_id in evidence.replays:
        if owner == principal and request_id not in told:
            yield f"{request_id} was done, but its caller was not told so"
    entries = sum(entry.principal == SELLER for entry in evidence.audit)
    if entries != len(told):
        yield f"{len(told)} calls were acknowledged, {entries} were done"


def revisions_were_committed_once(evidence: Evidence) -> Iterator[str]:
    """Every revision of every stored resource was made by one audited call, from the first to the present one."""
    made: dict[str, Counter[int]] = defaultdict(Counter)
    for entry in evidence.audit:
        for resource in entry.resources:
            name, _, revision = resource.rpartition("@")
            made[name][int(revision)] += 1
    for name in made.keys() | evidence.revisions.keys():
        wanted = Counter(range(1, evidence.revisions.get(name, 0) + 1))
        if made[name] != wanted:
            yield f"{name} is at {evidence.revisions.get(name)}, the audit has {dict(sorted(made[name].items()))}"


def events_are_in_the_stream_once(evidence: Evidence) -> Iterator[str]:
    """Each event that follows from what was committed is there, under one id, and no other is."""
    wanted = consequences.events(evidence)
    found = Counter((event.aggregate, *event.sequence, event.type) for event in evidence.stream)
    for key in (wanted - found).elements():
        yield f"lost: {key}"
    for key in (found - wanted).elements():
        yield f"stored twice or for no reason: {key}"
    for event_id, times in Counter(event.event_id for event in evidence.stream).items():
        if times > 1:
            yield f"the id {event_id} is there {times} times"
    if unlike := [event.position for event in evidence.stream if event.event_id != event.message_id]:
        yield f"the stream cannot know duplicates of {unlike}"


def supersessions_are_told_right(evidence: Evidence) -> Iterator[str]:
    """Who superseded whom, by the events, is what follows from the entries."""
    events = [books.PriceEntrySuperseded.FromString(e.body) for e in evidence.stream if e.type.endswith(".PriceEntrySuperseded")]
    told = Counter((event.price_entry, event.superseded_by) for event in events)
    wanted = Counter((old, new) for new, olds in consequences.superseded(evidence.entries).items() for old in olds)
    for pair in ((told - wanted) + (wanted - told)).elements():
        yield f"{pair[0]} by {pair[1]}: {told[pair]} events, {wanted[pair]} expected"


def aggregates_are_in_order(evidence: Evidence) -> Iterator[str]:
    """In the stream, each aggregate's events follow their revisions."""
    last: dict[str, tuple[int, int]] = {}
    for event in sorted(evidence.stream, key=lambda event: event.position):
        if event.sequence <= last.get(event.aggregate, (0, 0)):
            yield f"{event.aggregate}: {event.sequence} at {event.position} comes after {last[event.aggregate]}"
        last[event.aggregate] = max(event.sequence, last.get(event.aggregate, (0, 0)))


def reactions_were_applied_once(evidence: Evidence) -> Iterator[str]:
    """Each event was applied once by the rpc that listens to it."""
    told = Counter(event.body for event in evidence.stream if event.type == consequences.SUPERSEDED)
    applied = Counter(entry.request for entry in evidence.audit if entry.method == consequences.REACTION)
    for body in (told - applied) + (applied - told):
        event = books.PriceEntrySuperseded.FromString(body)
        yield f"{event.price_entry} by {event.superseded_by}: {told[body]} events, applied {applied[body]} times"


def reactions_ran_under_their_events(evidence: Evidence) -> Iterator[str]:
    """What a reaction answered is kept under an id that follows from event and rpc, and nothing was done under no id."""
    service = derived("principal", SERVICE)
    for event in evidence.stream:
        wanted = derived("event", UUID(event.event_id), consequences.REACTION_RPC)
        if event.type == consequences.SUPERSEDED and (service, wanted) not in evidence.replays:
            yield f"event {event.event_id} of {event.aggregate} was not taken under its own id"
    done = sum(entry.principal == SERVICE for entry in evidence.audit)
    kept = sum(owner == service for owner, _ in evidence.replays)
    if done != kept:
        yield f"{SERVICE} did {done} things under {kept} ids"


def timers_fired_once(evidence: Evidence) -> Iterator[str]:
    """Each offer's end was looked at once; each postponed mark of staleness, too."""
    fired = Counter(entry.request for entry in evidence.audit if entry.method == "ExpireQuote")
    wanted = Counter(request.SerializeToString() for request in consequences.expiries(evidence))
    for request in (fired - wanted) + (wanted - fired):
        offer = quotes.ExpireQuoteRequest.FromString(request)
        yield f"{offer.name} version {offer.version} was looked at {fired[request]} times, not {wanted[request]}"
    for name, quote in evidence.quotes.items():
        if quote.state == quotes.Quote.STATE_SUBMITTED:
            yield f"{name} is on offer after its end"
    marks = Counter(
        quotes.MarkStaleQuotesRequest.FromString(entry.request).price_entry
        for entry in evidence.audit
        if entry.method == "MarkStaleQuotes" and not quotes.MarkStaleQuotesRequest.FromString(entry.request).after
    )
    postponed = consequences.postponed(evidence)
    for entry_name in (marks - postponed) + (postponed - marks):
        yield f"drafts with {entry_name} were marked {marks[entry_name]} times, not {postponed[entry_name]}"


def drafts_know_that_they_are_stale(evidence: Evidence) -> Iterator[str]:
    """A draft that was priced before a price was superseded says so; no draft says so without reason."""
    olds = {old for each in consequences.superseded(evidence.entries).values() for old in each}
    for name, entry in consequences.overtaken(evidence):
        if not evidence.quotes[name].stale_price_entry:
            yield f"{name} was priced with {entry}, which was superseded, and does not know it"
    for name, quote in evidence.quotes.items():
        if quote.stale_price_entry and quote.stale_price_entry not in olds:
            yield f"{name} takes itself for stale because of {quote.stale_price_entry}"


def numbers_have_no_gaps(evidence: Evidence) -> Iterator[str]:
    """Quotes are numbered from 1 to the last number that the series gave, each once."""
    given = Counter(quote.number for quote in evidence.quotes.values() if quote.number)
    wanted = Counter(f"Q-{n:06}" for n in range(1, evidence.numbers + 1))
    for number in (given - wanted) + (wanted - given):
        yield f"{number} is given {given[number]} times"


def nothing_is_left_over(evidence: Evidence) -> Iterator[str]:
    """Nothing waits in the outbox, among the timers or among the dead letters."""
    for table, rows in evidence.waiting.items():
        if rows:
            yield f"{rows} rows in {table}"


CHECKS: tuple[Check, ...] = (
    calls_ended_as_expected,
    acknowledged_writes_are_there_once,
    revisions_were_committed_once,
    events_are_in_the_stream_once,
    supersessions_are_told_right,
    aggregates_are_in_order,
    reactions_were_applied_once,
    reactions_ran_under_their_events,
    timers_fired_once,
    drafts_know_that_they_are_stale,
    numbers_have_no_gaps,
    nothing_is_left_over,
)
