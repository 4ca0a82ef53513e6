"""Imports from upload to last row: what becomes of good rows and bad ones, and what is refused before any of them."""

import json
from typing import Any

import pytest
from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import operations_pb2, tenants_pb2

from revops_mesh.kernel.pools import Pool
from tests.contract import making, people
from tests.platform.bulk.loading import PRODUCT, Import, begun, counted, ended, imported, refused, told, working
from tests.platform.files.sending import sent
from tests.world import FREE, Caller, World


async def catalogue(anna: Caller) -> list[products.Product]:
    found: list[products.Product] = list((await anna(products.ListProductsRequest(page_size=1000))).products)
    return found


async def test_every_row_becomes_a_resource_by_the_method_that_makes_one(world: World, relay_pool: Pool) -> None:
    anna = await world.caller()
    rows = 'display_name,sku,family,sellable_from\nCloud,c-1,"storage, cold",2026-03-02T08:00:00Z\nEdge,,network,\n'
    async with working(world, relay_pool):
        operation, problems = await imported(anna, rows)
    assert (counted(operation), problems) == ((2, 0, 0), [])
    cloud, edge = await catalogue(anna)
    assert (cloud.display_name, cloud.sku, cloud.family) == ("Cloud", "c-1", "storage, cold")
    assert cloud.sellable_from.seconds == 1_772_438_400
    assert (edge.sku, edge.HasField("sellable_from")) == ("", False)
    own = operation.name.removeprefix("operations/")
    assert (cloud.name, edge.name) == (f"products/{own}-0000002", f"products/{own}-0000003")
    entries = await world.owner.fetch(
        "SELECT principal FROM kernel.audit WHERE tenant_id=$1 AND method LIKE '%.CreateProduct'", anna.tenant
    )
    assert [row["principal"] for row in entries] == ["users/anna"] * 2
    events = [type(event).__name__ for _, _, event in await world.events(anna.tenant)]
    assert events == ["OperationEnded"], "a product leaves no event when it is made"


async def test_refused_rows_are_told_and_stop_no_other(world: World, relay_pool: Pool) -> None:
    anna = await world.caller()
    rows = [
        "display_name,sku,sellable_from", "A,a,", ",b,", "C,a,", "D,d", "E,e,tomorrow", 'F,"f', "", "G,g,",
        f"H,{'h' * 101},", "I\0,i,", "J,j,",
    ]  # fmt: skip
    async with working(world, relay_pool):
        operation, problems = await imported(anna, "\n".join(rows))
    assert counted(operation) == (3, 0, 7)
    assert sorted(product.display_name for product in await catalogue(anna)) in (["A", "G", "J"], ["C", "G", "J"])
    assert {(p["row"], p["field"], p["message"]) for p in problems if p["reason"] == "FIELD_INVALID" and p["row"] != 10} == {
        (3, "display_name", "display_name: is required"),
        (5, "", "has 2 cells, the header has 3"),
        (6, "sellable_from", "must be an instant as in 2026-01-31T12:00:00Z"),
        (7, "", "is no CSV: unexpected end of data"),
        (11, "display_name", "display_name: must not contain the character NUL"),
    }
    others = [(p["row"], p["field"], p["reason"], p["domain"]) for p in problems if p["row"] in (2, 4, 10)]
    assert others in [
        [(n, "sku", "RESOURCE_EXISTS", "revops.platform.v1"), (10, "sku", "FIELD_INVALID", "revops.platform.v1")] for n in (2, 4)
    ]
    assert [p["row"] for p in problems] == sorted(p["row"] for p in problems)


async def test_json_lines_are_rows_too(world: World, relay_pool: Pool) -> None:
    anna = await world.caller()
    lines = [
        '{"displayName": "A", "family": "x"}', '{"display_name": "B"}', "[]", "no json", '{"display_name": 3}',
        '{"colour": "red"}', "", '{"display_name": "C", "sellable_from": "soon"}',
        '{"display_name": "D", "name": "products/d-1"}',
    ]  # fmt: skip
    async with working(world, relay_pool):
        operation, problems = await imported(anna, "\n".join(lines), PRODUCT, "JSONL")
    assert counted(operation) == (3, 0, 5)
    assert {product.display_name for product in await catalogue(anna)} == {"A", "B", "D"}
    assert "products/d-1" in {product.name for product in await catalogue(anna)}
    assert [(p["row"], p["field"]) for p in problems] == [(3, ""), (4, ""), (5, "display_name"), (6, ""), (8, "sellable_from")]
    assert 'no field named "colour"' in problems[3]["message"]


