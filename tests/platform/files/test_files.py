"""Files once they are there: whose they are, who reads them, what operations write into them, and what is left when they go."""

import hashlib
import random
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.empty_pb2 import Empty
from revops.platform.v1 import files_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_id, new_uuid
from revops_mesh.kernel.pools import Pool
from revops_mesh.messaging.timers import Timers
from revops_mesh.messaging.worker import Counts
from tests.contract import people
from tests.platform.files.sending import fetched, sent
from tests.world import Caller, World

CHUNKS = "SELECT name, body, delete_time FROM platform.file_chunks WHERE tenant_id=$1 ORDER BY name"


async def written(anna: Caller, request: pb.WriteFileRequest) -> None:
    """Writes as an operation of Anna does."""
    kernel = anna.world.kernel
    principal = await kernel.authenticator.principal(anna.arrival())
    answer = await kernel.answer(kernel.by_request(request).path, request, Arrival({}, principal=principal))
    assert answer == Empty()


def writing(name: str, position: int, data: bytes, **more: Any) -> pb.WriteFileRequest:
    about = {"operation": "operations/a", "display_name": "a.csv", "content_type": "text/csv", **more}
    return pb.WriteFileRequest(file=name, position=position, data=data, **about)


@pytest.mark.parametrize("seed", range(6))
async def test_a_write_replaces_all_that_was_behind_it(world: World, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a bytearray: the batches of an operation write again what they wrote before they died."""
    monkeypatch.setattr("revops_mesh.platform.files.content.CHUNK", 100)
    anna, chance, name, expected = await world.caller(), random.Random(seed), f"files/{new_id()}", bytearray()
    for _ in range(12):
        position, data = chance.randrange(len(expected) + 1), chance.randbytes(chance.choice([0, 1, 99, 100, 101, 350]))
        complete = chance.random() < 0.5
        await written(anna, writing(name, position, data, complete=complete))
        del expected[position:]
        expected += data
        if complete:
            assert await fetched(anna, name) == bytes(expected)
            assert (await anna(pb.GetFileRequest(name=name))).sha256 == hashlib.sha256(expected).hexdigest()


async def test_an_operation_writes_no_file_but_its_own(world: World) -> None:
    anna = await world.caller()
    upload = await sent(anna, b"mine", file_id="mine")
    await written(anna, writing("files/made", 0, b"a"))
    for name, operation in (("files/mine", "operations/a"), ("files/mine", ""), ("files/made", "operations/b")):
        with pytest.raises(Failure) as refused:
            await written(anna, writing(name, 0, b"b", operation=operation))
        assert (refused.value.reason, refused.value.metadata["name"]) == ("RESOURCE_EXISTS", name)
    assert await fetched(anna, upload.name) == b"mine"


async def test_a_file_that_was_deleted_under_way_is_not_written_on(world: World) -> None:
    anna = await world.caller()
    await written(anna, writing("files/gone", 0, b"abc"))
    await anna(pb.DeleteFileRequest(name="files/gone"))
    for position, reason in ((3, "RESOURCE_NOT_FOUND"), (0, "RESOURCE_EXISTS")):
        with pytest.raises(Failure) as refused:
            await written(anna, writing("files/gone", position, b"d"))
        assert refused.value.reason == reason


async def test_whoever_lacks_a_permission_that_the_content_needs_does_not_read_it(world: World) -> None:
    anna = await world.caller()
    await written(anna, writing("files/costs", 0, b"1.50", permissions=["catalog.costs.read"]))
    await written(anna, writing("files/costs", 4, b"", permissions=["quoting.margins.read"], complete=True))
    assert list((await anna(pb.GetFileRequest(name="files/costs"))).permissions) == ["catalog.costs.read", "quoting.margins.read"]
    for lacking in ("catalog.costs.read", "quoting.margins.read"):
        ben = await people.lacking(world, anna.tenant, lacking)
        with pytest.raises(Failure) as refused:
            await fetched(ben, "files/costs")
        assert (refused.value.reason, refused.value.metadata) == ("PERMISSION_REQUIRED", {"permission": lacking})
    assert await fetched(await people.lacking(world, anna.tenant), "files/costs") == b"1.50"


async def test_somebody_elses_file_looks_like_none_without_the_permission_to_list(world: World) -> None:
    anna = await world.caller()
    theirs = await sent(anna, b"theirs")
    ben = await people.holding(world, anna.tenant, [f"platform.files.{v}" for v in ("upload", "get", "download", "delete")])
    mine = await sent(ben, b"mine")
    assert await fetched(ben, mine.name) == b"mine"
    for name in (theirs.name, "files/nowhere"):
        for request in (pb.GetFileRequest(name=name), pb.DeleteFileRequest(name=name)):
            refused = await ben.refusal(request)
            assert (refused.reason, refused.metadata) == ("PERMISSION_REQUIRED", {"permission": "platform.files.list"})
        with pytest.raises(Failure) as caught:
            await fetched(ben, name)
        assert caught.value.reason == "PERMISSION_REQUIRED"
    await ben(pb.DeleteFileRequest(name=mine.name))


async def test_of_a_deleted_file_no_content_is_left(world: World) -> None:
    anna = await world.caller()
    file = await sent(anna, bytes(200_000), bytes(200_000), b"secret")
    assert len(await world.owner.fetch(CHUNKS, anna.tenant)) == 2
    await anna(pb.DeleteFileRequest(name=file.name))
    assert all(row["delete_time"] and row["body"] == b"" for row in await world.owner.fetch(CHUNKS, anna.tenant))
    assert (await anna.refusal(pb.GetFileRequest(name=file.name))).reason == "RESOURCE_NOT_FOUND"


async def test_a_file_goes_when_its_time_is_over(world: World, relay_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = await world.caller()
    file = await sent(anna, b"content", expire_time=clock.timestamp(clock.now() + timedelta(hours=1)))
    timers = Timers(world.kernel, relay_pool, Counts())
    while await timers.fire():
        pass
    assert (await anna(pb.GetFileRequest(name=file.name))).size_bytes == 7
    early, arrival = pb.ExpireFileRequest(file=file.name), Arrival({}, request_id=new_uuid())
    await world.kernel.react(world.kernel.by_request(early), early, anna.tenant, arrival)
    assert (await anna(pb.GetFileRequest(name=file.name))).size_bytes == 7
    monkeypatch.setattr(clock, "_OFFSET", timedelta(hours=1, seconds=1))
    while await timers.fire():
        pass
    late = Caller(world, anna.tenant, world.token(anna.tenant, "admin"))
    assert (await late.refusal(pb.GetFileRequest(name=file.name))).reason == "RESOURCE_NOT_FOUND"
    assert all(row["body"] == b"" for row in await world.owner.fetch(CHUNKS, anna.tenant))


async def test_a_download_goes_on_where_it_broke(world: World) -> None:
    anna, content = await world.caller(), random.Random(1).randbytes(3_000_000)
    file = await sent(anna, *(content[i : i + 250_000] for i in range(0, len(content), 250_000)))
    got = bytearray()
    async for body in anna.stream(pb.DownloadFileRequest(name=file.name)):
        assert len(body.data) <= 256 * 1024
        got += body.data
        if len(got) > 700_000:
            break
    assert bytes(got) + await fetched(anna, file.name, len(got)) == content
