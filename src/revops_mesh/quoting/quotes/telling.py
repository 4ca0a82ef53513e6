"""What a quote tells others: its events, by its state."""

from revops.quoting.v1 import quotes_pb2 as pb
from revops.type.v1.money_pb2 import Money


def submitted(quote: pb.Quote) -> pb.QuoteSubmitted:
    """It is on offer."""
    return pb.QuoteSubmitted(
        quote=quote.name,
        version=quote.version,
        number=quote.number,
        account=quote.account,
        partner=quote.partner,
        net_amount=quote.totals.net_amount,
        content_hash=quote.content_hash,
        valid_until=quote.valid_until,
        margin=_margin(quote),
    )


def presented(quote: pb.Quote) -> pb.QuotePresented:
    """The customer was shown it."""
    return pb.QuotePresented(
        quote=quote.name,
        version=quote.version,
        account=quote.account,
        partner=quote.partner,
        content_hash=quote.content_hash,
    )


def accepted(quote: pb.Quote) -> pb.QuoteAccepted:
    """The customer agreed."""
    return pb.QuoteAccepted(
        quote=quote.name,
        version=quote.version,
        number=quote.number,
        account=quote.account,
        partner=quote.partner,
        net_amount=quote.totals.net_amount,
        content_hash=quote.content_hash,
        margin=_margin(quote),
    )


def superseded(quote: pb.Quote, by: str) -> pb.QuoteSuperseded:
    """Another version, or quote, replaces it."""
    return pb.QuoteSuperseded(quote=quote.name, version=quote.version, superseded_by=by, partner=quote.partner)


def _margin(quote: pb.Quote) -> Money | None:
    totals = quote.totals
    return Money(amount=totals.margin, currency_code=quote.currency_code) if totals.margin else None
