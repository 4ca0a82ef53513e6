"""An edition caps how many of a kind a tenant may have: the last one that fits is made, the next is refused."""

import pytest
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from revops_mesh.kernel.kinds import ColumnType, Kind
from tests.contract.methods import KINDS, METHODS, Method, owner_of, refusal, send
from tests.contract.stories import STORIES
from tests.world import World

EMPTY = {
    ColumnType.TEXT: "''",
    ColumnType.INTEGER: "0",
    ColumnType.ENUM: "0",
    ColumnType.BOOL: "false",
    ColumnType.TEXT_ARRAY: "'{}'",
}
"""What an unset field is in a column; the other types are NULL."""

CAPS = [(kind, edition) for kind in KINDS for edition in sorted(kind.limits)]


def short(edition: int) -> str:
    name: str = options.Edition.Name(edition)  # type: ignore[arg-type]
    return name.removeprefix("EDITION_")


def creating(kind: Kind) -> Method:
    """The method that makes one of a kind."""
    names = {f"{verb}{kind.message.__name__}" for verb in ("Create", "Upload")}
    found = [m for m in METHODS if m.response is kind.message and m.name in names]
    assert len(found) == 1, f"{kind.full_name} has a cap and {len(found)} methods that create it"
    return found[0]


async def fill(world: World, kind: Kind, tenant: object, room: int) -> None:
    """Inserts rows so that a tenant has `room` places left, and forgets the count, as after a change of edition."""
    columns = {"tenant_id": "$1::uuid", "name": "'filler-' || n", "revision": "1", "body": "''::bytea"}
    columns |= {"create_time": "now()", "update_time": "now()"}
    columns |= {"parent": "''"} if kind.pattern.nested else {}
    columns |= {column.name: EMPTY.get(column.type, "NULL") for column in kind.columns}
    await world.owner.execute(
        f"INSERT INTO {kind.sql}({','.join(columns)}) SELECT {','.join(columns.values())}"
        f" FROM generate_series(1, $2 - (SELECT count(*) FROM {kind.sql} WHERE tenant_id=$1 AND delete_time IS NULL)) n",
        tenant, room,
    )  # fmt: skip
    await world.owner.execute("DELETE FROM kernel.counter WHERE tenant_id=$1", tenant)


@pytest.mark.parametrize(("kind", "edition"), CAPS, ids=[f"{kind.full_name}-{short(edition)}" for kind, edition in CAPS])
async def test_a_cap_admits_the_last_and_refuses_the_next(kind: Kind, edition: int, world: World) -> None:
    method, most = creating(kind), kind.limits[edition]
    assert method.policy.edition <= edition, f"{kind.full_name}: the cap of an edition that cannot create it"
    caller = await owner_of(world, method, edition)
    request: Message = await STORIES[method.full_name](world, caller)
    await fill(world, kind, caller.tenant, most - 1)
    await send(caller, method, request)
    refused = await refusal(caller, method, request)
    lifted = next((e for e in range(edition + 1, 5) if kind.limits.get(e, most + 1) > most), None)
    assert refused.reason == "LIMIT_REACHED", refused
    assert refused.metadata == {
        "resource": kind.table,
        "limit": str(most),
        "edition": short(edition),
        "lifted_by": short(lifted) if lifted else "nothing",
    }
    live = f"SELECT count(*) FROM {kind.sql} WHERE tenant_id=$1 AND delete_time IS NULL"
    assert await world.owner.fetchval(live, caller.tenant) == most


def test_an_edition_never_has_less_than_a_lower_one() -> None:
    for kind in KINDS:
        caps = [kind.limits.get(edition, 1 << 62) for edition in range(options.EDITION_FREE, options.EDITION_ENTERPRISE + 1)]
        first = next((i for i, cap in enumerate(caps) if cap < 1 << 62), 0)
        assert caps[first:] == sorted(caps[first:]), f"{kind.full_name}: {kind.limits}"
