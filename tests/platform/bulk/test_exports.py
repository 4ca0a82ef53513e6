"""Exports: every resource of a list once, as who started it sees it, in each form; and back in again."""

import csv
import io
import json
from datetime import UTC, datetime

import pyarrow
import pyarrow.parquet
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import Parse
from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import files_pb2

from revops_mesh.kernel.kinds import kind_of
from revops_mesh.kernel.pools import Pool
from tests.contract import making, people
from tests.contract.planting import plant
from tests.platform.bulk.loading import PRODUCT, Export, Import, begun, counted, ended, exported, refused, working
from tests.platform.files.sending import fetched
from tests.world import Caller, World

ROWS = 240
FORMS = ["CSV", "JSONL", "PARQUET"]


async def stocked(world: World, anna: Caller, rows: int = ROWS) -> list[str]:
    """Names of so many products; every third is active."""
    like = products.Product(display_name='A "B", C', description="line\none")
    like.sellable_from.seconds, like.sellable_from.nanos = 1_772_438_400, 123_456_789
    like.name = "products/x"
    return await plant(world, anna.tenant, kind_of(products.Product), like, range(rows))


def table(form: str, content: bytes) -> list[dict[str, object]]:
    """The rows of a file by column."""
    if form == "CSV":
        return [dict(row) for row in csv.DictReader(io.StringIO(content.decode(), newline=""))]
    if form == "JSONL":
        return [json.loads(line) for line in content.splitlines()]
    found: list[dict[str, object]] = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
    return found


@pytest.mark.parametrize("form", FORMS)
async def test_every_resource_is_in_it_once(world: World, relay_pool: Pool, form: str) -> None:
    anna = await world.caller()
    names = await stocked(world, anna)
    async with working(world, relay_pool):
        response, content = await exported(anna, form)
    assert sorted(str(row["name"]) for row in table(form, content)) == sorted(names)
    assert (response.rows, response.size_bytes) == (ROWS, len(content))
    file = await anna(files_pb2.GetFileRequest(name=response.file))
    assert file.display_name == f"Product.{form.lower()}"
    left = [each.name for each in (await anna(files_pb2.ListFilesRequest())).files]
    assert left == [response.file], "what was only needed on the way is gone"


