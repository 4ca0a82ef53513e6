"""Health (`grpc.health.v1`): "" means that the process serves, a service that its database is migrated and answered within 5 s.

NATS and other members never count, and checks are never shed, because an overloaded process is not a dead one.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import suppress
from time import monotonic
from typing import Any

import asyncpg
import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from revops_mesh.kernel.pools import APP

FRESH_SECONDS, PROBE_SECONDS, ANSWER_SECONDS, POLL_SECONDS = 5.0, 1.0, 2.0, 0.5
SILENT = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What the driver raises when PostgreSQL does not answer or takes nobody in."""

Status = HealthCheckResponse
_log = logging.getLogger("revops.health")


class Health:
    """The servicer, and the probe of the database that it tells of."""

    def __init__(self, services: Collection[str], dsn: str, migrated: Callable[[str], Awaitable[bool]]) -> None:
        """`migrated` tells of a DSN whether its database is at the newest revision."""
        self._services, self._dsn, self._migrated = frozenset(services), dsn, migrated
        self._connection: Any = None  # not of the pool, which says nothing about PostgreSQL when calls have emptied it
        self._answered, self._current = float("-inf"), False
        self._draining = asyncio.Event()

    def status(self, service: str) -> int:
        """SERVING, NOT_SERVING, or SERVICE_UNKNOWN for a service that is not served here."""
        if service and service not in self._services:
            return Status.SERVICE_UNKNOWN
        ready = not service or (self._current and monotonic() - self._answered < FRESH_SECONDS)
        return Status.SERVING if ready and not self._draining.is_set() else Status.NOT_SERVING

    def drain(self) -> None:
        """Announces NOT_SERVING for everything; watchers hear it and are let go."""
        self._draining.set()

    async def Check(self, request: HealthCheckRequest, context: Any) -> HealthCheckResponse:
        status = self.status(request.service)
        if status == Status.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"{request.service} is not served here.")
        return HealthCheckResponse(status=status)

    async def Watch(self, request: HealthCheckRequest, context: Any) -> AsyncIterator[HealthCheckResponse]:
        sent: int = Status.UNKNOWN
        while True:
            draining, status = self._draining.is_set(), self.status(request.service)
            if status != sent:
                sent = status
                yield HealthCheckResponse(status=status)
            if draining:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._draining.wait(), POLL_SECONDS)

    async def run(self) -> None:
        """Probes until cancelled."""
        try:
            while True:
                await self.probe()
                await asyncio.sleep(PROBE_SECONDS)
        finally:
            self._disconnect()

    async def probe(self) -> None:
        """Asks PostgreSQL whether it is there, and until it is so, whether it is migrated."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._connection is None:
                    self._connection, self._current = await asyncpg.connect(self._dsn, user=APP), False
                if not self._current:
                    self._current = await self._migrated(self._dsn)
                await self._connection.execute("SELECT 1")
            self._answered = monotonic()
        except SILENT as error:
            _log.warning("PostgreSQL does not answer: %s", str(error) or type(error).__name__)
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
