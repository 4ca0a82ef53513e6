"""Gateways and members with a bridge as processes of their own, and a client of many connections that never gives up."""

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from tests.runtime.calling import Running

CLI = "revops_mesh.cli"


@contextmanager
def process(said: str, environ: Mapping[str, str], *command: str) -> Iterator[Running]:
    """A `revops` command that runs until it has said something and then on."""
    running = Running(environ, CLI, *command)
    try:
        running.await_line(said)
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def asked(address: str, verb: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of one answer. Raises `OSError` or `HTTPException` when there is none."""
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(verb, path, None if body is None else json.dumps(body), {"content-type": "application/json", **sent})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(text) if text else None
    finally:
        connection.close()


class Load:
    """Callers that create products one after the other, and repeat a call that was not answered with the same key."""

    def __init__(self, addresses: list[str], token: str) -> None:
        self.addresses = addresses
        self.headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self.answered, self.repeated = 0, 0
        self.enough = False

    @asynccontextmanager
    async def running(self, callers: int = 8) -> AsyncIterator[None]:
        """Calls on until the end of the block."""
        with ThreadPoolExecutor(callers) as threads:
            calling = [threads.submit(self._call_on, caller) for caller in range(callers)]
            try:
                yield
            finally:
                self.enough = True
            await asyncio.gather(*map(asyncio.wrap_future, calling))

    async def grow(self, by: int = 50, seconds: float = 60.0) -> None:
        """Returns when so many more calls are answered."""
        wanted, deadline = self.answered + by, monotonic() + seconds
        while self.answered < wanted:
            assert monotonic() < deadline, f"{self.answered} calls were answered, {self.repeated} repeated"
            await asyncio.sleep(0.02)

    def _call_on(self, caller: int) -> None:
        """On a connection that stays open until either side closes it."""
        at, connection = caller, http.client.HTTPConnection(self.addresses[caller % len(self.addresses)], timeout=20)
        while not self.enough:
            headers = {**self.headers, "idempotency-key": str(uuid4())}
            while True:
                try:
                    connection.request("POST", "/v1/products", b'{"displayName": "Vault"}', headers)
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 200:
                        self.answered += 1
                        break
                    assert answer.status == 503, answer.status
                except (OSError, http.client.HTTPException):
                    connection.close()
                    at += 1
                    connection = http.client.HTTPConnection(self.addresses[at % len(self.addresses)], timeout=20)
                self.repeated += 1
                sleep(0.01)
        connection.close()
