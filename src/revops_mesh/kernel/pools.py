"""Connections to PostgreSQL by login: `app` serves tenants, `platform` serves the installation.

A connection keeps nothing between units (everything is SET LOCAL), so giving one back costs no round trip.
"""

from typing import Any

import asyncpg

STATEMENTS = 500
"""Prepared statements kept a connection."""


async def _nothing(connection: Any) -> None:
    """In place of asyncpg's reset, which costs a round trip."""


async def open_pool(dsn: str, login: str, size: int) -> Any:
    """A pool of at most `size` connections for one login; locks wait 2 s, statements run 30 s at most."""
    return await asyncpg.create_pool(
        dsn,
        user=login,
        min_size=min(2, size),
        max_size=size,
        reset=_nothing,
        statement_cache_size=STATEMENTS,
        max_inactive_connection_lifetime=0,
        server_settings={
            "application_name": f"revops {login}",
            "lock_timeout": "2s",
            "statement_timeout": "30s",
            "idle_in_transaction_session_timeout": "60s",
        },
    )


class LoginPools:
    """The pools of a process that serves."""

    def __init__(self, app: Any, platform: Any) -> None:
        self.app, self.platform = app, platform

    @classmethod
    async def open(cls, dsn: str, size: int = 16) -> "LoginPools":
        """Opens both; the platform's has two connections."""
        return cls(await open_pool(dsn, "revops_app", size), await open_pool(dsn, "revops_platform", 2))

    async def close(self) -> None:
        """Closes both when their connections are given back."""
        await self.app.close()
        await self.platform.close()
