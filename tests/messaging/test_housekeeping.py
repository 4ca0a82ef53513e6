"""What is tidied, and what the relay's login may see."""

from datetime import timedelta

import asyncpg
import pytest

from revops_mesh.kernel import clock
from revops_mesh.kernel.names import new_uuid
from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging.housekeeping import BATCH, Housekeeping
from revops_mesh.messaging.worker import Counts
from tests.messaging.running import eventually, fill, running, waiting
from tests.probe.contract import pb
from tests.probe.world import ProbeWorld


async def test_expired_replays_of_all_tenants_go_and_others_stay(probe: ProbeWorld, relay_pool: Pool) -> None:
    anna, counts = await probe.caller(), Counts()
    await anna(pb.CreateBoxRequest(box=pb.Box(), request_id=str(new_uuid())))
    await probe.owner.execute(
        "INSERT INTO kernel.replay(tenant_id,principal,request_id,digest,expire_time)"
        " SELECT gen_random_uuid(),gen_random_uuid(),gen_random_uuid(),gen_random_uuid(),now()-interval '1 second'"
        " FROM generate_series(1,$1)",
        2 * BATCH + 10,
    )
    async with running(Housekeeping(relay_pool, counts)):
        await eventually(lambda: counts.expired == 2 * BATCH + 10)
    assert await waiting(probe, anna.tenant, "replay") == 1


async def test_the_lag_is_the_age_of_the_oldest_event_by_the_kernels_clock(
    probe: ProbeWorld, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counts()
    await probe.owner.execute("DELETE FROM kernel.outbox")
    await Housekeeping(relay_pool, counts).tidy()
    assert counts.lag_seconds == 0
    await fill(await probe.caller(), boxes=1, rounds=2, portions=1)
    monkeypatch.setattr(clock, "_OFFSET", timedelta(minutes=5))
    await Housekeeping(relay_pool, counts).tidy()
    assert 300 <= counts.lag_seconds < 310


@pytest.mark.parametrize("table", ["probe.boxes", "probe.movements", "platform.tenants", "kernel.audit", "kernel.counter"])
async def test_the_relays_login_sees_nothing_but_its_own_tables(relay_pool: Pool, table: str) -> None:
    async with relay_pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT 1 FROM {table} LIMIT 1")
