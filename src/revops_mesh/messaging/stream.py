"""The JetStream stream `REVOPS`, which keeps every event for 30 days, and the connection of a process to it.

Durations are seconds. Source: NATS documentation, "Streams" and "Message Deduplication".
"""

import asyncio
import logging
from functools import partial
from typing import Any

from nats.aio.client import Client
from nats.errors import ConnectionReconnectingError
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from .publisher import Publisher

NAME = "REVOPS"
MAX_AGE = 30 * 86_400
DUPLICATE_WINDOW = 120

_log = logging.getLogger("revops.messaging")


class Stream:
    """Connects at the first use, reconnects for ever, and makes the stream if it is missing. One for the workers of a process."""

    def __init__(self, url: str, *, replicas: int = 1, **options: Any) -> None:
        """`url` may name several servers, comma separated; `options` go to `nats.connect`, as `user_credentials` or `tls`."""
        self._servers, self._options = url.split(","), options
        self._wanted: dict[str, Any] = {
            "subjects": ["revops.>"],
            "max_age": MAX_AGE,
            "duplicate_window": DUPLICATE_WINDOW,
            "num_replicas": replicas,
        }
        self._client = Client()
        self._context: JetStreamContext | None = None
        self._publisher = Publisher(self._client)
        self._ensured = self._wanted_once = False
        self._turn = asyncio.Lock()

    async def context(self) -> JetStreamContext:
        """JetStream with the stream in place; waits for the first connection.

        Raises `nats.errors.Error` while a later one is lost.
        """
        if not self._ensured or self._client.is_closed:
            async with self._turn:
                if self._context is None or self._client.is_closed:
                    self._context = await self._connect()
                if not self._ensured and self._client.is_connected:
                    await self._ensure(self._context)
        if self._context is None or not self._client.is_connected:
            raise ConnectionReconnectingError
        return self._context

    async def publisher(self) -> Publisher:
        """Publishes to the stream; waits and raises as `context`."""
        await self.context()
        return self._publisher

    def missed(self) -> None:
        """Has the stream looked for before the next use, and made if it is gone."""
        self._ensured = False

    async def close(self) -> None:
        """Closes the connection, if anybody ever asked for one: nats-py closes nothing that was not opened."""
        if self._wanted_once:
            await self._client.close()

    async def _connect(self) -> JetStreamContext:
        # Nothing is buffered while disconnected (pending_size): sent minutes later it may be a duplicate beyond the window.
        self._client, self._wanted_once = Client(), True
        await self._client.connect(
            self._servers, name="revops", max_reconnect_attempts=-1, reconnect_time_wait=1, ping_interval=10, pending_size=0,
            error_cb=self._note, disconnected_cb=partial(self._note, "connection lost"),
            reconnected_cb=partial(self._note, "connected again"), **self._options,
        )  # fmt: skip
        self._publisher = Publisher(self._client)
        await self._publisher.open()
        return self._client.jetstream()

    async def _ensure(self, context: JetStreamContext) -> None:
        """Creates the stream, or brings what we rely on to our values and leaves the rest as its operator set it."""
        try:
            config = (await context.stream_info(NAME)).config
        except NotFoundError:
            await context.add_stream(api.StreamConfig(name=NAME, storage=api.StorageType.FILE, **self._wanted))
        else:
            if any(getattr(config, field) != value for field, value in self._wanted.items()):
                await context.update_stream(config.evolve(**self._wanted))
        self._ensured = True

    async def _note(self, what: object) -> None:
        self._ensured = False
        if not self._client.is_closed:
            _log.warning("NATS: %s", what if isinstance(what, str) else repr(what))
