"""Which entries a new one supersedes: those that give the price at some instant of its validity until it comes.

Entries of one charge in one book overlap freely; at an instant the one that became known last gives the price.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from revops_mesh.catalog.periods import FOREVER


class Validity(NamedTuple):
    """When an entry claims to be valid: from `start` on, before `end`; None means for ever."""

    name: str
    start: datetime
    end: datetime | None


class Superseded(NamedTuple):
    """An entry that gave the price before, and the first instant at which it no longer does."""

    name: str
    start: datetime


def superseded(by: Validity, older: Iterable[Validity]) -> list[Superseded]:
    """What `by` supersedes of `older`, which come the last known first; stops reading once nothing older can show.

    An entry that is hidden wherever `by` is valid gave no price there, so it is not superseded.
    """
    found: list[Superseded] = []
    unexplained = [(by.start, by.end or FOREVER)]
    for entry in older:
        shown = [start for start, end in (_common(span, entry) for span in unexplained) if start < end]
        if not shown:
            continue
        found.append(Superseded(entry.name, min(shown)))
        unexplained = [left for span in unexplained for left in _without(span, entry)]
        if not unexplained:
            break
    return found


def _common(span: tuple[datetime, datetime], entry: Validity) -> tuple[datetime, datetime]:
    return max(span[0], entry.start), min(span[1], entry.end or FOREVER)


def _without(span: tuple[datetime, datetime], entry: Validity) -> list[tuple[datetime, datetime]]:
    before = (span[0], min(span[1], entry.start))
    after = (max(span[0], entry.end or FOREVER), span[1])
    return [(start, end) for start, end in (before, after) if start < end]
