"""Ledgers: rows that are only ever added, with their flush or not at all, and that SQL sums."""

from typing import Any

import asyncpg
import pytest

from revops_mesh.kernel import clock
from revops_mesh.kernel.collection import Cap
from revops_mesh.kernel.errors import Broken, Failure
from revops_mesh.kernel.kinds import kind_of
from revops_mesh.kernel.names import new_uuid
from revops_mesh.kernel.statements import begin
from revops_mesh.kernel.unit import Unit
from tests.probe.boxes import Box
from tests.probe.contract import pb
from tests.probe.world import ProbeWorld
from tests.world import ENTERPRISE

SUM = "SELECT coalesce(sum(quantity),0)::bigint FROM probe.movements WHERE tenant_id=$1"


async def flushed(boxes: ProbeWorld, tenant: Any, *writes: Any, rows: list[Any]) -> None:
    unit = Unit(await boxes.pools.app.take(), tenant, "", clock.now(), Cap(ENTERPRISE, 0), read_only=False)
    try:
        await unit.begin(None)
        for kind, aggregate in writes:
            unit.write(kind, aggregate)
        for row in rows:
            unit.append(kind_of(type(row)), row)
        await unit.flush()
        await unit.commit()
    except BaseException:
        await unit.rollback()
        raise
    finally:
        boxes.pools.app.give(unit.connection)


async def test_rows_are_added_with_their_flush_and_corrected_by_reversing_ones(boxes: ProbeWorld) -> None:
    tenant = await boxes.tenant()
    await flushed(boxes, tenant, rows=[pb.Movement(box="boxes/b", quantity=q) for q in (5, 7)])
    await flushed(boxes, tenant, rows=[pb.Movement(box="boxes/b", quantity=-7)])
    assert await boxes.owner.fetchval(SUM, tenant) == 5
    assert await boxes.owner.fetchval("SELECT count(*) FROM probe.movements WHERE tenant_id=$1", tenant) == 3


async def test_a_stale_owner_leaves_no_row(boxes: ProbeWorld) -> None:
    anna = await boxes.caller()
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    await anna(pb.FillBoxRequest(name=box.name, portions=[1]))
    stale = Box(pb.Box.FromString(box.SerializeToString()), 1)
    with pytest.raises(Failure) as refused:
        await flushed(boxes, anna.tenant, (kind_of(pb.Box), stale), rows=[pb.Movement(box=box.name, quantity=9)])
    assert refused.value.reason == "ETAG_MISMATCH"
    assert await boxes.owner.fetchval(SUM, anna.tenant) == 0


@pytest.mark.parametrize("statement", ["UPDATE probe.movements SET quantity=0", "DELETE FROM probe.movements"])
async def test_not_even_the_serving_login_changes_a_row(boxes: ProbeWorld, statement: str) -> None:
    tenant = await boxes.tenant()
    async with boxes.pools.app.acquire() as connection:
        await connection.execute(begin(tenant, "", None, read_only=False))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
        await connection.execute("ROLLBACK")


async def test_a_row_of_another_tenant_is_refused_by_the_walls(boxes: ProbeWorld) -> None:
    tenant, other = await boxes.tenant(), await boxes.tenant()
    insert = "INSERT INTO probe.movements(tenant_id,entry_id,entry_time,box,quantity,sequence) VALUES($1,$2,now(),'b',1,'')"
    async with boxes.pools.app.acquire() as connection:
        await connection.execute(begin(tenant, "", None, read_only=False))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(insert, other, new_uuid())
        await connection.execute("ROLLBACK")


async def test_an_aggregate_is_no_ledger(boxes: ProbeWorld) -> None:
    with pytest.raises(Broken, match="is no ledger"):
        await flushed(boxes, await boxes.tenant(), rows=[pb.Box(name="boxes/b")])
