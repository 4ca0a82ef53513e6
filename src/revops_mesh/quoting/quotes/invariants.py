"""What always holds of a quote, beside its sums (`conservation`)."""

from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import Broken

from .approval import SETTLED
from .content import content_hash
from .states import OFFERED

_State = pb.Quote.State


def verify(quote: pb.Quote) -> None:
    """Raises `Broken` unless line ids are unique, and what is or was on offer is numbered, dated, judged and unchanged."""
    ids = [line.line_id for line in quote.lines]
    if not all(ids) or len(set(ids)) != len(ids):
        raise Broken(f"{quote.name}: line ids are missing or shared: {ids}")
    if quote.price_scope.account != quote.account:
        raise Broken(f"{quote.name}: priced for {quote.price_scope.account}, offered to {quote.account}")
    dated = bool(quote.number) and quote.HasField("expire_time") and quote.HasField("valid_until")
    if not quote.state or quote.version < 1 or (quote.version > 1 and not quote.number):
        raise Broken(f"{quote.name}: {_State.Name(quote.state)}, version {quote.version}, number {quote.number!r}")
    if quote.state in OFFERED and not (dated and quote.lines and quote.content_hash and not quote.stale_price_entry):
        raise Broken(f"{quote.name}: on offer without number, end, lines or hash, or with stale prices")
    if quote.state == _State.STATE_DRAFT and (quote.content_hash or quote.HasField("expire_time")):
        raise Broken(f"{quote.name}: a draft that promises something")
    judged = quote.approval.state
    if (quote.state in OFFERED) > bool(judged) or (quote.state == _State.STATE_ACCEPTED and judged not in SETTLED):
        raise Broken(f"{quote.name}: {_State.Name(quote.state)}, with approval {pb.QuoteApproval.State.Name(judged)}")
    if quote.state == _State.STATE_DRAFT and (judged or quote.HasField("present_time")):
        raise Broken(f"{quote.name}: a draft that was approved or presented")
    if quote.content_hash and quote.content_hash != content_hash(quote):
        raise Broken(f"{quote.name}: changed after it was submitted")
