"""Evidence as it would be if a promise had been broken, so that each check of the reconciler is seen to go red."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

import msgspec
from revops.catalog.v1 import price_books_pb2 as books
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel.names import derived, new_uuid
from tests.journeys import consequences, reconciler
from tests.journeys.evidence import Audited, Evidence, Stored
from tests.journeys.servers import SELLER

T = TypeVar("T")
Tamper = Callable[[Evidence], Evidence]


def _without(items: list[T], item: T) -> list[T]:
    return [each for each in items if each is not item]


def _instead(items: list[T], item: T, other: T) -> list[T]:
    return [other if each is item else each for each in items]


def _event(evidence: Evidence, type_: str = "revops.quoting.v1.QuoteSubmitted") -> Stored:
    return next(event for event in evidence.stream if event.type == type_)


def _entry(evidence: Evidence, method: str) -> Audited:
    return next(entry for entry in evidence.audit if entry.method == method and entry.resources)


def event_lost(evidence: Evidence) -> Evidence:
    return replace(evidence, stream=_without(evidence.stream, _event(evidence)))


def event_stored_twice(evidence: Evidence) -> Evidence:
    fresh = new_uuid().hex
    again = replace(_event(evidence), event_id=fresh, message_id=fresh)
    return replace(evidence, stream=[*evidence.stream, again])


def duplicate_not_known(evidence: Evidence) -> Evidence:
    event = _event(evidence)
    return replace(evidence, stream=_instead(evidence.stream, event, replace(event, message_id=new_uuid().hex)))


def events_out_of_order(evidence: Evidence) -> Evidence:
    later = _event(evidence)
    earlier = next(event for event in evidence.stream if event.aggregate == later.aggregate)
    swapped = _instead(evidence.stream, later, replace(later, position=earlier.position))
    return replace(evidence, stream=_instead(swapped, earlier, replace(earlier, position=later.position)))


def supersession_of_another(evidence: Evidence) -> Evidence:
    event = _event(evidence, consequences.SUPERSEDED)
    body = books.PriceEntrySuperseded.FromString(event.body)
    body.price_entry = body.superseded_by
    return replace(evidence, stream=_instead(evidence.stream, event, replace(event, body=body.SerializeToString())))


def write_lost(evidence: Evidence) -> Evidence:
    line = next(line for line in evidence.journal if line.what == "told")
    key = (derived("principal", SELLER), UUID(line.request_id))
    return replace(evidence, replays={each: answer for each, answer in evidence.replays.items() if each != key})


def write_done_twice(evidence: Evidence) -> Evidence:
    return replace(evidence, audit=[*evidence.audit, _entry(evidence, "AcceptQuote")])


def write_nobody_was_told_of(evidence: Evidence) -> Evidence:
    line = next(line for line in evidence.journal if line.what == "told")
    return replace(evidence, journal=[each for each in evidence.journal if each.request_id != line.request_id])


def answer_changed(evidence: Evidence) -> Evidence:
    line = next(line for line in evidence.journal if line.number)
    return replace(evidence, journal=_instead(evidence.journal, line, msgspec.structs.replace(line, number="Q-0")))


def call_without_end(evidence: Evidence) -> Evidence:
    line = next(line for line in evidence.journal if line.what == "sent")
    lost = msgspec.structs.replace(line, request_id=str(new_uuid()))
    return replace(evidence, journal=[*evidence.journal, lost])


def revision_lost(evidence: Evidence) -> Evidence:
    name = next(iter(evidence.quotes))
    return replace(evidence, revisions={**evidence.revisions, name: evidence.revisions[name] - 1})


def reaction_applied_twice(evidence: Evidence) -> Evidence:
    return replace(evidence, audit=[*evidence.audit, _reaction(evidence)])


def reaction_lost(evidence: Evidence) -> Evidence:
    return replace(evidence, audit=_without(evidence.audit, _reaction(evidence)))


def _reaction(evidence: Evidence) -> Audited:
    return next(entry for entry in evidence.audit if entry.method == consequences.REACTION)


def reaction_under_another_id(evidence: Evidence) -> Evidence:
    event = _event(evidence, consequences.SUPERSEDED)
    wanted = derived("event", UUID(event.event_id), consequences.REACTION_RPC)
    moved = {(who, new_uuid() if i == wanted else i): answer for (who, i), answer in evidence.replays.items()}
    return replace(evidence, replays=moved)


def timer_fired_twice(evidence: Evidence) -> Evidence:
    return replace(evidence, audit=[*evidence.audit, _entry(evidence, "ExpireQuote")])


def timer_lost(evidence: Evidence) -> Evidence:
    return replace(evidence, audit=_without(evidence.audit, _entry(evidence, "ExpireQuote")))


def mark_lost(evidence: Evidence) -> Evidence:
    name, _ = next(consequences.overtaken(evidence))
    unmarked = quotes.Quote.FromString(evidence.quotes[name].SerializeToString())
    unmarked.stale_price_entry = ""
    return replace(evidence, quotes={**evidence.quotes, name: unmarked})


def number_skipped(evidence: Evidence) -> Evidence:
    return replace(evidence, numbers=evidence.numbers + 1)


def event_left_in_the_outbox(evidence: Evidence) -> Evidence:
    return replace(evidence, waiting={**evidence.waiting, "outbox": 1})


TAMPERED: dict[Tamper, reconciler.Check] = {
    event_lost: reconciler.events_are_in_the_stream_once,
    event_stored_twice: reconciler.events_are_in_the_stream_once,
    duplicate_not_known: reconciler.events_are_in_the_stream_once,
    events_out_of_order: reconciler.aggregates_are_in_order,
    supersession_of_another: reconciler.supersessions_are_told_right,
    write_lost: reconciler.acknowledged_writes_are_there_once,
    write_done_twice: reconciler.acknowledged_writes_are_there_once,
    write_nobody_was_told_of: reconciler.acknowledged_writes_are_there_once,
    answer_changed: reconciler.acknowledged_writes_are_there_once,
    call_without_end: reconciler.calls_ended_as_expected,
    revision_lost: reconciler.revisions_were_committed_once,
    reaction_applied_twice: reconciler.reactions_were_applied_once,
    reaction_lost: reconciler.reactions_were_applied_once,
    reaction_under_another_id: reconciler.reactions_ran_under_their_events,
    timer_fired_twice: reconciler.timers_fired_once,
    timer_lost: reconciler.timers_fired_once,
    mark_lost: reconciler.drafts_know_that_they_are_stale,
    number_skipped: reconciler.numbers_have_no_gaps,
    event_left_in_the_outbox: reconciler.nothing_is_left_over,
}
"""What each broken promise must be found by."""


def unnoticed(evidence: Evidence) -> Iterator[str]:
    """Broken promises that the reconciler would overlook in this evidence."""
    for tamper, check in TAMPERED.items():
        if not list(check(tamper(evidence))):
            yield tamper.__name__
