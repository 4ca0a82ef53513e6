"""Sound requests with hostile values in some fields. Everything follows from a seed: the fields are the contract's."""

from collections.abc import Sequence
from random import Random

from google.protobuf.message import Message

from tests.contract import hostile

TOKENS = [
    "",
    "Bearer",
    "Bearer ",
    "Basic YTpi",
    "Bearer " + "x" * 8000,
    "Bearer a.b.c",
    "Bearer rk_x_y_z",
    "bearer \x7f",
    "Bearer é",
    # A key that nobody has, and no signature at all.
    "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6Im9mLW5vYm9keSJ9.eyJzdWIiOiJ1c2Vycy9hbm5hIn0.AAAA",
    "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2Vycy9hbm5hIn0.",
]


class Spoiling:
    """The ways to spoil the requests of one method."""

    def __init__(self, cases: Sequence[tuple[str, hostile.Change]], random: Random) -> None:
        self.cases, self.random = cases, random

    def spoilt(self, request: Message) -> Message:
        """With hostile values in one to three fields."""
        changed = type(request)()
        changed.CopyFrom(request)
        for _, change in self.random.sample(self.cases, min(len(self.cases), self.random.randint(1, 3))):
            try:
                change(changed)
            except (TypeError, ValueError):  # two changes that exclude each other
                continue
        return changed
