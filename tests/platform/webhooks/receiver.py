"""A receiver of webhooks: a real HTTP server that keeps what it gets and answers as a test wants."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook

Answer = Callable[["Received"], Awaitable[web.StreamResponse] | web.StreamResponse]


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def event(self) -> dict[str, Any]:
        """The body as the event that it is."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed_with(self, secret: str) -> bool:
        """Whether one of the signatures is of a secret, whatever the time: tests shift the clock, and the library does not."""
        moment = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        return Webhook(secret).sign(self.id, moment, self.body) in self.headers["webhook-signature"].split(" ")


def meets_challenges(received: Received) -> web.Response:
    """What a well-behaved receiver answers."""
    event = received.event
    if event["type"] == "revops.platform.v1.WebhookVerification":
        return web.json_response({"challenge": event["data"]["challenge"]})
    return web.Response(status=204)


@dataclass(eq=False)
class Receiver:
    """The server; `answer` may be replaced at any time."""

    url: str = ""
    answer: Answer = meets_challenges
    received: list[Received] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @asynccontextmanager
    async def open(cls, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator["Receiver"]:
        """Listens on a free port of loopback."""
        receiver = cls()
        server = web.Server(receiver._taken, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, host, 0, ssl_context=tls)
        await site.start()
        receiver.url = f"http{'s' if tls else ''}://{host}:{runner.addresses[0][1]}/hooks"
        try:
            yield receiver
        finally:
            await runner.cleanup()

    async def _taken(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.path, headers, (await request.read()).decode())
        self.received.append(received)
        self.came.set()
        answer = self.answer(received)
        return await answer if isinstance(answer, Awaitable) else answer

    def events(self) -> list[Received]:
        """What it got beside challenges."""
        return [each for each in self.received if each.event["type"] != "revops.platform.v1.WebhookVerification"]


def always(status: int, **headers: str) -> Answer:
    """Answers everything with a status, but challenges as it should."""

    def answer(received: Received) -> web.Response:
        if received.event["type"] == "revops.platform.v1.WebhookVerification":
            return meets_challenges(received)
        return web.Response(status=status, text="no" * 2000, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer
