"""Whatever is sent over HTTP, the answer is an answer or a refusal of the caller: never a fault, and never a hang."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.gateway.rest.bridge import Bridge
from tests.contract.methods import Method, each, owner_of, public
from tests.contract.stories import STORIES
from tests.gateway.protojson.drawing import ODD, TEXTS, briefly, nearly
from tests.gateway.rest.calling import Answer, Rest, binding, transcoded
from tests.gateway.rest.conftest import rest_of
from tests.world import World

PATH = "/v1/quotes"
HEADERS = [
    "if-match", "if-none-match", "idempotency-key", "accept", "accept-encoding", "content-encoding", "authorization",
    "traceparent", "x-request-timeout", "grpc-timeout", "origin", "content-type",
]  # fmt: skip
VALUES = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=12)
SLOWEST = 20.0


async def tried(rest: Rest, verb: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
    async with asyncio.timeout(SLOWEST):
        answer = await rest(verb, path, body, **headers)
    assert answer.status < 500, (verb, path, body, headers, answer.raw)
    if answer.status >= 400:
        assert answer.reason
    return answer


@each(public)
async def test_no_request_that_is_nearly_right_makes_a_fault(method: Method, world: World, bridges: dict[str, Bridge]) -> None:
    owner = await owner_of(world, method)
    rest = rest_of(bridges["in process"], owner)
    verb, path, body = transcoded(binding(method.full_name), await STORIES[method.full_name](world, owner))
    sent: list[tuple[str, Any, Mapping[str, str]]] = []

    @briefly
    @given(st.binary() if isinstance(body, bytes) else nearly(body or {}), TEXTS, ODD, st.sampled_from(["", *HEADERS]), VALUES)
    def draw(document: Any, name: str, value: Any, header: str, text: str) -> None:
        query = "".join(f"%{byte:02X}" for byte in f"{name}={value}".encode()).replace("%3D", "=")
        joined = f"{path}{'&' if '?' in path else '?'}{query}"
        sent.append((joined, document if body is not None else None, {header: text} if header else {}))

    draw()
    for target, document, headers in sent:
        if not method.streams:
            await tried(rest, verb, target, document, headers)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1000 + b"]" * 1000,
        b'{"lines":' * 500 + b"1" + b"}" * 500,
        b'{"lines": [' + b",".join([b"{}"] * 100_000) + b"]}",
        b'{"termMonths": ' + b"9" * 100_000 + b"}",
        b'{"termMonths": "' + b"9" * 100_000 + b'"}',
        b'{"termMonths": 1e308}',
        b'{"termMonths": 1e400}',
        b'{"termMonths": -0.0}',
        b'{"termMonths": NaN}',
        b'{"displayName": "\xff\xfe"}',
        b'{"displayName": "\\ud800"}',
        b'{"displayName": "\\u0000"}',
        b'{"displayName": "a", "displayName": "b"}',
        b'{"displayName": "a", "display\\u004eame": "b"}',
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"",
        b"null",
        b"0",
        b'"text"',
        b"\x00",
        b'{"' + b"x" * 100_000 + b'": 1}',
        b'{"createTime": {"seconds": 1}}',
        b'{"createTime": "9999-12-31T23:59:59.999999999999Z"}',
        b'{"createTime": "0000-01-01T00:00:00Z"}',
        b'{"validUntil": {"year": 99999}}',
        b'{"lines": [{"quantity": "1e999999"}]}',
        b'{"lines": [{"quantity": "' + b"9" * 10_000 + b'"}]}',
    ],
)  # fmt: skip
async def test_no_hostile_body_makes_a_fault(body: bytes, bridge: Bridge, world: World) -> None:
    answer = await tried(rest_of(bridge, await world.caller()), "POST", PATH, body, {})
    assert answer.status == 400
    assert len(answer.raw) < 8192


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/quotes/%00", 400),
        ("/v1/quotes/%FF", 400),
        ("/v1/quotes/%2E%2E%2Fproducts", 400),
        ("/v1/quotes/..", 400),
        ("/v1/quotes/" + "x" * 10_000, 400),
        ("/v1/quotes/%F0%9F%98%80", 400),
        ("/v1/quotes?filter=" + "(" * 5000, 400),
        ("/v1/quotes?pageSize=-1", 400),
        ("/v1/quotes?pageToken=%00", 400),
        ("/v1/quotes?" + "&" * 500, 200),
        ("/v1/quotes?=", 400),
        ("/v1/quotes?filter", 200),
        ("/%", 404),
        ("/%zz", 404),
    ],
)  # fmt: skip
async def test_no_hostile_address_makes_a_fault(path: str, status: int, bridge: Bridge, world: World) -> None:
    assert (await tried(rest_of(bridge, await world.caller()), "GET", path, None, {})).status == status


async def test_no_hostile_credential_makes_a_fault(bridge: Bridge, world: World) -> None:
    for value in ["Bearer", "Bearer ", "Basic x", "Bearer \xff", "Bearer " + "x" * 9000, "Bearer a.b.c", "\x7f"]:
        answer = await tried(Rest(bridge, {"authorization": value}), "GET", PATH, None, {})
        assert answer.status in (400, 401)


async def test_duplicates_are_named(bridge: Bridge, world: World) -> None:
    rest = rest_of(bridge, await world.caller())
    for body in [b'{"displayName": "a", "displayName": "b"}', b'{"displayName" : ":", "displayName" : "\\u003a"}']:
        refused = await rest("POST", PATH, body)
        (violation,) = refused.detail("BadRequest")["fieldViolations"]
        assert violation == {"field": "displayName", "description": "occurs twice"}
    nested = await rest("POST", PATH, b'{"lines": [{"quantity": "1", "quantity": "2"}]}')
    assert nested.detail("BadRequest")["fieldViolations"][0]["description"] == "occurs twice"
