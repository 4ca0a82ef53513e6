"""Load from a process of its own: sellers who create quotes as an ordinary client does, with the policy of docs/mesh.md.

`python -m tests.mesh.load ORDERS`, a JSON file of `Orders`; says "begun" after the first answer, and at SIGTERM how it went.
"""

import asyncio
import json
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import grpc
import msgspec
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel import clock
from tests.bench.world import offers

ROOT = Path(__file__).parents[2]
CREATE = "/revops.quoting.v1.QuoteService/CreateQuote"
CALLS_A_CHANNEL = 10
PAUSE = 0.02
RECONNECT = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 2_000))


class Orders(msgspec.Struct, frozen=True):
    """What the load is told to do; files are read again for every call or channel, as a client reads mounted secrets."""

    address: str
    credentials: list[str]
    """A file for each seller, with its token or API key."""
    plans: list[str]
    roots: str = ""
    """The authority of the servers' certificates; "" for no TLS."""
    pair: str = ""
    """The client's certificate and key in one file."""


@dataclass
class Outcome:
    """What came of it."""

    answered: int = 0
    channels: int = 0
    lost: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begun = asyncio.Event()


def policy() -> str:
    """The service config that is recommended to clients."""
    found = re.search(r"```json\n(.+?)```", (ROOT / "docs" / "mesh.md").read_text(), re.DOTALL)
    assert found is not None
    return json.dumps(json.loads(found[1]))


class Seller:
    """Creates one quote after the other; `fresh` opens a new connection for every tenth."""

    def __init__(self, orders: Orders, number: int, outcome: Outcome) -> None:
        self._orders, self._outcome, self._fresh = orders, outcome, number > 0
        self._credential = Path(orders.credentials[number])
        self._requests: Iterator[quotes.CreateQuoteRequest] = offers(orders.plans, 2)

    async def work(self, stop: asyncio.Event) -> None:
        """Until told to stop."""
        while not stop.is_set():
            async with self._channel() as channel:
                self._outcome.channels += 1
                left = CALLS_A_CHANNEL
                while not stop.is_set() and (left or not self._fresh):
                    left -= 1
                    await self._call(channel)

    def _channel(self) -> grpc.aio.Channel:
        options = (("grpc.service_config", policy()), *RECONNECT, ("grpc.use_local_subchannel_pool", 1))
        if not self._orders.roots:
            return grpc.aio.insecure_channel(self._orders.address, options)
        pair = Path(self._orders.pair).read_bytes()
        credentials = grpc.ssl_channel_credentials(Path(self._orders.roots).read_bytes(), pair, pair)
        return grpc.aio.secure_channel(self._orders.address, credentials, options)

    async def _call(self, channel: grpc.aio.Channel) -> None:
        create: Any = channel.unary_unary(CREATE, quotes.CreateQuoteRequest.SerializeToString, quotes.Quote.FromString)
        metadata = (("authorization", f"Bearer {self._credential.read_text()}"),)
        try:
            await create(next(self._requests), metadata=metadata, timeout=20)
            self._outcome.answered += 1
            self._outcome.begun.set()
        except grpc.aio.AioRpcError as error:
            self._outcome.lost.append(f"{clock.now():%H:%M:%S.%f} {error.code().name}: {error.details()}")
        await asyncio.sleep(PAUSE)


async def work(orders: Orders) -> Outcome:
    """All sellers at once, until SIGTERM."""
    stop, outcome = asyncio.Event(), Outcome()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncio.TaskGroup() as group:
        for number in range(len(orders.credentials)):
            group.create_task(Seller(orders, number, outcome).work(stop))
        await outcome.begun.wait()
        print("begun", flush=True)
    return outcome


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(work(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Orders))))), flush=True)
