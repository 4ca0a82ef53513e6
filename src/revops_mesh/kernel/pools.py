"""Connections to PostgreSQL by login: `app` serves tenants, `platform` serves the installation.

A connection keeps nothing between units (everything is SET LOCAL), so taking and giving one back costs no round trip, and no
task when one is idle; asyncpg's own pool costs 40 µs a unit more.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from revops.platform.v1 import reasons_pb2 as platform

from .errors import refuse

STATEMENTS = 500
"""Prepared statements kept a connection."""

_log = logging.getLogger("revops.pool")

OWNER, APP, RELAY, PLATFORM = "revops_owner", "revops_app", "revops_relay", "revops_platform"
"""The logins: who migrates, serves, publishes, and writes what the installation owns. None may bypass row-level security."""


class Pool:
    """At most `size` connections of one login, opened when needed.

    Who waits is served in turns between tenants: however many units of a noisy one wait, a quiet one's is the next but one.
    """

    def __init__(self, dsn: str, login: str, size: int) -> None:
        self._dsn, self._login = dsn, login
        self.size = size
        self.open = 0
        """Connections that are open or being opened."""
        self._idle: list[Any] = []
        self._waiting: dict[Hashable, deque[asyncio.Future[Any]]] = {}
        self._closed = False

    @property
    def idle(self) -> int:
        """Connections that nobody uses."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Units that wait for a connection."""
        return sum(map(len, self._waiting.values()))

    async def take(self, tenant: Hashable = None, seconds: float = 5.0) -> Any:
        """A connection; OVERLOADED after so many seconds, the driver's error if the store does not answer."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self.open -= 1
        try:
            async with asyncio.timeout(seconds):
                if self.open < self.size and not self._waiting:
                    return await self._connect()
                return await self._handed(tenant) or await self._connect()
        except TimeoutError:
            raise refuse(platform.OVERLOADED, "The {scope} waits for the store.", scope="process").retry(1.0) from None

    async def _handed(self, tenant: Hashable) -> Any:
        """The connection that another unit hands over; None is leave to open one."""
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, deque()).append(place)
        try:
            return await place
        except BaseException:
            if not place.done() or place.cancelled():
                self._forget(tenant, place)
            elif place.result() is not None:
                self.give(place.result())
            else:
                self._hand(None)
            raise

    def _forget(self, tenant: Hashable, place: asyncio.Future[Any]) -> None:
        places = self._waiting.get(tenant)
        if places is not None and place in places:
            places.remove(place)
            if not places:
                del self._waiting[tenant]

    def _hand(self, connection: Any) -> bool:
        """Gives a connection, or leave to open one, to the tenant whose turn it is; False if nobody waits."""
        while self._waiting:
            tenant = next(iter(self._waiting))
            places = self._waiting.pop(tenant)
            place = places.popleft()
            if places:
                self._waiting[tenant] = places
            if not place.done():
                place.set_result(connection)
                return True
        return False

    async def _connect(self) -> Any:
        self.open += 1
        try:
            return await asyncpg.connect(
                self._dsn,
                user=self._login,
                statement_cache_size=STATEMENTS,
                max_cached_statement_lifetime=0,
                server_settings={
                    "application_name": f"revops {self._login}",
                    "lock_timeout": "2s",
                    "statement_timeout": "30s",
                    "idle_in_transaction_session_timeout": "60s",
                },
            )
        except BaseException:
            self.open -= 1
            self._hand(None)
            raise

    def give(self, connection: Any) -> None:
        """Takes a connection back; a closed one only makes room."""
        if connection.is_closed() or self._closed:
            self.open -= 1
            connection.terminate()
            self._hand(None)
        elif not self._hand(connection):
            self._idle.append(connection)

    @asynccontextmanager
    async def acquire(self, seconds: float = 5.0) -> AsyncIterator[Any]:
        """A connection for a block; one that is left inside a transaction is closed."""
        connection = await self.take(seconds=seconds)
        try:
            yield connection
        except asyncio.CancelledError:
            connection.terminate()  # cancelled in the middle of BEGIN it would come back inside a transaction
            raise
        finally:
            if not connection.is_closed() and connection.is_in_transaction():
                _log.warning("a connection of %s came back inside a transaction", self._login)
                connection.terminate()
            self.give(connection)

    async def close(self) -> None:
        """Closes idle connections, and the others when they are given back."""
        self._closed = True
        while self._idle:
            self.open -= 1
            await self._idle.pop().close()


async def open_pool(dsn: str, login: str, size: int) -> Pool:
    """A pool whose first connection has been made; locks wait 2 s, statements run 30 s at most."""
    pool = Pool(dsn, login, size)
    pool.give(await pool.take())
    return pool


class LoginPools:
    """The pools of a process that serves."""

    def __init__(self, app: Pool, platform: Pool) -> None:
        self.app, self.platform = app, platform

    @classmethod
    async def open(cls, dsn: str, size: int = 16) -> "LoginPools":
        """Opens both; the platform's has two connections."""
        app = await open_pool(dsn, APP, size)
        try:
            return cls(app, await open_pool(dsn, PLATFORM, 2))
        except BaseException:
            await app.close()
            raise

    async def close(self) -> None:
        """Closes both."""
        await self.app.close()
        await self.platform.close()
