"""The audit log: who changed what, newest first, to the end, and as it goes on."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import audit_pb2 as pb

from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_uuid
from revops_mesh.platform.audit import service
from tests.world import Caller, World

EVER = Timestamp(seconds=1)


async def created(anna: Caller, name: str = "Seat", **metadata: str) -> products.Product:
    product: products.Product = await anna(
        products.CreateProductRequest(product=products.Product(display_name=name, family="core")), **metadata
    )
    return product


async def listed(anna: Caller, **fields: Any) -> list[pb.AuditEntry]:
    return list((await anna(pb.ListAuditEntriesRequest(**fields))).entries)


async def streamed(anna: Caller, **fields: Any) -> list[pb.AuditEntry]:
    request = pb.StreamAuditEntriesRequest(stop_at_end=True, **fields)
    return [entry async for entry in anna.stream(request)]


async def forge(world: World, anna: Caller, entry_id: UUID) -> None:
    """An entry that becomes visible only now, although its id may have been made long ago."""
    await world.owner.execute(
        "INSERT INTO kernel.audit(tenant_id,id,time,principal,method,resources,outcome,digest,request,trace)"
        " VALUES($1,$2,now(),'users/late','revops.catalog.v1.ProductService.Gone','{}','OK',$3,'\\x01','')",
        anna.tenant, entry_id, uuid4(),
    )  # fmt: skip


async def test_an_accepted_change_says_who_did_what_to_which_revision(anna: Caller) -> None:
    trace = f"00-{'ab' * 16}-{'cd' * 8}-00"
    product = await created(anna, traceparent=trace)
    (entry,) = await listed(anna)
    assert (entry.principal, entry.method, entry.outcome) == (
        "users/anna",
        "revops.catalog.v1.ProductService.CreateProduct",
        "OK",
    )
    assert list(entry.resources) == [f"{product.name}@1"]
    assert json.loads(entry.request_json) == {"product": {"displayName": "Seat", "family": "core"}}
    assert len(entry.request_digest) == 32
    assert (UUID(hex=entry.entry_id).version, entry.trace_id) == (7, "ab" * 16)


async def test_a_refusal_of_a_known_caller_is_an_entry_without_a_request(world: World, anna: Caller) -> None:
    viewer = await world.caller("viewer", tenant=anna.tenant, sub="users/vera")
    refused = await viewer.refusal(products.CreateProductRequest(product=products.Product(display_name="x")))
    await world.kernel.refusals.flush()
    (entry,) = await listed(anna)
    assert (entry.principal, entry.outcome) == ("users/vera", refused.reason)
    assert (entry.request_json, entry.request_digest, list(entry.resources)) == ("", "", [])


async def test_reads_previews_and_replays_leave_no_entry(anna: Caller) -> None:
    request = products.CreateProductRequest(
        product=products.Product(display_name="x", family="core"), request_id=str(uuid4()), validate_only=True
    )
    await anna(request)
    await anna(products.ListProductsRequest())
    assert not await listed(anna)
    request.validate_only = False
    await anna(request)
    await anna(request)
    assert len(await listed(anna)) == 1


async def test_entries_are_found_by_principal_and_by_resource_at_any_revision(world: World, anna: Caller) -> None:
    first, second = await created(anna), await created(anna)
    ben = await world.caller("admin", tenant=anna.tenant, sub="users/ben")
    await ben(products.UpdateProductRequest(product=products.Product(name=first.name, display_name="New")))
    assert [e.principal for e in await listed(anna, resource=first.name)] == ["users/ben", "users/anna"]
    assert [list(e.resources) for e in await listed(anna, resource=f"{first.name}@2")] == [[f"{first.name}@2"]]
    assert [list(e.resources) for e in await listed(anna, resource=second.name)] == [[f"{second.name}@1"]]
    assert len(await listed(anna, principal="users/ben")) == 1
    assert not await listed(anna, principal="users/ben", resource=second.name)
    assert not await listed(anna, resource=first.name[:-1])
    assert not await listed(anna, resource="products/%")


async def test_paging_reaches_the_end_once_although_entries_are_added(anna: Caller) -> None:
    names = [(await created(anna)).name for _ in range(7)]
    request, found = pb.ListAuditEntriesRequest(page_size=3), []
    while True:
        page = await anna(request)
        found += [resource.removesuffix("@1") for entry in page.entries for resource in entry.resources]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
        await created(anna)
    assert found == names[::-1]


@pytest.mark.parametrize("other", [{"principal": "users/ben"}, {"resource": "products/x"}])
async def test_a_page_token_of_another_list_or_tenant_is_refused(world: World, anna: Caller, other: dict[str, str]) -> None:
    for _ in range(2):
        await created(anna)
    token = (await anna(pb.ListAuditEntriesRequest(page_size=1))).next_page_token
    stranger = await world.caller("admin")
    for caller, fields in ((anna, other), (stranger, {})):
        refusal = await caller.refusal(pb.ListAuditEntriesRequest(page_token=token, **fields))
        assert (refusal.reason, refusal.violations[0][0]) == ("FIELD_INVALID", "page_token")


async def test_nothing_of_another_tenant_is_listed_or_streamed(world: World, anna: Caller) -> None:
    await created(anna)
    stranger = await world.caller("admin")
    assert not await listed(stranger)
    assert not await streamed(stranger, start_time=EVER)


async def test_a_method_that_the_contract_no_longer_has_leaves_its_entry_readable(world: World, anna: Caller) -> None:
    await forge(world, anna, new_uuid())
    (entry,) = await listed(anna)
    assert (entry.method, entry.request_json) == ("revops.catalog.v1.ProductService.Gone", "")


async def test_a_stream_to_the_end_has_everything_oldest_first_over_several_batches(
    anna: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 3)
    names = [(await created(anna)).name for _ in range(7)]
    entries = await streamed(anna, start_time=EVER)
    assert [entry.resources[0] for entry in entries] == [f"{name}@1" for name in names]
    assert await streamed(anna, start_time=entries[4].time) == entries[4:]
    assert not await streamed(anna)


async def test_a_stream_goes_on_with_new_entries_and_with_one_that_committed_late(world: World, anna: Caller) -> None:
    late = new_uuid()
    stream = anna.stream(pb.StreamAuditEntriesRequest())
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.1)
    product = await created(anna)
    assert (await asyncio.wait_for(waiting, 5)).resources[0] == f"{product.name}@1"
    await forge(world, anna, late)
    assert (await asyncio.wait_for(anext(stream), 5)).entry_id == late.hex
    again = await created(anna)
    assert (await asyncio.wait_for(anext(stream), 5)).resources[0] == f"{again.name}@1"
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_start_out_of_range_is_malformed(anna: Caller) -> None:
    for second in (-1, 7_258_118_400):
        with pytest.raises(Failure) as refusal:
            await streamed(anna, start_time=Timestamp(seconds=second))
        assert (refusal.value.reason, refusal.value.violations[0][0]) == ("FIELD_INVALID", "start_time")


async def test_auditors_read_the_log_and_nothing_else(world: World, anna: Caller) -> None:
    auditor = await world.caller("auditor", tenant=anna.tenant)
    await listed(auditor)
    await streamed(auditor)
    assert (await auditor.refusal(products.ListProductsRequest())).reason == "PERMISSION_REQUIRED"
    viewer = await world.caller("viewer", tenant=anna.tenant)
    assert (await viewer.refusal(pb.ListAuditEntriesRequest())).reason == "PERMISSION_REQUIRED"
