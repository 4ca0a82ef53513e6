"""No method shows or changes a row of another tenant, and each of the two walls between tenants is enough for that alone.

Each request first succeeds as its owner, and everything is put back. Then somebody of another tenant sends the very same
request: with both walls, with row-level security alone, with the predicate alone. With neither, the foreign call must reach
the owner's rows, or the proof would prove nothing.
"""

import random
from collections import Counter
from typing import Any

import pytest
from google.api import resource_pb2
from google.protobuf.message import Message

from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.errors import Failure
from revops_mesh.messaging import envelope
from tests.contract.methods import (
    METHODS,
    Method,
    attempt,
    changed,
    each,
    of_installation,
    owner_of,
    restore,
    rowless,
    send,
    settable,
    snapshot,
)
from tests.contract.stories import STORIES
from tests.world import Caller, World

SIDE_EFFECTS = {"kernel.audit", "kernel.replay"}
STANDING = ("both", "row security", "predicate")


def proof(method: Method) -> str:
    """What there is to prove of a method."""
    if of_installation(method):
        return "installation: closed to tenants by permission"
    if rowless(method):
        return "about the caller or for all: no row to isolate"
    if method.internal:
        return "reacting: isolated"
    if method.reads:
        return "reading: isolated"
    return "writing: isolated" if refers(method) else "creating from nothing: no row to isolate"


def refers(method: Method) -> bool:
    """Whether a request names something that is there already."""
    return any(
        path in ("name", "parent", "update_mask") or field.GetOptions().Extensions[resource_pb2.resource_reference].type
        for path, field in settable(method.request)
    )


def isolated(method: Method) -> bool:
    return proof(method).endswith(": isolated")


async def reached(caller: Caller, owner: Caller, method: Method, request: Message) -> Failure | bool:
    """Whether a call got at rows: it was answered with something, or changed the owner's rows, or made rows of them."""
    before, own = await snapshot(owner.world, owner.tenant), await snapshot(owner.world, caller.tenant)
    answers = await attempt(caller, method, request)
    if isinstance(answers, Failure):
        return answers
    if method.reads:
        return any(answer.ListFields() for answer in answers)
    if method.request.DESCRIPTOR.full_name == envelope.EVERY:  # it changes nothing but adds to the caller's rows what it read
        return bool(await owner.world.rows(caller.tenant, ["kernel.timer"]) != {"kernel.timer": 0})
    if not method.internal or changed(before, await snapshot(owner.world, owner.tenant)):
        return True
    return bool(set(changed(own, await snapshot(owner.world, caller.tenant))) - SIDE_EFFECTS)


async def told(method: Method, world: World) -> tuple[Caller, Message, Any]:
    """An owner, a request that has just succeeded for them, and their rows, which are again as they were before it."""
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    before = await snapshot(world, owner.tenant)
    assert await reached(owner, owner, method, request) is True
    await restore(world, owner.tenant, before)
    return owner, request, before


@pytest.mark.parametrize("standing", STANDING)
@each(isolated)
async def test_a_foreign_tenant_reaches_nothing(method: Method, standing: str, worlds: dict[str, World]) -> None:
    world = worlds[standing]
    owner, request, before = await told(method, world)
    outcome = await reached(await owner_of(world, method), owner, method, request)
    assert outcome is not True, "the foreign call got through"
    assert await snapshot(world, owner.tenant) == before
    if isinstance(outcome, Failure):
        assert outcome.reason == "RESOURCE_NOT_FOUND" or not names(method), outcome


@each(isolated)
async def test_without_both_walls_it_would(method: Method, worlds: dict[str, World]) -> None:
    world = worlds["none"]
    owner, request, _ = await told(method, world)
    assert await reached(await owner_of(world, method), owner, method, request) is True


@each(lambda method: proof(method).startswith("creating"))
async def test_what_creates_from_nothing_touches_nobody_else(method: Method, worlds: dict[str, World]) -> None:
    for world in worlds.values():
        owner, request, before = await told(method, world)
        foreign = await owner_of(world, method)
        assert await reached(foreign, foreign, method, request) is True
        assert await snapshot(world, owner.tenant) == before


def test_every_method_is_proven_one_way_or_another(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counter(map(proof, METHODS))
    with capsys.disabled():
        print(f"\nisolation of {len(METHODS)} methods:", "; ".join(f"{n} {what}" for what, n in sorted(counts.items())))
    assert counts.total() == len(METHODS) == len({method.full_name for method in METHODS})


@each(lambda method: method.policy.anonymous)
async def test_what_is_open_to_anyone_reaches_no_row(method: Method, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    request = await STORIES[method.full_name](world, await owner_of(world, method))
    for pool in (world.pools.app, world.pools.platform):
        monkeypatch.setattr(pool, "take", None)
    assert (await world.kernel.answer(method.path, request, Arrival({}))).ListFields()


def lists(method: Method) -> bool:
    return isolated(method) and "page_token" in method.request.DESCRIPTOR.fields_by_name


@each(lambda method: lists(method) and "filter" in method.request.DESCRIPTOR.fields_by_name)
async def test_a_filter_does_not_find_foreign_rows(method: Method, world: World) -> None:
    owner, request, _ = await told(method, world)
    listed: Any = (await send(owner, method, request))[0]
    name = getattr(listed, listed.DESCRIPTOR.fields[0].name)[0].name
    for text in (f'name = "{name}"', "create_time:*", 'NOT name = "x" OR name:*'):
        asked: Any = type(request)()
        asked.CopyFrom(request)
        asked.filter = text
        assert await reached(owner, owner, method, asked) is True
        assert await reached(await owner_of(world, method), owner, method, asked) is False


def names(method: Method) -> bool:
    return bool({"name", "parent", "update_mask"} & set(method.request.DESCRIPTOR.fields_by_name))


@each(lambda method: isolated(method) and names(method) and not method.internal and not method.streams)
async def test_a_foreign_name_answers_like_a_missing_one(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    update = "update_mask" in request.DESCRIPTOR.fields_by_name
    holder = getattr(request, request.DESCRIPTOR.fields[0].name) if update else request
    field = "name" if getattr(holder, "name", "") else "parent"
    foreign = await owner_of(world, method)
    there = await reached(foreign, owner, method, request)
    name = getattr(holder, field)
    segments = name.split("/")
    segments[1] = "".join(random.Random(0).choices("0123456789abcdef", k=len(segments[1])))
    missing = "/".join(segments)
    setattr(holder, field, missing)
    nowhere = await reached(foreign, owner, method, request)
    assert answer_of(there, name) == answer_of(nowhere, missing)


def answer_of(outcome: Failure | bool, name: str) -> object:
    return (outcome.reason, str(outcome).replace(name, "…")) if isinstance(outcome, Failure) else outcome
