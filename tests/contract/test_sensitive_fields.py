"""Personal and secret values stay where they are stored: no bytes of events, audit, replays, timers or logs hold them."""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from revops_mesh.kernel.contract import facts
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_id
from tests.contract.hostile import put
from tests.contract.methods import (
    KINDS,
    Method,
    Snapshot,
    attempt,
    each,
    inside,
    owner_of,
    send,
    set_sensitive,
    settable,
    snapshot,
    values,
)
from tests.contract.stories import STORIES
from tests.world import World

PERSONAL, SECRET = options.Field.DATA_CLASS_PERSONAL, options.Field.DATA_CLASS_SECRET
CLOSED = ("kernel.outbox", "kernel.audit", "kernel.timer", "kernel.dead_letter", "kernel.counter", "kernel.series")
"""Tables that never hold either; a replay may hold what is personal, and is erased with it."""


def sensitive(message: type[Message]) -> list[tuple[str, FieldDescriptor]]:
    return [(path, field) for path, field in settable(message) if facts(field).data_class]


def holding(field: FieldDescriptor, text: str) -> Any:
    """A value of a field's type that holds a text."""
    if field.message_type is not None:
        return HttpBody(data=text.encode())
    return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text


def found(rows: Snapshot, tables: Any, value: str) -> list[str]:
    """The tables whose rows hold a text, plain or as bytes."""
    forms = (value, value.encode().hex())
    return [table for table in tables if any(form in row for row in rows[table] for form in forms)]


async def stored(world: World, tenant: Any, wanted: list[int]) -> set[str]:
    """The sensitive values in a tenant's resources."""
    texts: set[str] = set()
    for kind in KINDS:
        if any(facts(field).data_class in wanted for _, field in inside(kind.message)):
            for row in await world.owner.fetch(f"SELECT body FROM {kind.sql} WHERE tenant_id=$1", tenant):
                texts.update(set_sensitive(kind.message.FromString(row["body"]), wanted))
    return texts


@pytest.fixture
def lines(world: World, caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Every line that a call writes: access lines and whatever is logged."""
    written: list[str] = []
    caplog.set_level(logging.DEBUG)
    world.kernel.observer.write = lambda line: written.append(msgspec.json.encode(line).decode())
    yield written
    world.kernel.observer.write = None


@each(lambda method: not method.reads)
async def test_a_change_spreads_nothing_sensitive(
    method: Method, world: World, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    markers = {path: f"{new_id()}@secret.example" for path, _ in sensitive(method.request)}
    for path, field in sensitive(method.request):
        assert values(request, path), f"the story of {method.full_name} leaves {path} empty"
        put(request, path, holding(field, markers[path]), 1)
    if method.has_request_id:
        request.request_id = str(uuid4())
    answers = await send(owner, method, request)
    rows = await snapshot(world, owner.tenant)
    secrets = await stored(world, owner.tenant, [SECRET]) | {v for a in answers for v in set_sensitive(a, [SECRET])}
    everything = secrets | await stored(world, owner.tenant, [PERSONAL]) | set(markers.values())
    for value in everything:
        assert not found(rows, CLOSED, value), f"{value} is where it must not be"
        assert not any(value in line for line in [*lines, caplog.text])
    for value in secrets:
        assert not found(rows, ("kernel.replay",), value), f"{value} can be replayed"
    for path, marker in markers.items():
        assert found(rows, rows, marker), f"{path} was not stored at all: the search finds nothing"
    assert any(method.full_name in line for line in lines) or method.internal


@each(lambda method: not method.internal and bool(sensitive(method.request)))
async def test_a_refusal_repeats_nothing_sensitive(
    method: Method, world: World, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    for path, field in sensitive(method.request):
        for form in ("{} no @ address", "{}" * 20, "{}\0", "{}\n"):
            marker, hostile = new_id(), type(request)()
            hostile.CopyFrom(request)
            put(hostile, path, holding(field, form.replace("{}", marker)), 1)
            outcome = await attempt(owner, method, hostile)
            said = outcome.status().SerializeToString() if isinstance(outcome, Failure) else b""
            assert marker.encode() not in said, f"{path}: the refusal repeats it"
            assert not any(marker in line for line in [*lines, caplog.text]), f"{path}: a log line repeats it"


@each()
async def test_secrets_are_shown_by_what_makes_them_and_by_nothing_else(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    for answer in await send(owner, method, request):
        shown = [
            path
            for path, field in inside(type(answer))
            if facts(field).data_class == SECRET and any(values(answer, path))
            if not (method.name.startswith(("Create", "Issue", "Rotate")) and field.type == FieldDescriptor.TYPE_STRING)
        ]
        assert not shown


def makes_a_secret(method: Method) -> bool:
    secret = any(facts(field).data_class == SECRET for _, field in inside(method.response))
    return secret and method.name.startswith(("Create", "Issue", "Rotate"))


@each(makes_a_secret)
async def test_what_makes_a_secret_shows_it_once_and_stores_it_nowhere(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    request.request_id = str(uuid4())
    (answer,) = await send(owner, method, request)
    (secret,) = set_sensitive(answer, [SECRET])
    assert len(secret) >= 40
    rows = await snapshot(world, owner.tenant)
    assert not found(rows, rows, secret)
    (again,) = await send(owner, method, request)
    assert not set_sensitive(again, [SECRET])
