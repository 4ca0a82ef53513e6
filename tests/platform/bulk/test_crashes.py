"""An import whose runner dies at any of its calls makes every row once, and an export has every resource once."""

import asyncio
from collections import Counter

import pytest
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import operations_pb2 as pb

from revops_mesh.kernel.pools import Pool
from tests.messaging.running import running
from tests.operations.killing import Killed, killed
from tests.operations.packing import fire_until_done, runners
from tests.platform.bulk.loading import PRODUCT, Export, Import, begun, counted, ended, told
from tests.platform.bulk.test_exports import table
from tests.platform.files.sending import fetched
from tests.world import Caller, World

ROWS = "sku,display_name\n" + "".join(f"s-{n},P {n}\n" for n in range(6)) + "s-9,\ns-0,Twice\n"
KNOWN = ("s-1", "s-4")
"""Unique values of products that are there before."""

CHANGES = (
    "SELECT split_part(method, '.', 5) AS method, count(*) AS n FROM kernel.audit"
    " WHERE tenant_id=$1 AND outcome='OK' AND method LIKE '%Product' GROUP BY 1"
)


@pytest.fixture(autouse=True)
def _one_window_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few rows are several batches; and one row at a time, so that the calls have an order."""
    monkeypatch.setattr("revops_mesh.operations.job.BATCH_SECONDS", 0.0)
    monkeypatch.setattr("revops_mesh.platform.bulk.imports.AT_ONCE", 2)


async def stocked(anna: Caller) -> None:
    for sku in KNOWN:
        await anna(products.CreateProductRequest(product=products.Product(display_name="old", sku=sku)))


async def assert_imported_once(world: World, anna: Caller, operation: pb.Operation) -> None:
    assert operation.state == pb.Operation.STATE_SUCCEEDED, operation
    assert counted(operation) == (4, 3, 1)
    assert [problem["row"] for problem in await told(anna, operation)] == [8]
    found = {p.sku: (p.display_name, p.etag) for p in (await anna(products.ListProductsRequest())).products}
    expected = {f"s-{n}": (f"P {n}", "2" if f"s-{n}" in KNOWN else "1") for n in range(6)}
    assert found == {**expected, "s-0": ("Twice", "2")}
    changes = {row["method"]: row["n"] for row in await world.owner.fetch(CHANGES, anna.tenant)}
    assert changes == {"CreateProduct": 4 + len(KNOWN), "UpdateProduct": 3}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 28))
async def test_an_import_whose_runner_dies_at_any_call_makes_every_row_once(
    world: World, relay_pool: Pool, at: int, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await world.caller()
    await stocked(anna)
    name = await begun(anna, ROWS, mode=Import.MODE_UPSERT)
    with killed(world.kernel, at, after=after, monkeypatch=monkeypatch) as made:
        try:
            while await runners(world, relay_pool).fire():
                pass
        except Killed:
            await asyncio.sleep(0.05)  # calls beside the one that died come to their end
    assert len(made) >= at, "it ends before that call"
    operation = await fire_until_done(anna, runners(world, relay_pool), name)
    await assert_imported_once(world, anna, operation)


async def test_runners_that_are_cancelled_at_any_moment_import_every_row_once(world: World, relay_pool: Pool) -> None:
    anna = await world.caller()
    rows = "display_name\n" + "".join(f"P {n}\n" for n in range(120))
    name = await begun(anna, rows)
    for each in range(15):
        async with running(runners(world, relay_pool)):
            await asyncio.sleep(0.01 * each)
    async with running(runners(world, relay_pool)):
        operation = await ended(anna, name)
    assert counted(operation) == (120, 0, 0)
    listed = (await anna(products.ListProductsRequest(page_size=1000))).products
    assert Counter(p.display_name for p in listed) == Counter(f"P {n}" for n in range(120))
    changes = {row["method"]: row["n"] for row in await world.owner.fetch(CHANGES, anna.tenant)}
    assert changes == {"CreateProduct": 120}


@pytest.mark.parametrize("form", ["JSONL", "PARQUET"])
@pytest.mark.parametrize("at", range(1, 25))
async def test_an_export_whose_runner_dies_at_any_call_has_every_resource_once(
    world: World, relay_pool: Pool, at: int, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("revops_mesh.platform.bulk.exports.PAGE", 2)
    monkeypatch.setattr("revops_mesh.platform.files.content.CHUNK", 300)
    anna = await world.caller()
    for n in range(7):
        await anna(products.CreateProductRequest(product=products.Product(display_name=f"P {n}")))
    name = (await anna(Export(type=PRODUCT, format=Export.Format.Value(f"FORMAT_{form}")))).name
    with killed(world.kernel, at, after=True, monkeypatch=monkeypatch):
        try:
            while await runners(world, relay_pool).fire():
                pass
        except Killed:
            pass
    operation = await fire_until_done(anna, runners(world, relay_pool), name)
    assert operation.state == pb.Operation.STATE_SUCCEEDED, operation
    found = table(form, await fetched(anna, name.replace("operations/", "files/")))
    assert [row["display_name"] for row in found] == [f"P {n}" for n in range(7)]
