"""Which verbs fit which states of a quote."""

from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.aggregate import transition

_State = pb.Quote.State
OPEN = frozenset({_State.STATE_DRAFT, _State.STATE_SUBMITTED})
OFFERED = frozenset({_State.STATE_SUBMITTED, _State.STATE_ACCEPTED, _State.STATE_REJECTED, _State.STATE_EXPIRED})
"""States that only a quote with a current version has."""

ALLOWED: dict[str, frozenset[int]] = {
    "update": frozenset({_State.STATE_DRAFT}),
    "reprice": frozenset({_State.STATE_DRAFT}),
    "delete": frozenset({_State.STATE_DRAFT}),
    "submit": frozenset({_State.STATE_DRAFT}),
    "revise": frozenset({_State.STATE_SUBMITTED}),
    "accept": frozenset({_State.STATE_SUBMITTED}),
    "present": frozenset({_State.STATE_SUBMITTED}),
    "reject": frozenset({_State.STATE_SUBMITTED}),
    "expire": frozenset({_State.STATE_SUBMITTED}),
    "withdraw": OPEN,
    "supersede": OPEN,
    "replace another": OPEN | {_State.STATE_ACCEPTED},
}
"""States in which each verb is possible."""


def must_allow(quote: pb.Quote, verb: str) -> None:
    """Raises QUOTE_STATE unless the state allows the verb."""
    transition(quote.state, ALLOWED[verb], pb.Quote.State, pb.QuoteReason, pb.QUOTE_STATE, verb=verb, quote=quote.name)
