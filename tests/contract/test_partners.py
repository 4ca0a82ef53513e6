"""A partner sees and changes its own rows and no others, and of everything else only what its contract opens to partners."""

from collections import Counter
from typing import Any

import pytest
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from revops_mesh.kernel.contract import facts
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_id
from tests.contract.making import house
from tests.contract.methods import (
    KINDS,
    METHODS,
    Method,
    attempt,
    each,
    guarded,
    of_installation,
    owner_of,
    refusal,
    restore,
    rowless,
    send,
    settable,
    snapshot,
    writes,
)
from tests.contract.stories import STORIES
from tests.world import Caller, World

STANDING = ("both", "row security", "predicate")


def closed(method: Method) -> bool:
    return guarded(method) and not method.policy.partner_visible and not method.partner_scoped and not of_installation(method)


def scoped(method: Method) -> bool:
    """It works on rows that belong to partners."""
    return guarded(method) and method.partner_scoped


def creates(method: Method) -> bool:
    """It makes a row from nothing; what has a parent belongs to the parent's partner."""
    return scoped(method) and method.name.startswith("Create") and "parent" not in method.request.DESCRIPTOR.fields_by_name


async def partner_of(world: World, tenant: Any, partner: str) -> Caller:
    return await world.caller("admin", tenant=tenant, partner=partner, sub=f"users/{new_id()}")


async def reaches(caller: Caller, method: Method, request: Message) -> Failure | bool:
    """Whether a call was answered, with something if it reads; or its refusal."""
    answers = await attempt(caller, method, request)
    if isinstance(answers, Failure):
        return answers
    return not method.reads or any(answer.ListFields() for answer in answers)


async def told(method: Method, world: World) -> tuple[Caller, Message]:
    """A partner and a request that has just succeeded for it; its rows are again as they were before."""
    partner = await partner_of(world, await world.tenant(), "partners/p-one")
    request = await STORIES[method.full_name](world, partner)
    before = await snapshot(world, partner.tenant)
    assert await reaches(partner, method, request) is True
    await restore(world, partner.tenant, before)
    return partner, request


@each(closed)
async def test_a_method_that_says_nothing_of_partners_is_closed_to_them(method: Method, world: World) -> None:
    partner = await partner_of(world, await world.tenant(), "partners/p-one")
    refused = await refusal(partner, method, method.request())
    assert (refused.reason, refused.metadata) == ("CLOSED_TO_PARTNERS", {"method": method.full_name})


@each(lambda method: method.policy.partner_visible)
async def test_what_is_open_to_partners_answers_them(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    assert method.reads, "a partner could change what is nobody's"
    assert await reaches(await partner_of(world, owner.tenant, "partners/p-one"), method, request) is True


@pytest.mark.parametrize("standing", STANDING)
@each(lambda method: scoped(method) and not creates(method))
async def test_another_partner_reaches_nothing(method: Method, standing: str, worlds: dict[str, World]) -> None:
    world = worlds[standing]
    partner, request = await told(method, world)
    before = await snapshot(world, partner.tenant)
    for name in ("partners/p-two", "partners/p-on", "partners/p-one1"):
        outcome = await reaches(await partner_of(world, partner.tenant, name), method, request)
        assert outcome is False or isinstance(outcome, Failure), "the other partner got through"
        assert outcome is False or outcome.reason == "RESOURCE_NOT_FOUND", outcome
    assert await snapshot(world, partner.tenant) == before
    assert await reaches(house(world, partner), method, request) is True


@each(lambda method: scoped(method) and not creates(method))
async def test_without_both_walls_another_partner_would(method: Method, worlds: dict[str, World]) -> None:
    world = worlds["none"]
    partner, request = await told(method, world)
    outcome = await reaches(await partner_of(world, partner.tenant, "partners/p-two"), method, request)
    if isinstance(outcome, Failure):  # the third guard: what a partner saves must be its own
        assert (outcome.reason, outcome.metadata) == ("FIELD_INVALID", {"field": "partner"})
    else:
        assert outcome is True


@each(lambda method: scoped(method) and not creates(method))
async def test_a_partner_does_not_reach_what_the_house_sells_itself(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    outcome = await reaches(await partner_of(world, owner.tenant, "partners/p-one"), method, request)
    assert outcome is False or (isinstance(outcome, Failure) and outcome.reason == "RESOURCE_NOT_FOUND")


def scope(method: Method) -> str:
    """The path of the field of a request that says whose partner's it is."""
    found = [p for p, f in settable(method.request) if facts(f).scoping == options.Field.SCOPING_PARTNER]
    assert len(found) == 1, f"{method.full_name} takes {len(found)} partners"
    return found[0]


@each(creates)
async def test_what_a_partner_creates_is_its_own_whatever_it_says(method: Method, world: World) -> None:
    partner = await partner_of(world, await world.tenant(), "partners/p-one")
    request = await STORIES[method.full_name](world, partner)
    holder, field = scope(method).split(".")
    setattr(getattr(request, holder), field, "partners/p-two")
    answer = (await send(partner, method, request))[0]
    assert getattr(answer, field) == "partners/p-one"


@each(lambda method: scoped(method) and writes(method) and "update_mask" in method.request.DESCRIPTOR.fields_by_name)
async def test_a_partner_cannot_give_its_rows_away(method: Method, world: World) -> None:
    partner = await partner_of(world, await world.tenant(), "partners/p-one")
    request: Any = await STORIES[method.full_name](world, partner)
    holder, field = scope(method).split(".")
    for value in ("partners/p-two", ""):
        setattr(getattr(request, holder), field, value)
        request.update_mask.paths[:] = [field]
        before = await snapshot(world, partner.tenant)
        outcome = await reaches(partner, method, request)
        assert isinstance(outcome, Failure)
        assert outcome.reason == "FIELD_INVALID"
        assert await snapshot(world, partner.tenant) == before


def test_every_kind_of_a_partner_has_methods_that_prove_it(capsys: pytest.CaptureFixture[str]) -> None:
    classes = {"closed": closed, "scoped": scoped, "open": lambda m: m.policy.partner_visible and not m.partner_scoped}
    counts = Counter(name for method in METHODS for name, holds in classes.items() if holds(method))
    counts["about the caller or for all"] = sum(map(rowless, METHODS))
    counts["internal or the installation's"] = sum(method.internal or of_installation(method) for method in METHODS)
    with capsys.disabled():
        print("\npartners:", "; ".join(f"{n} {what}" for what, n in sorted(counts.items())))
    assert counts.total() == len(METHODS)
    assert not [k.full_name for k in KINDS if k.partner] or counts["scoped"]
