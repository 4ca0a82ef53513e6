"""One trace from the caller over every process to the last consequence, as a collector sees it."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from revops.catalog.v1 import price_books_pb2 as books
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import tenants_pb2 as tenants
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel import clock
from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.local.demo.prices import per_unit
from revops_mesh.local.ports import free_port
from revops_mesh.local.postgres import Postgres
from tests.bench.world import offers, stock
from tests.journeys.servers import environ, until
from tests.journeys.topologies import TOKENS, Installation, installation
from tests.runtime.calling import METHODS, ROOT
from tests.runtime.collector import Collector, collecting

SERVER, CLIENT, CONSUMER = 2, 3, 5
KINDS = {SERVER: "SERVER", CLIENT: "CLIENT", CONSUMER: "CONSUMER"}


@dataclass
class Caller:
    """Somebody whose calls are the beginning of traces."""

    installation: Installation
    token: str

    async def __call__(self, request: Message, trace: str = "") -> Any:
        method = METHODS[request.DESCRIPTOR.full_name]
        channel = self.installation.channels[method.capability]
        call: Any = channel.unary_unary(method.path, method.request.SerializeToString, method.response.FromString)
        metadata = [("authorization", f"Bearer {self.token}")]
        if trace:
            metadata.append(("traceparent", f"00-{trace}-00f067aa0ba902b7-01"))
        return await call(request, metadata=metadata, timeout=20)


@dataclass
class Traced:
    """The spans of one trace."""

    spans: list[Any]

    def told(self, parent: str = "00f067aa0ba902b7", depth: int = 0) -> Iterator[str]:
        """The tree below a span, a line each, in the order of their begin."""
        for span in sorted(self.spans, key=lambda each: int(each.start_time_unix_nano)):
            if span.parent_span_id.hex() == parent:
                yield f"{'  ' * depth}{KINDS[span.kind]} {span.name.removeprefix('revops.')}"
                yield from self.told(span.span_id.hex(), depth + 1)


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as opened:
        yield opened


ASKED, REACTED = "a" * 32, "b" * 32


@pytest.mark.timeout(180)
async def test_a_trace_goes_through_gateway_questions_events_and_timers(
    postgres: Postgres, template: str, collector: Collector, tmp_path: Path
) -> None:
    async with installation(TOKENS, postgres, template, tmp_path, REVOPS_OTLP_ENDPOINT=collector.address) as opened:
        async with gateway(opened.running["quoting"].address, collector) as at:
            await _journey(opened, at)
        for running in opened.running.values():
            assert await asyncio.to_thread(running.stop) == 0
    of = {trace: Traced([s for s in collector.spans if s.trace_id.hex() == trace]) for trace in (ASKED, REACTED)}
    assert list(of[ASKED].told()) == [
        "SERVER quoting.v1.QuoteService.CreateQuote",
        "  SERVER quoting.v1.QuoteService.CreateQuote",
        "    CLIENT catalog.v1.PriceBookService.ResolvePrices",
        "      SERVER catalog.v1.PriceBookService.ResolvePrices",
    ]
    assert list(of[REACTED].told()) == [
        "SERVER catalog.v1.PriceBookService.CreatePriceEntry",
        "  CONSUMER quoting.v1.QuoteService.OnPriceEntrySuperseded",
        "    CONSUMER quoting.v1.QuoteService.MarkStaleQuotes",
    ]
    assert len(collector.spans) == sum(len(trace.spans) for trace in of.values()), "nothing else was sampled"
    documented = dict(re.findall(r"^\| ([A-Z]+) \|.*\| ([^|]+) \|$", (ROOT / "docs/telemetry.md").read_text(), re.MULTILINE))
    for span in collector.spans:
        assert {each.key for each in span.attributes} == set(re.findall(r"`([a-z._]+)`", documented[KINDS[span.kind]]))


@asynccontextmanager
async def gateway(member: str, collector: Collector) -> AsyncIterator[str]:
    """The URL of a gateway in a process of its own; it ends with all spans sent."""
    at = f"127.0.0.1:{free_port()}"
    settings = {"REVOPS_MEMBER": member, "REVOPS_HTTP_ADDRESS": at, "REVOPS_OTLP_ENDPOINT": collector.address}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "revops_mesh.cli", "gateway", env={**environ(), **settings}, cwd=ROOT
    )
    try:
        async with httpx.AsyncClient() as client:

            async def serves() -> bool:
                with suppress(httpx.TransportError):
                    return (await client.get(f"http://{at}/healthz")).status_code == 200
                return False

            await until(serves, 30, "the gateway serves")
        yield f"http://{at}"
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()


async def quoted(at: str, anna: Caller, request: quotes.CreateQuoteRequest) -> str:
    """The name of a quote that somebody asks for over REST, in a trace of their own."""
    headers = {"authorization": f"Bearer {anna.token}", "traceparent": f"00-{ASKED}-00f067aa0ba902b7-01"}
    async with httpx.AsyncClient(headers=headers) as client:
        answer = await client.post(f"{at}/v1/quotes", json=MessageToDict(request.quote))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["name"])


async def _journey(opened: Installation, at: str) -> None:
    """Somebody is quoted a price, which soon changes."""
    issuer = opened.issuer
    root = Caller(opened, issuer.issue("users/root", PLATFORM_TENANT, ["platform-admin"]))
    wanted = tenants.Tenant(display_name="Traced", edition=options.EDITION_ENTERPRISE)
    tenant = UUID(hex=(await root(tenants.CreateTenantRequest(tenant=wanted))).uid)
    anna = Caller(opened, issuer.issue("users/anna", tenant, ["admin"]))
    plans = await stock(anna, 1)
    name = await quoted(at, anna, next(offers(plans, 1)))
    (book,) = (await anna(books.ListPriceBooksRequest())).price_books
    entry = books.PriceEntry(charge=f"{plans[0]}/charges/seat", pricing=per_unit("12.00"))
    entry.valid_from.CopyFrom(clock.timestamp(clock.now() + timedelta(seconds=2)))  # so that a timer waits for it
    await anna(books.CreatePriceEntryRequest(parent=book.name, price_entry=entry), REACTED)

    async def noticed() -> bool:
        return bool((await anna(quotes.GetQuoteRequest(name=name))).stale_price_entry)

    await until(noticed, 60, "the quote is stale")