async def test_rows_of_a_nested_type_say_where_they_belong(world: World, relay_pool: Pool) -> None:
    anna = await world.caller()
    parent = (await anna(products.CreateProductRequest(product_id="cloud", product=products.Product(display_name="Cloud")))).name
    charge = {"charge_id": "seat", "type": "TYPE_RECURRING", "model": "CHARGE_MODEL_PER_UNIT", "billing_period_months": 1}
    whole = '"' + json.dumps([charge]).replace('"', '""') + '"'
    rows = [
        "parent,display_name,charges",
        f"{parent},Monthly,{whole}",
        f"products/nowhere,Monthly,{whole}",
        f",Monthly,{whole}",
        f'{parent},Monthly,"[{{}}]"',
        f"{parent},Yearly,{whole}",
    ]
    async with working(world, relay_pool):
        operation, problems = await imported(anna, "\n".join(rows), "revops.catalog.v1.RatePlan")
    assert counted(operation) == (2, 0, 3)
    assert [(p["row"], p["reason"]) for p in problems[:2]] == [(3, "RESOURCE_NOT_FOUND"), (4, "FIELD_INVALID")]
    assert problems[1]["field"] == "parent"
    assert problems[2]["field"].startswith("charges[0].")
    plans = (await anna(products.ListRatePlansRequest(parent=parent))).rate_plans
    assert [plan.display_name for plan in plans] == ["Monthly", "Yearly"]


async def test_a_dry_run_tells_what_would_be_refused_and_makes_nothing(world: World, relay_pool: Pool) -> None:
    anna = await world.caller()
    async with working(world, relay_pool):
        operation, problems = await imported(anna, "display_name,sku\nA,a\n,b\n", dry_run=True)
        assert (counted(operation), [p["row"] for p in problems]) == ((1, 0, 1), [3])
        assert await catalogue(anna) == []
        operation, _ = await imported(anna, "display_name,sku\nA,a\n,b\n")
    assert counted(operation) == (1, 0, 1)


@pytest.mark.parametrize("named", [False, True], ids=["without names", "with names"])
async def test_an_upsert_changes_what_has_the_same_unique_value(named: bool, world: World, relay_pool: Pool) -> None:
    anna = await world.caller()
    for id_, sku, family in (("one", "a", "old"), ("two", "b", "old")):
        await anna(
            products.CreateProductRequest(
                product_id=id_, product=products.Product(display_name=id_, sku=sku, family=family, description="kept")
            )
        )
    rows = ["sku,display_name,family", "a,One,new", "c,Three,new", "b,Two,", ",Four,new"]
    if named:
        names = ["name", "products/one", "products/three", "products/two", "products/four"]
        rows = [f"{name},{row}" for name, row in zip(names, rows, strict=True)]
    async with working(world, relay_pool):
        operation, problems = await imported(anna, "\n".join(rows), mode=Import.MODE_UPSERT)
        assert (counted(operation), problems) == ((2, 2, 0), [])
    found = {p.display_name: (p.sku, p.family, p.description) for p in await catalogue(anna)}
    assert found == {"One": ("a", "new", "kept"), "Two": ("b", "", "kept"), "Three": ("c", "new", ""), "Four": ("", "new", "")}


async def test_what_the_server_sets_is_ignored_so_that_an_export_can_be_imported(world: World, relay_pool: Pool) -> None:
    anna = await world.caller()
    rows = "name,etag,create_time,display_name,state,rate_plan_count\nproducts/x-1,7,2020-01-01T00:00:00Z,X,STATE_RETIRED,9\n"
    async with working(world, relay_pool):
        operation, problems = await imported(anna, rows)
    assert (counted(operation), problems) == ((1, 0, 0), [])
    (product,) = await catalogue(anna)
    assert (product.name, product.state, product.etag) == ("products/x-1", products.Product.STATE_DRAFT, "1")
    assert (product.rate_plan_count, product.create_time.ToDatetime().year > 2020) == (0, True)


async def test_a_field_that_the_starter_may_not_set_is_refused_row_by_row(world: World, relay_pool: Pool) -> None:
    house = await world.caller()
    book, plan = await making.active_book(world, house), await making.sellable_plan(world, house)
    anna = await people.lacking(world, house.tenant, "catalog.costs.read")
    charge = f"{plan.name}/charges/seat"
    rows = [
        "parent,charge,pricing.model,pricing.amount,unit_cost",
        f"{book.name},{charge},CHARGE_MODEL_PER_UNIT,4,1.5",
        f"{book.name},{charge},CHARGE_MODEL_PER_UNIT,5,",
    ]
    async with working(world, relay_pool):
        operation, problems = await imported(anna, "\n".join(rows), "revops.catalog.v1.PriceEntry")
    assert counted(operation) == (1, 0, 1)
    assert [(p["row"], p["field"], p["reason"]) for p in problems] == [(2, "unit_cost", "PERMISSION_REQUIRED")]
    entries = (await house(books.ListPriceEntriesRequest(parent=book.name))).price_entries
    assert [entry.pricing.amount for entry in entries] == ["5"]


