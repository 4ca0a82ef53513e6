"""The named statements of price books. Each is one statement, hence one snapshot: a book and its entries always agree."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from revops.catalog.v1 import price_books_pb2 as pb

from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import not_found

from .domain import PriceBook, PriceEntry
from .precedence import fitting_keys
from .supersession import Validity

BATCH = 500

_SOURCES = (
    "unnest(b.name||b.lineage) WITH ORDINALITY a(name,place) JOIN catalog.price_entries e ON e.tenant_id=b.tenant_id"
    " AND e.name>(a.name COLLATE \"C\")||'/entries/' AND e.name<(a.name COLLATE \"C\")||'/entries0'"
)
"""The entries of a book and of those it follows, nearest first, as ranges of names ("0" follows "/"): the indexes over `charge`
and `rate_plan` end in the name."""

_SOURCE = 'LEFT JOIN catalog.price_books s ON w.depth>0 AND s.tenant_id=w.tenant_id AND s.name=w.source COLLATE "C"'
"""The book that an entry comes from, where it is not the book itself."""

_VALID = "e.delete_time IS NULL AND e.valid_from<=$4 AND (e.valid_to IS NULL OR e.valid_to>$4)"

RESOLVE = (
    "SELECT w.rate_plan, w.entry, s.body AS source, w.depth, w.book FROM ("
    " SELECT DISTINCT ON (l.charge) p.rate_plan, l.body AS entry, l.source, l.depth, l.closed, b.tenant_id, b.body AS book FROM ("
    "  SELECT tenant_id, name, body, lineage, priority, array_position($3::text[],scope_key) AS place FROM catalog.price_books"
    f"  WHERE tenant_id=$1 AND delete_time IS NULL AND state={pb.PriceBook.STATE_ACTIVE} AND currency_code=$2"
    "  AND scope_key=ANY($3::text[]) AND (effective_from IS NULL OR effective_from<=$4)"
    "  AND (effective_to IS NULL OR effective_to>$4)"
    " ) b CROSS JOIN unnest($5::text[]) p(rate_plan) CROSS JOIN LATERAL ("
    f"  SELECT DISTINCT ON (e.charge) e.charge, e.body, e.closed, a.name AS source, a.place-1 AS depth FROM {_SOURCES}"
    f"  WHERE e.tenant_id=$1 AND e.rate_plan=p.rate_plan AND {_VALID} ORDER BY e.charge, a.place, e.known_from DESC"
    " ) l ORDER BY l.charge, b.place, b.priority DESC"
    f") w {_SOURCE} WHERE NOT w.closed"
)
"""The entry that prices each charge of the `$5` plans in `$2` currency at `$4` for a customer whom the `$3` scope keys fit, the
most specific first. Inside, the last known entry of each charge in each book, or else in the nearest of the books it follows,
`depth` books above it; outside, the first book of each charge: two books never tie, such a pair is refused when it would become
active. LATERAL keeps the planner from reading a plan's entries in all books, of which there may be one for each account."""

REPLAY = (
    "SELECT w.book, w.entry, s.body AS source, w.depth FROM ("
    " SELECT b.tenant_id, b.body AS book, l.body AS entry, l.source, l.depth FROM catalog.price_books b LEFT JOIN LATERAL ("
    f" SELECT e.body, a.name AS source, a.place-1 AS depth FROM {_SOURCES} WHERE e.tenant_id=$1 AND e.charge=$3 AND {_VALID}"
    " AND ($5::timestamptz IS NULL OR e.known_from<=$5) ORDER BY a.place, e.known_from DESC LIMIT 1) l ON true"
    f" WHERE b.tenant_id=$1 AND b.name=$2 AND b.delete_time IS NULL) w {_SOURCE}"
)
"""The book `$2`, and its entry, or that of the nearest book it follows, for the charge `$3` that is valid at `$4` as known at
`$5`, None for all that is known."""

