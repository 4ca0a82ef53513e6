"""Quoting: what is offered, and at which price."""

from revops_mesh.kernel.modules import Module

from .quotes.domain import Quote
from .quotes.service import QuoteService
from .quotes.versions import QuoteVersion

MODULES = (
    # One entry a module.
    Module("revops.quoting.v1.QuoteService", QuoteService(), (Quote, QuoteVersion)),
)
