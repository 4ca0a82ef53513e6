"""Pipelined publication to JetStream: many messages are sent before the first acknowledgement is awaited.

In place of nats-py's `publish_async`, which in 2.16 never hands a refusal to who awaits it (its callback raises it instead) and
takes a cancellation for an error. Durations are seconds. Source: NATS documentation, "JetStream wire API", publish acks.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from itertools import count

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js.errors import NoStreamResponseError

NO_RESPONDERS = "503"


class Refused(NatsError):
    """The stream refuses a message."""

    def __init__(self, code: int, description: str) -> None:
        """`code` is JetStream's `err_code`, as 10054 for a message that is too large."""
        super().__init__(f"{description} ({code})")
        self.code = code


class _Batch:
    """What became of the messages of one pipeline; `done` when of all."""

    __slots__ = ("done", "errors", "missing")

    def __init__(self, size: int) -> None:
        self.errors: list[Exception | None] = [TimeoutError("no acknowledgement")] * size
        self.missing = size
        self.done = asyncio.get_running_loop().create_future()

    def settle(self, position: int, error: Exception | None) -> None:
        self.errors[position] = error
        self.missing -= 1
        if not self.missing and not self.done.done():
            self.done.set_result(None)


class Publisher:
    """Publishes over a connection, on which it takes all acknowledgements with one subscription."""

    def __init__(self, client: Client) -> None:
        self._client, self._inbox = client, client.new_inbox()
        self._batches: dict[str, _Batch] = {}
        self._serial = count()

    async def open(self) -> None:
        """Subscribes; the client renews that when it reconnects."""
        await self._client.subscribe(f"{self._inbox}.*.*", cb=self._answered)

    async def publish(self, messages: Sequence[tuple[str, bytes, Mapping[str, str]]], seconds: float) -> list[Exception | None]:
        """The error of each message (subject, body, headers), None if it was acknowledged within so many seconds."""
        batch, token = _Batch(len(messages)), str(next(self._serial))
        self._batches[token] = batch
        try:
            for position, (subject, body, headers) in enumerate(messages):
                try:
                    # The server hangs up on who sends more than it takes, and nats-py does not count headers.
                    if len(body) + sum(len(k) + len(v) + 4 for k, v in headers.items()) + 12 > self._client.max_payload:
                        raise MaxPayloadError
                    await self._client.publish(subject, body, f"{self._inbox}.{token}.{position}", dict(headers))
                except (NatsError, ValueError) as error:
                    batch.settle(position, error)
            await asyncio.wait([batch.done], timeout=seconds)
        finally:
            del self._batches[token]
        return batch.errors

    async def _answered(self, message: Msg) -> None:
        _, token, position = message.subject.rsplit(".", 2)
        if (batch := self._batches.get(token)) is not None:
            batch.settle(int(position), _error_of(message))


def _error_of(message: Msg) -> Exception | None:
    if message.headers and message.headers.get("Status") == NO_RESPONDERS:
        return NoStreamResponseError()
    if b'"error"' not in message.data:
        return None
    error = json.loads(message.data)["error"]
    return Refused(error["err_code"], error["description"])