HEIR = (
    "SELECT name FROM catalog.price_books WHERE tenant_id=$1 AND delete_time IS NULL AND lineage @> ARRAY[$2]"
    f" AND state={pb.PriceBook.STATE_ACTIVE} ORDER BY name LIMIT 1"
)
"""An active book whose prices follow from the book `$2`."""

HISTORY = (
    "SELECT e.name, e.valid_from, e.valid_to FROM catalog.price_entries e WHERE e.tenant_id=$1 AND e.delete_time IS NULL"
    " AND e.name>$2||'/entries/' AND e.name<$2||'/entries0' AND e.charge=$3 AND (e.valid_to IS NULL OR e.valid_to>$4)"
    " AND ($5::timestamptz IS NULL OR e.valid_from<$5) ORDER BY e.known_from DESC"
)
"""The entries of the book `$2` for the charge `$3` that are valid at times from `$4` on, before `$5`, the last known first."""

HOLD_BOOKS = "SELECT 1 FROM catalog.price_books WHERE tenant_id=$1 AND delete_time IS NULL ORDER BY name FOR SHARE"
"""Waits for every call that is adding an entry, and lets none begin until the end of the unit."""


async def rivals_of(call: Call, book: PriceBook) -> list[PriceBook]:
    """The active books of the currency, scope and priority of a book; until the end of the unit no other can become one.

    The series is a guard row: whoever makes a book active or moves an active one holds it, so two calls cannot miss each other.
    """
    state = book.state
    await call.next_number(f"catalog.priceBooks/{state.currency_code}")
    return await call.repo(PriceBook).select(
        "state=$2 AND currency_code=$3 AND scope_key=$4 AND priority=$5",
        [pb.PriceBook.STATE_ACTIVE, state.currency_code, state.scope_key, state.priority],
    )


async def history(call: Call, book: str, entry: PriceEntry) -> Iterator[Validity]:
    """The older entries for the charge of a new one that are valid while it is, the last known first."""
    rows = await call.fetch(HISTORY, book, entry.state.charge, *entry.valid)
    return (Validity(row["name"], row["valid_from"], row["valid_to"]) for row in rows)


async def holding(call: Call, request: pb.ResolvePricesRequest, at: datetime) -> Sequence[Any]:
    """The rows of RESOLVE for a request."""
    plans = list({item.rate_plan for item in request.items})
    return await call.fetch(RESOLVE, request.currency_code, fitting_keys(request.scope), at, plans)


async def held(call: Call, request: pb.ReplayPriceRequest, at: datetime, known: datetime | None) -> Any:
    """The row of REPLAY for a request; its `entry` is None if there is none. Raises RESOURCE_NOT_FOUND."""
    rows = await call.fetch(REPLAY, request.price_book, request.charge, at, known)
    if not rows:
        raise not_found(request.price_book)
    return rows[0]


async def parent_of_book(call: Call, book: pb.PriceBook) -> PriceBook | None:
    """The book whose prices a book follows, which is as it is until the end of the unit; None if it follows none."""
    if not book.parent_book:
        return None
    parent = await call.repo(PriceBook).get(book.parent_book)
    call.unchanged(parent)  # else it could be retired at the same time
    return parent


async def heir_of(call: Call, book: PriceBook) -> str:
    """An active book whose prices follow from a book that is locked, "" if there is none."""
    return next((row["name"] for row in await call.fetch(HEIR, book.name)), "")


async def some_entries(call: Call, book: str, after: str = "") -> list[PriceEntry]:
    """The next entries of a book in the order of names; of all with "priceBooks/-"."""
    everywhere = book.endswith("/-")
    where, parameters = ("name>$2", [after]) if everywhere else ("name>$2 AND parent=$3", [after, book])
    return await call.repo(PriceEntry).select(where, parameters, limit=BATCH)


async def open_entries(call: Call, product: str) -> list[PriceEntry]:
    """Some entries of a product that are not closed; none once all are."""
    return await call.repo(PriceEntry).select("product=$2 AND NOT closed", [product], limit=BATCH)
