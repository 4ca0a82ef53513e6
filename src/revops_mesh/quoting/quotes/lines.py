"""The lines of a quote before they are priced: their ids, and what of them decides a price."""

import re
from collections.abc import Iterable

from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import Failure

_NUMBER = re.compile(r"[1-9][0-9]{0,8}").fullmatch


def assign_ids(lines: Iterable[pb.QuoteLine], last: int) -> int:
    """Gives every line without an id the next free number and returns the largest number ever in use.

    `last` is what the call before returned, 0 at first. An id is never given twice, even if its line was removed: charge
    keys are made of it and outlive the quote. Raises QUOTE_LINE_DUPLICATE.
    """
    unnamed, seen = [], set()
    for line in lines:
        if not line.line_id:
            unnamed.append(line)
            continue
        if line.line_id in seen:
            raise Failure(pb.QuoteReason, pb.QUOTE_LINE_DUPLICATE, "Two lines have the id {line}.", line=line.line_id)
        seen.add(line.line_id)
        if _NUMBER(line.line_id):
            last = max(last, int(line.line_id))
    for line in unnamed:
        last += 1
        line.line_id = str(last)
    return last


def terms(quote: pb.Quote) -> tuple[object, ...]:
    """What decides the prices of a quote beside its currency, which never changes: equal terms need no new prices."""
    scope = quote.price_scope
    lines = [(line.line_id, line.rate_plan, line.quantity, *_discount(line)) for line in quote.lines]
    return quote.account, scope.segment, scope.channel, scope.region_code, lines


def _discount(line: pb.QuoteLine) -> tuple[str | None, str]:
    kind = line.WhichOneof("discount")
    return kind, getattr(line, kind) if kind else ""


def keep_prices(changed: pb.Quote, stored: pb.Quote) -> None:
    """Gives lines of equal terms the stored prices, which an update (AIP-134) leaves out because callers cannot set them."""
    for new, old in zip(changed.lines, stored.lines, strict=True):
        description = new.description
        new.CopyFrom(old)
        new.description = description
