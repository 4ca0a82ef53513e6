"""REST is gRPC: every method's request of its story gets the same answer over HTTP, and every refusal the same words."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from revops_mesh.gateway.rest.bridge import Bridge
from revops_mesh.kernel.contract import described
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import PLATFORM_TENANT, new_uuid
from revops_mesh.kernel.walk import without_secrets
from tests.contract import people
from tests.contract.methods import Method, attempt, each, guarded, of_installation, owner_of, public, refusal, send, writes
from tests.contract.stories import STORIES
from tests.gateway.rest.calling import Answer, Rest, binding, transcoded
from tests.gateway.rest.conftest import rest_of
from tests.world import FREE, Caller, World

BEARER = 'Bearer realm="revops"'
INSTANT = re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+Z")


async def over_http(bridge: Bridge, caller: Caller | None, method: Method, request: Message) -> Answer:
    rest = rest_of(bridge, caller) if caller is not None else Rest(bridge)
    content: Any = getattr(request, "content", None)
    media = {"content_type": content.content_type or "text/plain"} if isinstance(content, HttpBody) else {}
    return await rest(*transcoded(binding(method.full_name), request), **media)


def same_refusal(answer: Answer, failure: Failure) -> None:
    """Message and every detail are the same, but for the instant of the call."""
    status = json_format.MessageToDict(failure.status())
    theirs = {"message": status["message"], "details": status["details"]}
    ours = {name: answer.error[name] for name in theirs}
    ours, theirs = (json.loads(INSTANT.sub("now", json.dumps(each, sort_keys=True))) for each in (ours, theirs))
    assert ours == theirs


async def streamed(caller: Caller, method: Method, *requests: Message) -> list[Any]:
    """The answer to a stream of requests."""

    async def stream() -> AsyncIterator[Message]:
        for request in requests:
            yield request

    return [await caller.world.kernel.intake(method.path, stream(), caller.arrival())]


@each(public)
async def test_the_request_of_a_story_is_answered_alike(method: Method, world: World, bridge: Bridge) -> None:
    """Writes are answered once by gRPC and replayed to REST, which holds only if the request it read is the same."""
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    if method.has_request_id:
        request.request_id = str(new_uuid())
    else:
        assert method.reads, "a write that cannot be repeated"
    answers = await (streamed(owner, method, request) if method.intake else send(owner, method, request))
    answer = await over_http(bridge, owner, method, request)
    assert answer.status == 200, answer.raw
    if method.response is HttpBody:
        assert answer.raw == b"".join(body.data for body in answers)
        assert answer.headers["content-type"] == answers[0].content_type
        return
    documents = answer.lines if method.streams else [answer.json]
    if clear := without_secrets(method.response):
        for each_answer in answers:
            clear(each_answer)
    assert documents == [json_format.MessageToDict(message) for message in answers]
    assert answer.headers["content-type"] == ("application/x-ndjson" if method.streams else "application/json")
    if "etag" in described(method.response).fields_by_name and not method.streams:
        assert answer.headers["etag"] == f'"{documents[0]["etag"]}"'


@each(guarded)
async def test_nobody_and_somebody_without_the_permission_are_refused_alike(
    method: Method, world: World, bridges: dict[str, Bridge]
) -> None:
    bridge, owner = bridges["in process"], await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    nobody = await over_http(bridge, None, method, request)
    assert (nobody.status, nobody.reason, nobody.headers["www-authenticate"]) == (401, "CREDENTIALS_MISSING", BEARER)
    if of_installation(method):  # its callers have no roles of a tenant
        eve = await world.caller("admin", "seller", tenant=PLATFORM_TENANT)
    else:
        eve = await people.lacking(world, owner.tenant, method.policy.permission)
    refused = await over_http(bridge, eve, method, request)
    assert (refused.status, refused.reason) == (403, "PERMISSION_REQUIRED")
    same_refusal(refused, await refusal(eve, method, request))


@each(lambda method: method.policy.edition > options.EDITION_FREE and guarded(method) and not of_installation(method))
async def test_an_edition_below_is_refused_alike(method: Method, world: World, bridge: Bridge) -> None:
    request = await STORIES[method.full_name](world, await owner_of(world, method))
    poor = await owner_of(world, method, FREE)
    refused = await over_http(bridge, poor, method, request)
    assert (refused.status, refused.reason) == (400, "EDITION_REQUIRED")
    same_refusal(refused, await refusal(poor, method, request))


@each(lambda method: public(method) and not of_installation(method) and not method.streams)
async def test_somebody_elses_resource_is_not_found_alike(method: Method, world: World, bridge: Bridge) -> None:
    """Whatever gRPC says to a stranger of another tenant, REST says too."""
    request = await STORIES[method.full_name](world, await owner_of(world, method))
    # Two of them, for what the first creates may be there only once.
    expected = await attempt(await owner_of(world, method), method, request)
    answer = await over_http(bridge, await owner_of(world, method), method, request)
    if isinstance(expected, Failure):
        same_refusal(answer, expected)
    else:
        assert answer.status == 200


@each(lambda method: writes(method) and not method.intake)
async def test_a_request_id_that_was_used_for_something_else_is_a_conflict(
    method: Method, world: World, bridges: dict[str, Bridge]
) -> None:
    """By header: the same key twice is a replay, with another request a conflict."""
    owner, key = await owner_of(world, method), str(new_uuid())
    verb, path, body = transcoded(binding(method.full_name), await STORIES[method.full_name](world, owner))
    rest = Rest(bridges["in process"], {**rest_of(bridges["in process"], owner).headers, "idempotency-key": key})
    first, again = await rest(verb, path, body), await rest(verb, path, body)
    assert (first.status, again.status) == (200, 200), first.raw
    if not without_secrets(method.response):
        assert first.json == again.json
    conflict = await rest("POST", "/v1/products", {"displayName": "Other"})
    if of_installation(method):
        assert conflict.status in (200, 400, 403)
    else:
        assert (conflict.status, conflict.reason) == (400, "REQUEST_ID_CONFLICT")


@pytest.mark.parametrize("path", ["/v1/quotes/x:expire", "/v1/quotes/x:expireQuote", "/v1/quotes:markStale"])
async def test_internal_methods_cannot_be_reached(path: str, bridge: Bridge, world: World) -> None:
    rest = rest_of(bridge, await world.caller())
    assert (await rest("POST", path, {})).status == 404
