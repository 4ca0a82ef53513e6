"""Sheds load before it costs anything: calls under way per process and per tenant.

It protects one process; what a tenant has bought is counted elsewhere. A noisy tenant never takes the places of a quiet
one, because a tenant's cap is below the process's.
"""

from uuid import UUID

from revops.platform.v1 import reasons_pb2 as platform

from .errors import refuse


class Limiter:
    """Counts calls under way. Not thread-safe; one event loop owns it."""

    def __init__(self, process: int = 256, tenant: int = 64, streams: int = 20) -> None:
        """Most unary calls under way in the process and of one tenant, and most streams of one tenant."""
        self.process, self.tenant, self.streams = process, tenant, streams
        self.under_way = 0
        self._calls: dict[int, int] = {}
        self._streams: dict[int, int] = {}

    def enter(self) -> None:
        """Takes a place in the process; refused with OVERLOADED."""
        if self.under_way >= self.process:
            raise refuse(platform.OVERLOADED, "The {scope} has too many calls under way.", scope="process").retry(1.0)
        self.under_way += 1

    def leave(self) -> None:
        """Gives the place in the process back."""
        self.under_way -= 1

    def enter_tenant(self, tenant: UUID, *, stream: bool = False) -> None:
        """Takes a place of the tenant; refused with OVERLOADED."""
        counts, most = (self._streams, self.streams) if stream else (self._calls, self.tenant)
        count = counts.get(tenant.int, 0)
        if count >= most:
            raise refuse(platform.OVERLOADED, "The {scope} has too many calls under way.", scope="tenant").retry(0.2)
        counts[tenant.int] = count + 1

    def leave_tenant(self, tenant: UUID, *, stream: bool = False) -> None:
        """Gives the tenant's place back."""
        counts = self._streams if stream else self._calls
        count = counts.pop(tenant.int)
        if count > 1:
            counts[tenant.int] = count - 1
