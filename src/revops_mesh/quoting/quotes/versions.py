"""Frozen versions of quotes: what was on offer, to the last field that was promised."""

from typing import Self

from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.aggregate import Aggregate
from revops_mesh.kernel.errors import Broken

from .content import content_hash


class QuoteVersion(Aggregate[pb.QuoteVersion]):
    """A quote as it was submitted."""

    state_type = pb.QuoteVersion

    @classmethod
    def frozen(cls, name: str, quote: pb.Quote) -> Self:
        """The version that is on offer."""
        version = cls(pb.QuoteVersion(name=name, quote=quote, partner=quote.partner, state=pb.QuoteVersion.STATE_CURRENT))
        for bookkeeping in ("etag", "update_time", "approval"):
            version.state.quote.ClearField(bookkeeping)
        return version

    def supersede(self) -> None:
        """A later version or another quote replaces it."""
        self.state.state = pb.QuoteVersion.STATE_SUPERSEDED

    def check(self) -> None:
        """It is what was submitted under its number, to the last field that was promised."""
        quote = self.state.quote
        if not self.state.state or self.name != f"{quote.name}/versions/{quote.version}" or self.state.partner != quote.partner:
            raise Broken(f"{self.name}: is version {quote.version} of {quote.name} for {quote.partner!r}")
        if not quote.content_hash or quote.content_hash != content_hash(quote):
            raise Broken(f"{self.name}: changed after it was frozen")