@pytest.mark.parametrize("form", FORMS)
async def test_in_many_batches_it_is_the_same(world: World, relay_pool: Pool, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("revops_mesh.operations.job.BATCH_SECONDS", 0.0)
    monkeypatch.setattr("revops_mesh.platform.files.content.CHUNK", 3000)
    monkeypatch.setattr("revops_mesh.platform.bulk.exports.PAGE", 7)
    anna = await world.caller()
    names = await stocked(world, anna, 60)
    async with working(world, relay_pool):
        _, content = await exported(anna, form)
    assert sorted(str(row["name"]) for row in table(form, content)) == sorted(names)


@pytest.mark.parametrize("form", FORMS)
async def test_filter_order_and_fields_are_those_of_the_list(world: World, relay_pool: Pool, form: str) -> None:
    anna = await world.caller()
    await stocked(world, anna, 30)
    mask = FieldMask(paths=["sku", "name"])
    async with working(world, relay_pool):
        response, content = await exported(anna, form, filter="state = ACTIVE", order_by="sku desc", read_mask=mask)
    listed = (await anna(products.ListProductsRequest(filter="state = ACTIVE", order_by="sku desc", page_size=1000))).products
    assert len(listed) == response.rows > 3
    rows = table(form, content)
    assert [(row.get("sku") or "", row["name"]) for row in rows] == [(each.sku, each.name) for each in listed]
    if form != "JSONL":
        assert list(rows[0]) == ["sku", "name"]


async def test_an_empty_list_makes_a_file_without_rows(world: World, relay_pool: Pool) -> None:
    anna = await world.caller()
    async with working(world, relay_pool):
        found = {form: (await exported(anna, form))[1] for form in FORMS}
    assert found["JSONL"] == b""
    assert found["CSV"].decode().startswith("name,etag,create_time,update_time,display_name,")
    assert pyarrow.parquet.read_table(io.BytesIO(found["PARQUET"])).num_rows == 0


async def test_parquet_has_types_and_row_groups(world: World, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("revops_mesh.platform.bulk.parquet.GROUP_ROWS", 50)
    anna = await world.caller()
    await stocked(world, anna, 120)
    async with working(world, relay_pool):
        _, content = await exported(anna, "PARQUET")
    file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
    assert [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)] == [50, 50, 20]
    types = {field.name: field.type for field in file.schema_arrow}
    assert types["sellable_from"] == pyarrow.timestamp("us", tz="UTC")
    assert (types["rate_plan_count"], types["state"]) == (pyarrow.int64(), pyarrow.string())
    row = file.read().to_pylist()[0]
    assert row["sellable_from"] == datetime(2026, 3, 2, 8, 0, 0, 123_456, tzinfo=UTC)
    assert (row["description"], row["sku"] or "x") != ("", "")


async def test_json_lines_are_the_resources_themselves(world: World, relay_pool: Pool) -> None:
    anna = await world.caller()
    await making.price_entry(world, anna)
    async with working(world, relay_pool):
        _, content = await exported(anna, "JSONL", "revops.catalog.v1.PriceEntry")
    (line,) = content.splitlines()
    (entry,) = (await anna(books.ListPriceEntriesRequest(parent="priceBooks/-"))).price_entries
    assert Parse(line, books.PriceEntry()) == entry


async def test_what_the_starter_may_not_read_is_not_in_it_and_whoever_reads_it_needs_what_the_starter_had(
    world: World, relay_pool: Pool
) -> None:
    house, of = await world.caller(), "revops.catalog.v1.PriceEntry"
    await making.price_entry(world, house)
    lacking = await people.lacking(world, house.tenant, "catalog.costs.read")
    async with working(world, relay_pool):
        _, without = await exported(lacking, "CSV", of)
        _, lines = await exported(lacking, "JSONL", of)
        response, whole = await exported(house, "CSV", of)
    assert "unit_cost" not in table("CSV", without)[0]
    assert b"1.50" not in without + lines
    assert table("CSV", whole)[0]["unit_cost"] == "1.50"
    with pytest.raises(Exception, match=r"catalog\.costs\.read is required"):
        await fetched(lacking, response.file)
    mask = FieldMask(paths=["charge", "unit_cost"])
    refusal = await lacking.refusal(Export(type=of, format=Export.FORMAT_CSV, read_mask=mask))
    assert refusal.reason == "PERMISSION_REQUIRED"
    assert refusal.metadata == {"field": "unit_cost", "permission": "catalog.costs.read"}


KEYS = ["name", "display_name", "sku", "family", "description", "sellable_from"]


async def known(who: Caller) -> list[tuple[str, ...]]:
    listed = await who(products.ListProductsRequest(page_size=1000))
    return sorted(tuple(str(getattr(product, key)) for key in KEYS) for product in listed.products)


@pytest.mark.parametrize("form", ["CSV", "JSONL"])
async def test_what_was_exported_can_be_imported_elsewhere_and_again(world: World, relay_pool: Pool, form: str) -> None:
    anna, ben = await world.caller(), await world.caller()
    rows = "".join(f'"P ""{n}"", €",s-{n},{n % 3 or ""},"a\nb",2026-03-02T08:00:00.5Z\n' for n in range(40))
    async with working(world, relay_pool):
        await ended(anna, await begun(anna, f"display_name,sku,family,description,sellable_from\n{rows}"))
        _, content = await exported(anna, form)
        assert counted(await ended(ben, await begun(ben, content, PRODUCT, form))) == (40, 0, 0)
        again = await begun(ben, content, PRODUCT, form, mode=Import.MODE_UPSERT)
        assert counted(await ended(ben, again)) == (0, 40, 0)
    assert await known(anna) == await known(ben)


async def test_what_makes_no_sense_is_refused_at_once_or_by_the_list(world: World, relay_pool: Pool) -> None:
    anna = await world.caller()
    unknown = await anna.refusal(Export(type="revops.catalog.v1.Colour", format=Export.FORMAT_CSV))
    assert unknown.reason == "EXPORT_TYPE"
    assert PRODUCT in unknown.metadata["known"]
    for field, more in {
        "read_mask": {"read_mask": FieldMask(paths=["colour"])},
        "list_parent": {"list_parent": "products/x"},
    }.items():
        refusal = await anna.refusal(Export(type=PRODUCT, format=Export.FORMAT_CSV, **more))  # type: ignore[arg-type]
        assert (refusal.reason, refusal.metadata) == ("FIELD_INVALID", {"field": field})
    nobody = await people.lacking(world, anna.tenant, "catalog.products.list")
    refusal = await nobody.refusal(Export(type=PRODUCT, format=Export.FORMAT_CSV))
    assert refusal.metadata == {"permission": "catalog.products.list"}
    async with working(world, relay_pool):
        operation = await anna(Export(type=PRODUCT, format=Export.FORMAT_CSV, filter="colour = red"))
        assert refused(await ended(anna, operation.name)) == ("FIELD_INVALID", {"field": "filter"})
