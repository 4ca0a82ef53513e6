"""API keys in use: exchanged without an interruption, by partners themselves, and noted to the hour without any call waiting."""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import access_pb2 as pb
from revops.platform.v1 import reasons_pb2 as platform

from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import refuse
from tests.messaging.running import eventually
from tests.platform.test_service_accounts import keyed, opened, program
from tests.world import Caller, World

LIST = products.ListProductsRequest()


async def test_for_a_day_both_keys_work_and_then_the_new_one(world: World, anna: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    old = await keyed(anna, await opened(anna))
    new = await anna(pb.RotateApiKeyRequest(name=old.name))
    assert (new.display_name, new.key_id != old.key_id, new.HasField("expire_time")) == (old.display_name, True, False)
    before, after = program(world, anna, old.secret), program(world, anna, new.secret)
    for crm in (before, after):
        await crm(LIST)
    monkeypatch.setattr(clock, "_OFFSET", clock._OFFSET + timedelta(hours=23, minutes=59))
    for crm in (before, after):
        await crm(LIST)
    monkeypatch.setattr(clock, "_OFFSET", clock._OFFSET + timedelta(minutes=2))
    assert (await before.refusal(LIST)).reason == "CREDENTIALS_EXPIRED"
    await after(LIST)


@pytest.mark.parametrize(("expires_in", "overlap_hours", "left"), [(0, 0, 0), (0, 720, 720), (3600, 2, 1), (7200, 1, 1)])
async def test_an_old_key_ends_after_the_overlap_or_at_its_own_expiry(
    expires_in: int, overlap_hours: int, left: int, anna: Caller
) -> None:
    old = await keyed(anna, await opened(anna), expires_in=expires_in)
    begun = clock.now()
    await anna(pb.RotateApiKeyRequest(name=old.name, overlap_hours=overlap_hours))
    listed = (await anna(pb.ListApiKeysRequest(parent="serviceAccounts/crm"))).api_keys
    end = next(each for each in listed if each.name == old.name).expire_time.ToDatetime(tzinfo=UTC)
    assert timedelta(hours=left, seconds=-5) <= end - begun <= timedelta(hours=left, seconds=5)


async def test_a_rotation_without_overlap_stops_the_old_key_at_once(
    world: World, anna: Caller, forget: Callable[[], None]
) -> None:
    old = await keyed(anna, await opened(anna))
    await anna(pb.RotateApiKeyRequest(name=old.name, overlap_hours=0))
    forget()
    assert (await program(world, anna, old.secret).refusal(LIST)).reason == "CREDENTIALS_EXPIRED"


async def test_a_new_key_may_end_itself_but_not_before_it_begins(anna: Caller) -> None:
    old = await keyed(anna, await opened(anna))
    request = pb.RotateApiKeyRequest(name=old.name, expire_time=clock.timestamp(clock.now() + timedelta(days=90)))
    assert (await anna(request)).expire_time == request.expire_time
    request.expire_time.FromSeconds(1)
    assert (await anna.refusal(request)).reason == "FIELD_INVALID"


async def test_nobody_rotates_a_key_with_which_they_could_do_more(world: World, anna: Caller, forget: Callable[[], None]) -> None:
    old = await keyed(anna, await opened(anna, "admin"))
    await anna(pb.CreateRoleRequest(role_id="keeper", role=pb.Role(display_name="x", permissions=["platform.apiKeys.*"])))
    forget()
    keeper = await world.caller("keeper", tenant=anna.tenant)
    assert (await keeper.refusal(pb.RotateApiKeyRequest(name=old.name))).reason == "ROLE_EXCEEDS_CALLER"


async def test_a_partner_keeps_its_own_accounts_and_keys(world: World, anna: Caller) -> None:
    north = await world.caller("partner", "partner-admin", tenant=anna.tenant, partner="partners/north")
    ours, theirs = await opened(north, "partner", account_id="north"), await opened(anna, account_id="house")
    assert ours.partner == "partners/north"
    key, foreign = await keyed(north, ours), await keyed(anna, theirs)
    assert key.partner == "partners/north"
    new = await north(pb.RotateApiKeyRequest(name=key.name))
    robot = program(world, anna, new.secret)
    assert (await robot.refusal(pb.RotateApiKeyRequest(name=new.name))).reason == "PERMISSION_REQUIRED"
    for request in (
        pb.RotateApiKeyRequest(name=foreign.name),
        pb.DeleteApiKeyRequest(name=foreign.name),
        pb.GetServiceAccountRequest(name=theirs.name),
    ):
        assert (await north.refusal(request)).reason == "RESOURCE_NOT_FOUND"
    more = pb.ServiceAccount(display_name="x", roles=["seller"])
    refused = await north.refusal(pb.CreateServiceAccountRequest(service_account=more))
    assert refused.reason == "ROLE_EXCEEDS_CALLER"


async def last_used(anna: Caller) -> Any:
    (key,) = (await anna(pb.ListApiKeysRequest(parent="serviceAccounts/crm"))).api_keys
    return key if key.HasField("last_used_time") else None


async def test_the_use_of_a_key_is_noted_at_most_once_an_hour(
    world: World, forget: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await world.caller("admin", expires_in=86_400)
    crm = program(world, anna, (await keyed(anna, await opened(anna))).secret)
    assert await last_used(anna) is None
    await crm(LIST)
    used = await eventually(lambda: last_used(anna))
    assert timedelta() <= clock.now() - used.last_used_time.ToDatetime(tzinfo=UTC) <= timedelta(hours=1)
    for _ in range(5):
        forget()
        await crm(LIST)
    assert (await last_used(anna)).etag == used.etag == "2"
    monkeypatch.setattr(clock, "_OFFSET", clock._OFFSET + timedelta(minutes=61))
    await crm(LIST)

    async def later() -> bool:
        return (await last_used(anna)).last_used_time.ToDatetime() > used.last_used_time.ToDatetime()

    await eventually(later)


async def test_no_call_waits_for_the_note(world: World, anna: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many calls read the key once and have it noted once, and although the note fails they are answered."""
    key = await keyed(anna, await opened(anna))
    crm, directory = program(world, anna, key.secret), world.kernel.authenticator._directory  # type: ignore[attr-defined]
    looked_up, noted = [], []

    async def lookup(*arguments: Any) -> Any:
        looked_up.append(arguments)
        return await api_key(*arguments)

    async def failing(*arguments: Any) -> None:
        noted.append(arguments)
        raise refuse(platform.STORE_UNAVAILABLE, "The store does not answer.")

    api_key = directory.api_key
    monkeypatch.setattr(directory, "api_key", lookup)
    monkeypatch.setattr(directory, "note_use", failing)
    for _ in range(200):
        await crm(LIST)
    assert (len(looked_up), len(noted)) == (1, 1)
