"""Reactions: every event to every internal rpc that takes it, at least once; the replay table makes that exactly once.

Each rpc has a durable pull consumer of its own, shared by all processes. Order is not assumed. What fails comes again after a
delay; after eight deliveries it becomes a dead letter, and later events have long proceeded. Durations are seconds.
"""

import asyncio
import logging
from collections.abc import Awaitable
from functools import partial
from uuid import UUID

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import api

from revops_mesh.kernel.contract import Method
from revops_mesh.kernel.names import derived, new_uuid
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.pools import Pool

from . import envelope, stream
from .delivery import ATTEMPTS, DELAYS, Delivery, delay
from .worker import Counts, cancelled, expected, repeat

ACK_WAIT = 45.0
"""After so long without an answer a message is delivered again; the kernel ends a call after 30."""
FETCH_WAIT = 2.0

_log = logging.getLogger("revops.messaging")


class Reactions:
    """Listens for every reaction that a kernel serves; at most `concurrency` run at once."""

    def __init__(
        self, kernel: Kernel, pool: Pool, events: stream.Stream, counts: Counts, *, concurrency: int = 8,
        delays: tuple[float, ...] = DELAYS, ack_wait: float = ACK_WAIT, no_inbox: bool = False,
    ) -> None:  # fmt: skip
        """`pool` is of the `relay` login, for dead letters.

        `no_inbox` applies redelivered events again on purpose: for the tests that must notice it, never for use.
        """
        self._kernel, self._pool, self._events, self._counts = kernel, pool, events, counts
        self._delays, self._ack_wait, self._no_inbox = delays, ack_wait, no_inbox
        self._concurrency, self._slots = concurrency, asyncio.Semaphore(concurrency)

    async def run(self) -> None:
        """Reacts until cancelled."""
        never = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for method in (each for methods in self._kernel.reactions.values() for each in methods):
                group.create_task(repeat(partial(self._listen, method, group), never.wait, method.full_name))
            await never.wait()

    async def _listen(self, method: Method, group: asyncio.TaskGroup) -> bool:
        """Makes the consumer if it is missing, then takes messages until the connection fails."""
        self._events.missed()
        context = await self._events.context()
        config = api.ConsumerConfig(ack_wait=self._ack_wait, max_deliver=-1)
        subject = envelope.subject("*", method.request.DESCRIPTOR.full_name)
        subscription = await context.pull_subscribe(subject, consumer(method), stream.NAME, config)
        try:
            while not cancelled():
                try:
                    messages = await subscription.fetch(self._concurrency, FETCH_WAIT)
                except TimeoutError:
                    continue
                if cancelled():
                    break
                for message in messages:
                    await self._slots.acquire()
                    group.create_task(self._deliver(method, message))
            return True
        finally:
            await _sent(subscription.unsubscribe())

    async def _deliver(self, method: Method, message: Msg) -> None:
        """Runs the method for a message, answers the stream and frees a slot; raises nothing."""
        try:
            if (delivery := self._read(method, message)) is None:
                self._counts.dead += 1
                await _sent(message.term())
            elif not (problem := await delivery.attempted(self._kernel)):
                self._counts.reacted += 1
                await _sent(message.ack())
            elif await self._buried(delivery, problem):
                self._counts.dead += 1
                await _sent(message.term())
            else:
                self._counts.retried += 1
                await _sent(message.nak(delay(self._delays, delivery.attempt)))
        except asyncio.CancelledError:
            await _sent(message.nak())  # another process may have it at once
            raise
        finally:
            self._slots.release()

    def _read(self, method: Method, message: Msg) -> Delivery | None:
        try:
            headers = message.headers or {}
            tenant, event = UUID(message.subject.split(".")[1]), envelope.received(headers)
            request = envelope.request(method.request.DESCRIPTOR.full_name, headers, message.data)
        except (KeyError, ValueError) as error:
            _log.error("a message under %s is no event of ours: %r", message.subject, error)
            return None
        request_id = new_uuid() if self._no_inbox else derived("event", event.id, method.full_name)
        attempt, trace = message.metadata.num_delivered, headers.get("traceparent", "")
        return Delivery(tenant, request_id, method, request, trace, attempt, event)

    async def _buried(self, delivery: Delivery, problem: str) -> bool:
        """Whether it was the last attempt and a dead letter is kept; while the store takes none, the event comes again."""
        if delivery.attempt < ATTEMPTS:
            return False
        try:
            async with self._pool.acquire() as connection:
                await delivery.bury(connection, problem)
        except Exception as error:
            _log.error("no dead letter for %s: %r", delivery.request_id, error, exc_info=not expected(error))
            return False
        return True


def consumer(method: Method) -> str:
    """The durable name of a reaction's consumer."""
    return method.full_name.replace(".", "_")


async def _sent(answer: Awaitable[object]) -> None:
    """Answers the stream. If that is lost the message comes again, and then it is a replay."""
    try:
        await answer
    except NatsError as error:
        _log.warning("an answer to the stream was lost: %r", error)
