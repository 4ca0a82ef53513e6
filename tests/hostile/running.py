"""A run: a member process over PostgreSQL, stories of every method, and so many hostile requests at both doors at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from joserfc.jwk import KeySet
from revops.catalog.v1 import products_pb2 as products

from revops_mesh.local.ports import free_port
from tests.contract import hostile
from tests.contract.methods import METHODS, Method, owner_of, public, settable
from tests.contract.stories import STORIES
from tests.gateway.rest.calling import binding
from tests.hostile.calls import Call, Calls
from tests.hostile.doors import GrpcDoor, Report, RestDoor
from tests.hostile.https import Http, Https
from tests.hostile.spoiling import Spoiling
from tests.runtime.calling import Running, member_process, secret
from tests.world import AUDIENCE, ISSUER, World

FRESH = 60
"""Attacks on one story's request before another story is told: what was accepted may have changed what it is about."""
AT_ONCE = 48
"""Requests under way."""
LIST = "/revops.catalog.v1.ProductService/ListProducts"

Send = Callable[[], Awaitable[None]]


@dataclass
class Member:
    """A member process with both doors."""

    running: Running
    rest: str

    @property
    def faults(self) -> list[str]:
        """What its log holds against it."""
        return [line for line in self.running.lines if '"level":"error"' in line or "Traceback" in line or '"fault' in line]


@contextmanager
def member(world: World, folder: Path, module: str = "tests.runtime.member_process") -> Iterator[Member]:
    """A member over the database of a world, which trusts its tokens."""
    (folder / "jwks.json").write_text(json.dumps(KeySet([world.key]).as_dict(private=False)))
    rest = f"127.0.0.1:{free_port()}"
    environ = {
        "REVOPS_DATABASE_URL": world.dsn,
        "REVOPS_ISSUER": ISSUER,
        "REVOPS_AUDIENCE": AUDIENCE,
        "REVOPS_JWKS": str(folder / "jwks.json"),
        "REVOPS_PAGE_TOKEN_SECRETS": secret(),
        "REVOPS_REST_ADDRESS": rest,
        "REVOPS_POOL_SIZE": "40",
        # So that what a header says of addresses is looked at.
        "REVOPS_TRUSTED_PROXIES": "127.0.0.1/32",
    }
    with member_process(environ, module) as running:
        yield Member(running, rest)


class Hostilities:
    """Attacks that follow from a seed, through both doors of a member."""

    def __init__(self, world: World, at: Member, seed: int, methods: Sequence[Method] = METHODS) -> None:
        self._world, self._at, self._seed = world, at, seed
        self._methods = [method for method in methods if public(method)]
        self.report = Report()

    async def run(self, count: int, by_schema: Iterable[Http] = ()) -> Report:
        """Sends so many requests, half of them to each door, and those that were made by the document of the REST door.

        Afterwards the sane are answered, and the log tells of no fault.
        """
        async with GrpcDoor(self._at.running.address, self.report) as calls, _Rests(self._at.rest, self.report) as https:
            await _crowded(self._sends(calls, https, -(-count // 2 // len(self._methods))))
            anna = await self._world.caller()
            await _crowded(_plainly(https, by_schema, anna.token))
            await calls.send(Call("sane", LIST, [products.ListProductsRequest().SerializeToString()]), anna.token)
            await https.send(Http("sane", "GET", "/v1/products"), anna.token)
        self.report.problems += [f"log: {line}" for line in self._at.faults]
        return self.report

    async def _sends(self, calls: GrpcDoor, https: "_Rests", share: int) -> AsyncIterator[Send]:
        """Of each method so many attacks on each door, each on a request that would succeed."""
        for method in self._methods:
            spoiling = Spoiling(hostile.cases(settable(method.request)), Random(f"{self._seed} {method.full_name}"))
            malice, over_http = Calls(method, spoiling), Https(binding(method.full_name), spoiling)
            for begun in range(0, share, FRESH):
                owner = await owner_of(self._world, method)
                request: Any = await STORIES[method.full_name](self._world, owner)
                made = islice(zip(malice.of(request), over_http.of(request), strict=True), min(FRESH, share - begun))
                for call, http in made:
                    yield partial(calls.send, call, owner.token)
                    yield partial(https.send, http, owner.token)


class _Rests:
    """As many connections to the REST door as requests are under way."""

    def __init__(self, address: str, report: Report) -> None:
        self._free = [RestDoor(address, report) for _ in range(AT_ONCE + 1)]

    async def __aenter__(self) -> "_Rests":
        return self

    async def send(self, http: Http, token: str) -> None:
        """Sends it over a connection that nobody uses."""
        door = self._free.pop()
        try:
            await door.send(http, token)
        finally:
            self._free.append(door)

    async def __aexit__(self, *_: object) -> None:
        for door in self._free:
            await door.close()


async def _plainly(door: _Rests, https: Iterable[Http], token: str) -> AsyncIterator[Send]:
    for http in https:
        yield partial(door.send, http, token)
        await asyncio.sleep(0)


async def _crowded(sends: AsyncIterator[Send]) -> None:
    """Sends all, so many at a time."""
    waiting: asyncio.Queue[Send | None] = asyncio.Queue(AT_ONCE)

    async def work() -> None:
        while (send := await waiting.get()) is not None:
            await send()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
        async for send in sends:
            await waiting.put(send)
        for _ in range(AT_ONCE):
            await waiting.put(None)


def _cases(method: Method) -> list[tuple[str, hostile.Change]]:
    return hostile.cases(settable(method.request))
