"""Uploads: kept piece by piece, continued where they broke, complete with their digest, and of bounded size."""

import hashlib
import random
from datetime import timedelta

import pytest
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import files_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_uuid
from revops_mesh.platform.files import domain
from tests.platform.files.sending import CUT, fetched, sent
from tests.world import FREE, World

SMALL = 1000


@pytest.fixture
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few bytes are many chunks."""
    monkeypatch.setattr("revops_mesh.platform.files.content.CHUNK", SMALL)


def noise(length: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(length)


@pytest.mark.usefixtures("_small_chunks")
@pytest.mark.parametrize("seed", range(8))
async def test_whatever_the_pieces_the_content_is_the_same(world: World, seed: int) -> None:
    anna, chance = await world.caller(), random.Random(seed)
    content = noise(chance.choice([0, 1, SMALL - 1, SMALL, SMALL + 1, 5 * SMALL, chance.randrange(9 * SMALL)]), seed)
    cuts = sorted({0, *(chance.randrange(len(content) + 1) for _ in range(5))})
    file = await sent(anna, *(content[a:b] for a, b in zip(cuts, [*cuts[1:], len(content)], strict=True)))
    assert (file.size_bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (file.state, file.content_type, file.display_name) == (pb.File.STATE_COMPLETE, "text/csv", "products.csv")
    assert await fetched(anna, file.name) == content
    for _ in range(4):
        offset = chance.randrange(len(content) + 2)
        assert await fetched(anna, file.name, offset) == content[offset:]


async def test_an_upload_that_broke_goes_on_where_it_was_cut_off(world: World) -> None:
    anna, again = await world.caller(), str(new_uuid())
    pieces = [noise(200_000, n) for n in range(4)]
    with pytest.raises(ConnectionError):
        await sent(anna, *pieces[:2], CUT, request_id=again)
    assert (await anna(pb.ListFilesRequest())).files[0].state == pb.File.STATE_GROWING
    before = await world.rows(anna.tenant, ["kernel.audit"])
    for _ in range(2):
        file = await sent(anna, *pieces, request_id=again)
        assert file.sha256 == hashlib.sha256(b"".join(pieces)).hexdigest()
    after = await world.rows(anna.tenant, ["kernel.audit", "platform.files"])
    assert after["kernel.audit"] == before["kernel.audit"] + 3, "two pieces and the end were new"
    assert after["platform.files"] == 1


async def test_a_growing_file_is_not_read(world: World) -> None:
    anna = await world.caller()
    with pytest.raises(ConnectionError):
        await sent(anna, b"a", CUT, file_id="half")
    with pytest.raises(Failure) as refused:
        await fetched(anna, "files/half")
    expected = {"file": "files/half", "state": "GROWING", "allowed": "COMPLETE"}
    assert (refused.value.reason, refused.value.metadata) == ("FILE_STATE", expected)


async def test_content_with_another_digest_than_was_announced_is_refused(world: World) -> None:
    anna, digest = await world.caller(), hashlib.sha256(b"content").hexdigest()
    assert (await sent(anna, b"con", b"tent", sha256=digest)).sha256 == digest
    with pytest.raises(Failure) as refused:
        await sent(anna, b"con", b"tend", sha256=digest)
    assert refused.value.reason == "FILE_DIGEST"
    assert refused.value.metadata == {"sha256": hashlib.sha256(b"contend").hexdigest()}


async def test_a_piece_has_at_most_256_kib(world: World) -> None:
    anna = await world.caller()
    assert (await sent(anna, bytes(domain.CHUNK))).size_bytes == domain.CHUNK
    with pytest.raises(Failure) as refused:
        await sent(anna, bytes(domain.CHUNK + 1))
    assert (refused.value.reason, refused.value.metadata) == ("FIELD_INVALID", {"field": "content"})


async def test_a_file_has_at_most_what_the_edition_allows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(domain.LARGEST, options.EDITION_FREE, 10)
    anna = await world.caller(edition=FREE)
    assert (await sent(anna, b"12345", b"67890")).size_bytes == 10
    with pytest.raises(Failure) as refused:
        await sent(anna, b"12345", b"67890", b"1")
    assert (refused.value.reason, refused.value.metadata) == ("FILE_TOO_LARGE", {"limit": "10", "edition": "FREE"})


async def test_a_file_is_kept_as_long_as_was_said(world: World) -> None:
    anna, now = await world.caller(), clock.now()
    usual = await sent(anna, b"a")
    assert abs(usual.expire_time.ToSeconds() - (now + timedelta(days=30)).timestamp()) < 60
    wanted = clock.timestamp(now + timedelta(days=2))
    assert (await sent(anna, b"a", expire_time=wanted)).expire_time == wanted
    for wrong in (timedelta(seconds=-1), timedelta(days=367)):
        with pytest.raises(Failure) as refused:
            await sent(anna, b"a", expire_time=clock.timestamp(now + wrong))
        assert refused.value.metadata == {"field": "expire_time"}
