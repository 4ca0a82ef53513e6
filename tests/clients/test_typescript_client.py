"""The TypeScript client against a member and a scripted server: pages, tokens, retries, deadlines, streams, types."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from revops.catalog.v1 import products_pb2 as pb

from revops_mesh.contracts.workspace import Refused
from tests.clients.conftest import NewToken
from tests.clients.relay import relay
from tests.clients.scripted import Answer, scripted
from tests.clients.typescript import HERE, Project
from tests.runtime.calling import Running

Ask = Callable[..., Awaitable[Any]]
UNAVAILABLE, EXHAUSTED, ABORTED = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED
PUSHBACK = "grpc-retry-pushback-ms"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("typescript"))
    made.compile(behaviour=(HERE / "behaviour.ts").read_text())
    return made


@pytest.fixture
def ask(project: Project) -> Ask:
    """Runs one behaviour against an address, with tokens."""

    async def asked(what: str, address: str, *tokens: str) -> Any:
        return json.loads(await project.output("behaviour", what, f"http://{address}", *tokens))

    return asked


async def test_iteration_meets_everything_once_while_others_insert(ask: Ask, serving: Running, token: NewToken) -> None:
    told = await ask("pages", serving.address, await token())
    assert told["met"] == [f"products/{name}" for name in ("m1", "m2", "m3", "m4", "m5", "z1", "z2")]
    assert told["sizes"] == [4, 4, 1]


async def test_a_refused_token_is_replaced_once_for_all_calls(ask: Ask, serving: Running, token: NewToken) -> None:
    assert (await ask("refresh", serving.address, await token(seconds=-60), await token()))["asked"] == 2
    told = await ask("refresh", serving.address, "bad", "worse")
    assert (told["reason"], told["code"], told["asked"]) == ("CREDENTIALS_INVALID", "Unauthenticated", 2)


async def test_a_refused_stream_raises_the_refusal(ask: Ask, serving: Running, token: NewToken) -> None:
    told = await ask("stream", serving.address, await token())
    assert (told["reason"], told["metadata"]) == ("RESOURCE_NOT_FOUND", {"name": "priceBooks/none"})


@pytest.mark.parametrize(
    "answers",
    [[UNAVAILABLE] * 2, [(EXHAUSTED, {PUSHBACK: "10"})] * 4, [(ABORTED, {PUSHBACK: "10"})]],
    ids=["a member that is away", "a member that is busy", "contention"],
)
async def test_what_was_not_done_is_sent_again_as_it_was(ask: Ask, answers: list[Answer]) -> None:
    async with scripted(*answers, pb.Product(name="products/p")) as server:
        told = await ask("create", server.address)
    sent = [pb.CreateProductRequest.FromString(call.body) for call in server.received]
    assert (told["name"], told["untouched"]) == ("products/p", True)
    assert len(sent) == len(answers) + 1
    assert sent.count(sent[0]) == len(sent)
    assert sent[0].request_id


async def test_a_call_outlives_a_member_that_is_away(ask: Ask, serving: Running, token: NewToken) -> None:
    async with relay(None) as way:
        change = asyncio.create_task(ask("create", way.address, await token()))
        await way.tried.wait()
        way.backend = serving.address
        told = await change
        assert told.get("name", "").startswith("products/"), told


@pytest.mark.parametrize("answer", [(ABORTED, {PUSHBACK: "-1"}), grpc.StatusCode.INTERNAL], ids=str)
async def test_what_cannot_succeed_is_sent_once(ask: Ask, answer: Answer) -> None:
    async with scripted(answer) as server:
        told = await ask("create", server.address)
    assert len(server.received) == 1
    assert told["code"] in ("Aborted", "Internal")
    assert told["requestId"] == pb.CreateProductRequest.FromString(server.received[0].body).request_id


async def test_a_call_ends_at_its_deadline_and_has_one_if_it_says_nothing(ask: Ask) -> None:
    async def never(_: bytes) -> pb.Product:
        await asyncio.Event().wait()
        raise AssertionError

    async with scripted(pb.Product(), never) as server:
        await ask("create", server.address)
        assert (await ask("late", server.address))["code"] == "DeadlineExceeded"
    default, own = [call.remaining or 0.0 for call in server.received]
    assert own < 1.0 < default < 12.0


async def test_nothing_is_sent_in_the_clear_to_another_machine(ask: Ask) -> None:
    assert "baseUrl: calls to revops.example would be readable" in (await ask("elsewhere", "127.0.0.1:1"))["error"]


WRONG = {
    "await revops.quoting.quotes.createQuote({ qoute: {} })": "'qoute' does not exist in type",
    "revops.quoting.quotes.createQuote({ quote: { termMonths: '12' } })": "Type 'string' is not assignable to type 'number'",
    "await revops.quoting.quotes.sendQuote({})": "Property 'sendQuote' does not exist",
    "(await revops.quoting.quotes.getQuote({ name: 'quotes/q' })).nmae": "Property 'nmae' does not exist",
    "for await (const quote of each(revops.quoting.quotes.listQuotes, {})) quote.sku": "Property 'sku' does not exist on type",
}
BEFORE = 'import { connect, each } from "@revops/client"; each; const revops = connect({ baseUrl: "http://localhost" });\n'


def test_a_wrong_request_does_not_compile(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.compile(right=f"{BEFORE}await revops.quoting.quotes.createQuote({{ quote: {{ termMonths: 12 }} }});")
    with pytest.raises(Refused, match="tsc refuses") as refused:
        project.compile(**{f"wrong{i}": f"{BEFORE}{wrong};" for i, wrong in enumerate(WRONG)})
    for i, said in enumerate(WRONG.values()):
        assert any(line.startswith(f"wrong{i}.ts(2,") and said in line for line in refused.value.problems), refused.value
