"""The page for partners is true: its receivers take a real delivery, and nothing else."""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from revops.platform.v1 import webhooks_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.local.ports import free_port
from revops_mesh.platform.webhooks.deliveries import SCHEDULE
from tests.messaging.running import eventually
from tests.platform.webhooks.desk import QUOTES, Desk
from tests.platform.webhooks.receiver import Received, Receiver

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
ENABLED, DELIVERED = 2, 2


def block(language: str, holding: str) -> str:
    """The block of the page in a language that holds some text."""
    found = [each for each in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if holding in each]
    assert len(found) == 1
    return found[0]


@asynccontextmanager
async def program(*command: str, **environ: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environ}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_receiver_in_python_is_verified_and_gets_events(desk: Desk, tmp_path: Path) -> None:
    anna, port, path = await desk.caller(), free_port(), tmp_path / "receiver.py"
    path.write_text(block("python", "standardwebhooks"))
    offer = pb.WebhookEndpoint(display_name="x", url=f"http://127.0.0.1:{port}/hooks", event_types=QUOTES, roles=["viewer"])
    endpoint = await anna(pb.CreateWebhookEndpointRequest(webhook_endpoint=offer))
    async with program(sys.executable, str(path), WEBHOOK_SECRET=endpoint.secret, PORT=str(port)) as receiver, desk.working():
        await eventually(lambda: _open(port))
        await anna(pb.VerifyWebhookEndpointRequest(name=endpoint.name))
        await desk.state_of(anna, endpoint.name, ENABLED)
        event = await desk.happens(anna.tenant, quotes.QuoteExpired(quote="quotes/q", version=3), "quotes/q", revision=4)
        await desk.state_of(anna, f"{endpoint.name}/deliveries/{event}", DELIVERED)
        assert receiver.stdout is not None
        said = await receiver.stdout.readuntil(b"version': 3}\n")
    assert "revops.quoting.v1.QuoteExpired quotes/q 4.0 {'quote': 'quotes/q', 'version': 3}" in said.decode()


async def _open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def delivered(desk: Desk, receiver: Receiver) -> tuple[Received, str]:
    """A real request, and the secret that signed it."""
    anna = await desk.caller()
    async with desk.working():
        endpoint = await desk.registered(anna, receiver)
        await desk.happens(anna.tenant, quotes.QuoteExpired(quote="quotes/ä"))
        (received,) = await eventually(receiver.events)
    return received, endpoint.secret


def forgeries(received: Received) -> dict[str, Received]:
    """The request with something else in it."""
    changes: dict[str, Mapping[str, str]] = {
        "id": {"webhook-id": "0" * 32},
        "time": {"webhook-timestamp": str(int(received.headers["webhook-timestamp"]) + 1)},
        "signature": {"webhook-signature": "v1,AAAA v2,x"},
    }
    found = {what: replace(received, headers={**received.headers, **change}) for what, change in changes.items()}
    return {**found, "body": replace(received, body=received.body.replace("ä", "ö"))}


async def test_the_shell_tells_a_genuine_request_from_forged_ones(desk: Desk, receiver: Receiver, tmp_path: Path) -> None:
    received, secret = await delivered(desk, receiver)
    for what, each in {"genuine": received, **forgeries(received)}.items():
        (tmp_path / "body.json").write_text(each.body)
        names = ("id", "timestamp", "signature")
        environ = {f"WEBHOOK_{name.upper()}": each.headers[f"webhook-{name}"] for name in names}
        script = f"cd {tmp_path}\n{block('sh', 'openssl')}"
        async with program("sh", "-c", script, WEBHOOK_SECRET=secret, **environ) as shell:
            said, _ = await shell.communicate()
        assert said.decode().strip() == ("genuine" if what == "genuine" else "forged"), what


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
async def test_typescript_tells_a_genuine_request_from_forged_ones(desk: Desk, receiver: Receiver, tmp_path: Path) -> None:
    received, secret = await delivered(desk, receiver)
    old = replace(received, headers={**received.headers, "webhook-timestamp": "1"})
    each = {"genuine": received, **forgeries(received), "old": old}
    requests = {what: [secret, request.headers, request.body] for what, request in each.items()}
    untyped = re.sub(r": (string|boolean|Record<string, string>)(?=[,) ])", "", block("typescript", "isGenuine"))
    judged = "JSON.stringify(Object.fromEntries(Object.entries(requests).map(([what, each]) => [what, isGenuine(...each)])))"
    (tmp_path / "receiver.mjs").write_text(f"{untyped}\nconst requests = {json.dumps(requests)};\nconsole.log({judged});")
    async with program("node", str(tmp_path / "receiver.mjs")) as node:
        said, _ = await node.communicate()
    assert json.loads(said) == {what: what == "genuine" for what in requests}


def test_the_page_names_the_schedule() -> None:
    units = {"s": 1, "min": 60, "h": 3600}
    (said,) = re.findall(r"sent again after (.*?), each", PAGE.replace("\n", " "))
    assert [int(n) * units[unit] for n, unit in re.findall(r"(\d+) (s|min|h)\b", said)] == [d.total_seconds() for d in SCHEDULE]


def test_what_it_links_to_is_there() -> None:
    for path in re.findall(r"\]\((?!http)([^)#]+)\)", PAGE):
        assert (Path(__file__).parents[3] / "docs" / path).exists(), path
