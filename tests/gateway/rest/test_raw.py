"""Files over HTTP, as they are: bodies of any length in pieces, answers in pieces, and connections that break."""

import asyncio
import hashlib
import random
from itertools import pairwise
from typing import Any

import pytest
from google.api.httpbody_pb2 import HttpBody
from revops.platform.v1 import files_pb2 as pb

from revops_mesh.gateway.rest import raw
from revops_mesh.gateway.rest.bridge import Bridge
from revops_mesh.gateway.rest.content import Gone
from revops_mesh.kernel.names import new_uuid
from tests.gateway.rest.calling import answered
from tests.gateway.rest.conftest import rest_of
from tests.platform.files.sending import fetched
from tests.world import World

CONTENT = random.Random(7).randbytes(1_500_000)


async def test_a_file_goes_up_and_down_as_it_is(world: World, bridge: Bridge) -> None:
    anna = await world.caller()
    rest = rest_of(bridge, anna)
    up = await rest("POST", "/v1/files:upload?displayName=a.bin", CONTENT, content_type="application/x-thing")
    assert (up.status, up.json["sizeBytes"], up.json["state"]) == (200, "1500000", "STATE_COMPLETE")
    assert (up.json["sha256"], up.json["displayName"]) == (hashlib.sha256(CONTENT).hexdigest(), "a.bin")
    assert await fetched(anna, up.json["name"]) == CONTENT
    down = await rest("GET", f"/v1/{up.json['name']}:download")
    assert (down.status, down.raw == CONTENT, down.headers["content-type"]) == (200, True, "application/x-thing")
    rest_of_it = await rest("GET", f"/v1/{up.json['name']}:download?offset=1499990")
    assert rest_of_it.raw == CONTENT[-10:]


async def test_what_people_uploaded_is_never_a_page_of_this_origin(world: World, bridge: Bridge) -> None:
    rest = rest_of(bridge, await world.caller())
    up = await rest("POST", "/v1/files:upload", b"<script>alert(1)</script>", content_type="text/html")
    down = await rest("GET", f"/v1/{up.json['name']}:download")
    assert down.headers["content-disposition"] == "attachment"
    assert down.headers["x-content-type-options"] == "nosniff"


async def test_a_file_may_be_empty_and_its_content_may_be_json(world: World, bridge: Bridge) -> None:
    rest = rest_of(bridge, await world.caller())
    for content in (b"", b'{"data": "this is no message"}'):
        up = await rest("POST", "/v1/files:upload", content)
        assert (up.status, up.json.get("sizeBytes", "0"), up.json["contentType"]) == (200, str(len(content)), "application/json")
        down = await rest("GET", f"/v1/{up.json['name']}:download")
        assert (down.status, down.raw) == (200, content)


async def test_refusals_are_told_as_ever(world: World, bridge: Bridge) -> None:
    rest, viewer = rest_of(bridge, await world.caller()), rest_of(bridge, await world.caller("viewer"))
    assert (await rest("GET", "/v1/files/nowhere:download")).reason == "RESOURCE_NOT_FOUND"
    assert (await rest("POST", "/v1/files:upload?fileId=A", b"a")).reason == "FIELD_INVALID"
    assert (await rest("POST", f"/v1/files:upload?sha256={'0' * 64}", b"a")).reason == "FILE_DIGEST"
    assert (await viewer("POST", "/v1/files:upload", CONTENT)).status == 403
    packed = await rest("POST", "/v1/files:upload", b"a", content_encoding="gzip")
    assert (packed.status, "a raw body is taken as it is" in packed.error["message"]) == (415, True)


async def test_an_upload_that_broke_goes_on_under_its_key(world: World, bridge: Bridge) -> None:
    anna, key = await world.caller(), str(new_uuid())
    before = await pushed(bridge, anna.token, key, [CONTENT[:300_000], CONTENT[300_000:600_000], None])
    assert before == []
    growing = (await anna(pb.ListFilesRequest())).files
    # Over a channel what was on its way may be lost with the call.
    assert [file.size_bytes for file in growing] in ([], [256 * 1024], [512 * 1024])
    pieces: list[bytes | None] = [CONTENT[at : at + 70_001] for at in range(0, len(CONTENT), 70_001)]
    after = answered(await pushed(bridge, anna.token, key, pieces))
    assert after.json["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert [file.name for file in (await anna(pb.ListFilesRequest())).files] == [after.json["name"]]


async def pushed(bridge: Bridge, token: str, key: str, pieces: list[bytes | None]) -> list[dict[str, Any]]:
    """What is sent back to a body in these pieces; at None the client leaves."""
    events: list[dict[str, Any]] = []
    coming = list(pieces)

    async def receive() -> dict[str, Any]:
        if not coming:
            await asyncio.Event().wait()
        if (piece := coming.pop(0)) is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": bool(coming)}

    async def send(event: Any) -> None:
        events.append(event)

    headers = {"authorization": f"Bearer {token}", "idempotency-key": key, "transfer-encoding": "chunked"}
    scope = {
        "type": "http", "method": "POST", "raw_path": b"/v1/files:upload", "query_string": b"", "client": ("192.0.2.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    await bridge(scope, receive, send)
    return events


@pytest.mark.parametrize("seed", range(20))
async def test_the_pieces_are_the_same_however_a_body_comes(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "PIECE", 10)
    chance = random.Random(seed)
    body = chance.randbytes(chance.choice([0, 1, 9, 10, 11, 20, 35]))
    cuts = sorted([0, *(chance.randrange(len(body) + 1) for _ in range(chance.randrange(6))), len(body)])
    events = [{"type": "http.request", "body": body[a:b], "more_body": True} for a, b in pairwise(cuts)]
    events += [{"type": "http.request"}] if chance.random() < 0.5 else []
    events[-1]["more_body"] = False

    async def receive() -> Any:
        return events.pop(0)

    first = pb.UploadFileRequest(display_name="a")
    found = [request async for request in raw.requests(receive, {b"content-type": b"text/csv"}, first, "content")]
    sizes = [len(request.content.data) for request in found]  # type: ignore[attr-defined]
    assert sizes == ([10] * (len(body) // 10) + ([len(body) % 10] if len(body) % 10 else []) or [0])
    assert b"".join(request.content.data for request in found) == body  # type: ignore[attr-defined]
    assert found[0].content.content_type == "text/csv"  # type: ignore[attr-defined]


async def test_whoever_leaves_is_gone() -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    with pytest.raises(Gone):
        await anext(raw.requests(receive, {}, pb.UploadFileRequest(content=HttpBody()), "content"))
