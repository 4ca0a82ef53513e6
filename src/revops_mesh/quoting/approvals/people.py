"""Who manages whom, and who decides in whose stead. Days are in UTC; both ends of a delegation count."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Self

from google.type.date_pb2 import Date
from revops.quoting.v1 import approval_people_pb2 as pb
from revops.quoting.v1 import approval_policies_pb2 as reasons

from revops_mesh.kernel.aggregate import Aggregate
from revops_mesh.kernel.errors import Broken, Failure

MOST_LEVELS = 50
"""Managers above one another; who is higher is not asked for."""


class ApprovalDelegation(Aggregate[pb.ApprovalDelegation]):
    """Somebody decides in somebody else's stead between two days."""

    state_type = pb.ApprovalDelegation

    @classmethod
    def give(
        cls, name: str, offer: pb.ApprovalDelegation, delegator: str, roles: Sequence[str], others: Iterable["ApprovalDelegation"]
    ) -> Self:
        """A new one by its delegator; `others` are those that last until its first day or longer.

        Raises DELEGATION_TO_ONESELF, DELEGATION_PERIOD, DELEGATION_LOOP.
        """
        delegation = cls(pb.ApprovalDelegation())
        delegation.state.CopyFrom(offer)
        delegation.state.name, delegation.state.delegator = name, delegator
        delegation.state.roles[:] = sorted(roles)
        if offer.delegate == delegator:
            text = "{delegate} decides already: name somebody else."
            raise Failure(reasons.ApprovalPolicyReason, reasons.DELEGATION_TO_ONESELF, text, delegate=delegator)
        delegation._must_have_days()
        delegation._must_not_return(others)
        return delegation

    def _must_have_days(self) -> None:
        try:
            sound = _day(self.state.start_date) <= _day(self.state.end_date)
        except ValueError:
            sound = False
        if not sound:
            start, end = (f"{each.year}-{each.month:02}-{each.day:02}" for each in (self.state.start_date, self.state.end_date))
            text = "{start} to {end} is no period: both have to be days, and the first not after the last."
            raise Failure(reasons.ApprovalPolicyReason, reasons.DELEGATION_PERIOD, text, start=start, end=end)

    def _must_not_return(self, others: Iterable["ApprovalDelegation"]) -> None:
        onward: dict[str, set[str]] = {}
        for other in others:
            if self._overlaps(other):
                onward.setdefault(other.state.delegator, set()).add(other.state.delegate)
        if way := _way(self.state.delegate, self.state.delegator, onward):
            text = "{delegate} has delegated back through {through}: choose somebody else, or other days."
            reason, through = reasons.DELEGATION_LOOP, ", ".join(way)
            raise Failure(reasons.ApprovalPolicyReason, reason, text, delegate=self.state.delegate, through=through)

    def _overlaps(self, other: "ApprovalDelegation") -> bool:
        first = max(_day(self.state.start_date), _day(other.state.start_date))
        return first <= min(_day(self.state.end_date), _day(other.state.end_date))

    def check(self) -> None:
        """Two people and a period."""
        state = self.state
        if not state.delegator or state.delegator == state.delegate or _day(state.start_date) > _day(state.end_date):
            raise Broken(f"{self.name}: {state.delegator} to {state.delegate} from {state.start_date} to {state.end_date}")


class ReportingLine(Aggregate[pb.ReportingLine]):
    """Who manages somebody."""

    state_type = pb.ReportingLine

    @classmethod
    def draw(cls, name: str, offer: pb.ReportingLine, above: Sequence[str]) -> Self:
        """A new one; `above` are those who manage the manager. Raises REPORTING_LOOP."""
        line = cls(pb.ReportingLine())
        line.state.CopyFrom(offer)
        line.state.name = name
        line._must_end(above)
        return line

    def update(self, changed: pb.ReportingLine, above: Sequence[str]) -> None:
        """Takes over a changed manager; `above` as in `draw`. Raises REPORTING_LOOP."""
        self.state.CopyFrom(changed)
        self._must_end(above)

    def _must_end(self, above: Sequence[str]) -> None:
        user, manager = self.state.employee, self.state.manager
        if user in (manager, *above):
            text = "{user} would manage himself through {manager}."
            raise Failure(reasons.ApprovalPolicyReason, reasons.REPORTING_LOOP, text, user=user, manager=manager)

    def check(self) -> None:
        """Two people."""
        if not self.state.manager or self.state.employee == self.state.manager:
            raise Broken(f"{self.name}: {self.state.employee} is managed by {self.state.manager}")


def _way(start: str, goal: str, onward: Mapping[str, set[str]]) -> list[str]:
    """A way from one to another, both ends included; empty if there is none."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop()
        for following in sorted(onward.get(way[-1], ())):
            if following == goal:
                return [*way, goal]
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return []


def _day(value: Date) -> date:
    return date(value.year, value.month, value.day)
