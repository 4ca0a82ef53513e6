"""Every way to be refused is documented: each verb is tried from every state, and once more after it succeeded.

That reasons and metadata are those of the contract is checked after every test of this folder (`conftest.py`); these tests go
where the stories do not.
"""

from typing import Any

import pytest
from google.protobuf.descriptor import EnumDescriptor

from revops_mesh.kernel.contract import described
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.kinds import Kind
from tests.contract.methods import (
    KINDS,
    Method,
    attempt,
    contract,
    documented_metadata,
    documented_reasons,
    each,
    owner_of,
    send,
    snapshot,
    writes,
)
from tests.contract.stories import STORIES
from tests.world import World

PLATFORM = "revops.platform.v1.PlatformReason"
REASONS = sorted(value.name for enum in contract().enums.values() if enum.is_reason for value in enum.values if value.number)
OWN = sorted(v.name for e in contract().enums.values() if e.is_reason and e.full_name != PLATFORM for v in e.values if v.number)


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_has_one_meaning_and_says_what_comes_with_it(reason: str) -> None:
    assert REASONS.count(reason) == 1
    always, sometimes = documented_metadata(reason)
    assert not always & sometimes


@pytest.mark.parametrize("reason", OWN)
def test_a_reason_of_a_module_is_named_by_some_method(reason: str) -> None:
    assert any(reason in documented_reasons(method.full_name) for method in contract().methods)


@each(writes)
async def test_a_second_call_succeeds_or_is_refused_as_documented(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    await send(owner, method, request)
    after = await snapshot(world, owner.tenant)
    outcome = await attempt(owner, method, request)
    if isinstance(outcome, Failure):
        assert outcome.reason in documented_reasons(method.full_name) | {"RESOURCE_NOT_FOUND"}, outcome
        assert await snapshot(world, owner.tenant) == after


def subject(request: Any) -> str:
    """The name of what a request changes, "" if it makes something new."""
    fields = request.DESCRIPTOR.fields_by_name
    holder = getattr(request, request.DESCRIPTOR.fields[0].name) if "update_mask" in fields else request
    return str(getattr(holder, "name", "") or getattr(holder, "parent", ""))


def states(kind: Kind) -> EnumDescriptor | None:
    """The states of a kind, None if it has none (AIP-216)."""
    field = described(kind.message).fields_by_name.get("state")
    return field.enum_type if field is not None else None


def moves(method: Method) -> bool:
    """It works on something that has states."""
    fields = method.request.DESCRIPTOR.fields_by_name
    return writes(method) and bool({"name", "parent", "update_mask"} & set(fields))


async def pretend(world: World, tenant: Any, kind: Kind, name: str, state: int) -> None:
    """Puts a resource into a state behind the contract's back."""
    where = "WHERE tenant_id=$1 AND name=$2"
    body: Any = kind.message.FromString(await world.owner.fetchval(f"SELECT body FROM {kind.sql} {where}", tenant, name))
    body.state = state
    await world.owner.execute(f"UPDATE {kind.sql} SET body=$3, state=$4 {where}", tenant, name, body.SerializeToString(), state)


@pytest.mark.seeded
@each(moves)
async def test_a_verb_from_a_state_that_it_does_not_fit_is_refused_with_the_states_it_fits(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    name = subject(request)
    kind = next((kind for kind in KINDS if kind.pattern.matches(name)), None)
    possible = states(kind) if kind is not None else None
    if kind is None or possible is None:
        return
    known = {value.name.removeprefix("STATE_") for value in possible.values if value.number}
    for value in possible.values:
        if not value.number:
            continue
        await pretend(world, owner.tenant, kind, name, value.number)
        before = await snapshot(world, owner.tenant)
        outcome = await attempt(owner, method, request)
        if not isinstance(outcome, Failure):
            continue
        assert await snapshot(world, owner.tenant) == before
        if outcome.reason.endswith("_STATE"):
            assert outcome.metadata["state"] == value.name.removeprefix("STATE_")
            assert set(outcome.metadata["allowed"].split(" or ")) <= known - {outcome.metadata["state"]}
        else:
            assert outcome.reason in documented_reasons(method.full_name) | {"FAULT", "RESOURCE_NOT_FOUND"}, outcome
