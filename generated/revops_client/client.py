# Generated from the contracts: never edited, `make proto` writes it anew.
"""A connection to a member, and on it every capability."""

from __future__ import annotations

from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING

from revops_rpc.connection import Connection
from revops_rpc.operations import Operations, Progress, Result, Running

if TYPE_CHECKING:
    from revops_client.catalog.v1 import CatalogServices
    from revops_client.platform.v1 import PlatformServices
    from revops_client.quoting.v1 import QuotingServices


class Revops(Connection):
    """A connection to a member, as in `Revops("127.0.0.1:7050", token="…")`; each attribute is a capability."""

    SERVICE_CONFIG = files(__package__).joinpath("service_config.json").read_text()

    @cached_property
    def catalog(self) -> CatalogServices:
        """revops.catalog.v1: `products`, `price_books`. Its messages are imported when it is first used."""
        from revops_client.catalog.v1 import CatalogServices

        return CatalogServices(self.calls)

    @cached_property
    def platform(self) -> PlatformServices:
        """revops.platform.v1: `roles`, `service_accounts`, `audit`, `dead_letters`, `exports`, `files`,
        `imports`, `operations`, `legal_entities`, `exchange_rates`, `business_calendars`, `tenants`,
        `tokens`, `webhooks`. Its messages are imported when it is first used.
        """
        from revops_client.platform.v1 import PlatformServices

        return PlatformServices(self.calls)

    @cached_property
    def quoting(self) -> QuotingServices:
        """revops.quoting.v1: `quotes`, `approvals`. Its messages are imported when it is first used."""
        from revops_client.quoting.v1 import QuotingServices

        return QuotingServices(self.calls)

    async def operation(
        self, name: str, result: type[Result], progress: type[Progress]
    ) -> Running[Result, Progress]:
        """An operation that was started before, by its name; the types are those of the method that started
        it.
        """
        return await Operations(self.calls, "/revops.platform.v1.OperationService/", 3).found(name, result, progress)