async def test_a_cap_ends_the_import_with_what_lifts_it_and_lets_it_be_resumed(world: World, relay_pool: Pool) -> None:
    anna = await world.caller(edition=FREE)
    async with working(world, relay_pool):
        operation = await ended(anna, await begun(anna, "display_name\n" + "".join(f"P {n}\n" for n in range(400))))
        reason, metadata = refused(operation)
        assert (reason, metadata["edition"]) == ("LIMIT_REACHED", "FREE")
        limit = int(metadata["limit"])
        assert len(await catalogue(anna)) == limit
        created, _, failed = counted(operation)
        assert limit - 8 <= created <= limit
        assert failed == 0
        await richer(world, anna)
        await anna(operations_pb2.ResumeOperationRequest(name=operation.name))
        operation = await ended(anna, operation.name)
    assert counted(operation) == (400, 0, 0)
    assert len({product.display_name for product in await catalogue(anna)}) == len(await catalogue(anna)) == 400


async def richer(world: World, anna: Caller) -> None:
    row = await world.owner.fetchrow("SELECT name, body FROM platform.tenants WHERE uid=$1", anna.tenant.hex)
    tenant = tenants_pb2.Tenant.FromString(row["body"])
    tenant.edition, tenant.edition_changes = 4, 1  # type: ignore[assignment]
    await world.owner.execute("UPDATE platform.tenants SET body=$2 WHERE name=$1", row["name"], tenant.SerializeToString())
    people.forget(world)


HEADERS = [
    ("colour", "IMPORT_COLUMN", {"column": "colour"}),
    ("display_name,display_name", "IMPORT_COLUMN", {"column": "display_name"}),
    ("parent", "IMPORT_COLUMN", {"column": "parent"}),
    ("", "FIELD_INVALID", {"field": "file"}),
    ('"a', "FIELD_INVALID", {"field": "file"}),
]


@pytest.mark.parametrize(("header", "reason", "metadata"), HEADERS)
async def test_a_header_that_makes_no_sense_is_refused_at_once(
    header: str, reason: str, metadata: dict[str, str], world: World
) -> None:
    anna = await world.caller()
    file = await sent(anna, f"{header}\nx\n".encode())
    failure = await anna.refusal(Import(file=file.name, type=PRODUCT, format=Import.FORMAT_CSV))
    assert failure.reason == reason
    assert metadata.items() <= failure.metadata.items()
    if reason == "IMPORT_COLUMN":
        assert "display_name, sku, family" in failure.metadata["known"]
    assert await world.rows(anna.tenant, ["platform.operations"]) == {"platform.operations": 0}


async def test_what_cannot_be_imported_is_refused_with_what_can(world: World) -> None:
    anna = await world.caller()
    file = await sent(anna, b"display_name\nx\n")

    async def refusal(**fields: Any) -> Any:
        return await anna.refusal(Import(file=file.name, format=Import.FORMAT_CSV, **fields))

    unknown = await refusal(type="revops.catalog.v1.Colour")
    assert unknown.reason == "IMPORT_TYPE"
    assert PRODUCT in unknown.metadata["known"]
    secret = await refusal(type="revops.platform.v1.ApiKey")
    assert secret.reason == "IMPORT_TYPE", "its secret would be shown to nobody"
    without = await refusal(type="revops.catalog.v1.PriceBook", mode=Import.MODE_UPSERT)
    known = without.metadata["known"].split(", ")
    assert (without.reason, PRODUCT in known, "revops.catalog.v1.PriceBook" in known) == ("IMPORT_TYPE", True, False)


async def test_whoever_may_not_make_one_may_not_import_them(world: World) -> None:
    house = await world.caller()
    file = await sent(house, b"display_name\nx\n")
    anna = await people.lacking(world, house.tenant, "catalog.products.create")
    failure = await anna.refusal(Import(file=file.name, type=PRODUCT, format=Import.FORMAT_CSV))
    assert (failure.reason, failure.metadata) == ("PERMISSION_REQUIRED", {"permission": "catalog.products.create"})


async def test_so_many_refused_rows_are_told_and_all_are_counted(
    world: World, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("revops_mesh.platform.bulk.imports.MOST_TOLD", 5)
    anna = await world.caller()
    async with working(world, relay_pool):
        operation, problems = await imported(anna, "display_name,sku\n" + ",x\n" * 30)
    assert (counted(operation), [p["row"] for p in problems]) == ((0, 0, 30), [2, 3, 4, 5, 6])
    assert await told(anna, operation) == problems
