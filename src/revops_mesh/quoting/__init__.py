"""Quoting: what is offered, and at which price."""

from revops_mesh.kernel.modules import Module

from .quotes.domain import Quote
from .quotes.service import QuoteService
from .quotes.versions import QuoteVersion

MODULES = (Module("revops.quoting.v1.QuoteService", QuoteService(), (Quote, QuoteVersion)),)
"""Quotes: see the contract."""
