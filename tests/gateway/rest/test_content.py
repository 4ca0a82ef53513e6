"""Bodies on the wire: media types, charsets, compression, sizes; health, verbs, origins and deadlines."""

import gzip
import json
import zlib
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from revops.catalog.v1 import products_pb2

from revops_mesh.gateway.rest import content
from revops_mesh.gateway.rest.doors import Sender
from revops_mesh.gateway.rest.refusals import Refused
from tests.gateway.protojson.drawing import briefly
from tests.gateway.rest.calling import Answer, Rest, bridged

BODY = {"displayName": "Vault"}
JSON = json.dumps(BODY).encode()


class Mirror:
    """A door that keeps what it was sent and answers with a product."""

    def __init__(self, description: str = "") -> None:
        self.sent: list[tuple[Message, Sender]] = []
        self.description = description

    def serves(self, path: str) -> bool:
        return True

    async def answer(self, path: str, request: Any, sender: Sender) -> Message:
        self.sent.append((request, sender))
        return products_pb2.Product(display_name=request.product.display_name, description=self.description)

    def stream(self, path: str, request: Message, sender: Sender) -> Any:
        raise NotImplementedError


async def posted(body: Any, **headers: str) -> Answer:
    return await Rest(bridged(Mirror()))("POST", "/v1/products", body, **headers)


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', "application/vnd.api+json", ""],
)  # fmt: skip
async def test_json_in_utf8_is_read(kind: str) -> None:
    assert (await posted(JSON, content_type=kind)).json == BODY


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "json", "application/jsonx"]
)
async def test_another_media_type_is_415(kind: str) -> None:
    refused = await posted(JSON, content_type=kind)
    assert (refused.status, refused.reason) == (415, "HTTP_MEDIA_TYPE_UNKNOWN")
    assert refused.detail("ErrorInfo")["metadata"] == {"header": "content-type"}


async def test_an_empty_body_needs_no_media_type() -> None:
    assert (await posted(b"", content_type="text/plain")).status == 200


async def test_gzip_is_read() -> None:
    assert (await posted(gzip.compress(JSON), content_encoding="gzip")).json == BODY


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (JSON, "gzip", 415),
        (gzip.compress(JSON)[:-4], "gzip", 415),
        (gzip.compress(JSON) + b"more", "gzip", 415),
        (gzip.compress(JSON) * 2, "gzip", 415),
        (zlib.compress(JSON), "deflate", 415),
        (JSON, "br", 415),
        (gzip.compress(b"[" + b" " * content.MOST_BYTES + b"]"), "gzip", 413),
        (b"x" * (content.MOST_BYTES + 1), "", 413),
    ],
    ids=["no gzip", "cut off", "more behind", "twice", "deflate", "brotli", "unpacks to too much", "too large"],
)  # fmt: skip
async def test_what_cannot_be_decompressed_or_is_too_large_is_refused(body: bytes, encoding: str, status: int) -> None:
    refused = await posted(body, content_encoding=encoding)
    assert refused.status == status
    if status == 413:
        assert (refused.reason, refused.detail("ErrorInfo")["metadata"]) == ("HTTP_BODY_TOO_LARGE", {"most": "4194304"})
        assert refused.headers["connection"] == "close"


async def test_a_body_that_hides_its_length_is_bounded_too() -> None:
    large = b'{"description": "' + b"x" * content.MOST_BYTES + b'"}'
    answer = await posted(large, content_length="", transfer_encoding="chunked")
    assert answer.status == 413
    assert (await posted(JSON, content_length="", transfer_encoding="chunked")).json == BODY


async def test_answers_are_compressed_when_they_are_large_and_the_client_reads_gzip() -> None:
    rest = Rest(bridged(Mirror("A line " * 300)))
    compressed = await rest("POST", "/v1/products", BODY, accept_encoding="br, gzip;q=0.5")
    assert (compressed.headers["content-encoding"], compressed.headers["vary"]) == ("gzip", "accept-encoding")
    assert len(compressed.raw) < 300
    assert compressed.json["displayName"] == "Vault"
    for accepted in ["", "br", "gzip;q=0", "identity"]:
        plain = await rest("POST", "/v1/products", BODY, accept_encoding=accepted)
        assert "content-encoding" not in plain.headers
        assert plain.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in (await posted(BODY, accept_encoding="gzip")).headers, "too small to gain"


@pytest.mark.parametrize(
    ("header", "value", "seconds"),
    [
        ("x-request-timeout", "2.5", 2.5),
        ("grpc-timeout", "500m", 0.5),
        ("grpc-timeout", "2S", 2.0),
        ("grpc-timeout", "1H", 3600.0),
    ],
)
async def test_a_deadline_is_passed_on(header: str, value: str, seconds: float) -> None:
    door = Mirror()
    await Rest(bridged(door), {header: value})("POST", "/v1/products", BODY)
    assert door.sent[0][1].seconds == seconds


@pytest.mark.parametrize(
    ("header", "value"),
    [("grpc-timeout", "5"), ("grpc-timeout", "0S"), *[("x-request-timeout", v) for v in ("0", "-1", "soon", "1e3", "inf", "٣")]],
)
async def test_a_deadline_has_to_be_one(header: str, value: str) -> None:
    refused = await Rest(bridged(Mirror()), {header: value})("POST", "/v1/products", BODY)
    assert (refused.status, refused.reason) == (400, "HTTP_HEADER_INVALID")
    assert refused.detail("ErrorInfo")["metadata"] == {"header": header}


async def test_credentials_and_trace_are_passed_on_and_nothing_else() -> None:
    door, trace = Mirror(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    sent = {"authorization": "Bearer x", "traceparent": trace, "tracestate": "a=b", "cookie": "session=1", "tenant": "acme"}
    await Rest(bridged(door), sent)("POST", "/v1/products", BODY)
    assert door.sent[0][1].metadata == {"authorization": "Bearer x", "traceparent": trace, "tracestate": "a=b"}
    assert door.sent[0][1].peer == "192.0.2.1:4711"


async def test_health_says_whether_it_serves() -> None:
    serving = True
    rest = Rest(bridged(Mirror(), serving=lambda: serving))
    assert ((await rest("GET", "/healthz")).json, (await rest("HEAD", "/healthz")).status) == ({"status": "SERVING"}, 200)
    assert (await rest("POST", "/healthz")).status == 405
    assert "connection" not in (await rest("POST", "/v1/products", BODY)).headers
    serving = False
    draining = await rest("GET", "/healthz")
    assert (draining.status, draining.json) == (503, {"status": "NOT_SERVING"})
    assert (await rest("POST", "/v1/products", BODY)).headers["connection"] == "close"


async def test_verbs_are_told_to_those_who_ask() -> None:
    rest = Rest(bridged(Mirror()))
    told = await rest("OPTIONS", "/v1/products")
    assert (told.status, told.headers["allow"], told.raw) == (204, "GET, HEAD, OPTIONS, POST", b"")
    assert (await rest("OPTIONS", "/v1/nothing")).status == 404
    refused = await rest("PUT", "/v1/products", BODY)
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert refused.error["status"] == "UNIMPLEMENTED"


async def test_other_origins_are_closed_unless_they_are_named() -> None:
    asking = {"origin": "https://app.example", "access_control_request_method": "POST"}
    closed = await Rest(bridged(Mirror()))("OPTIONS", "/v1/products", **asking)
    assert not [name for name in closed.headers if name.startswith("access-control")]
    rest = Rest(bridged(Mirror(), origins=["https://app.example"]))
    asked = await rest("OPTIONS", "/v1/products", **asking)
    assert asked.headers["access-control-allow-origin"] == "https://app.example"
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "if-match" in asked.headers["access-control-allow-headers"]
    answer = await rest("POST", "/v1/products", BODY, origin="https://app.example")
    assert (answer.headers["access-control-allow-origin"], answer.headers["vary"]) == ("https://app.example", "origin")
    assert "etag" in answer.headers["access-control-expose-headers"]
    refused = await rest("POST", "/v1/nothing", BODY, origin="https://app.example")
    assert refused.headers["access-control-allow-origin"] == "https://app.example", "a page may read refusals too"
    foreign = await rest("POST", "/v1/products", BODY, origin="https://evil.example")
    assert "access-control-allow-origin" not in foreign.headers
    everybody = Rest(bridged(Mirror(), origins=["*"]))
    assert (await everybody("POST", "/v1/products", BODY, origin="https://x")).headers["access-control-allow-origin"] == "*"


async def test_pages_are_served_beside_the_methods() -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"<p>"})

    rest = Rest(bridged(Mirror(), pages=[("/docs", page)]))
    assert (await rest("GET", "/docs")).raw == b"<p>"
    assert (await rest("GET", "/docs/x")).status == 404


async def test_a_fault_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(Mirror):
        async def answer(self, path: str, request: Any, sender: Sender) -> Message:
            raise RuntimeError("the secret of the house")

    fault = await Rest(bridged(Faulty()))("POST", "/v1/products", BODY)
    assert (fault.status, fault.reason, fault.error["status"]) == (500, "FAULT", "INTERNAL")
    assert b"secret" not in fault.raw
    assert fault.detail("ErrorInfo")["metadata"]["correlation"] in caplog.text
    assert "the secret of the house" in caplog.text


@briefly
@given(st.binary(max_size=40), st.sampled_from(sorted(content.UNITS)))
def test_any_header_is_read_or_refused(value: bytes, unit: bytes) -> None:
    for name, sent in [(b"grpc-timeout", value), (b"grpc-timeout", value + unit), (b"x-request-timeout", value)]:
        try:
            seconds = content.deadline({name: sent})
        except Refused as refused:
            assert refused.http == 400
        else:
            assert seconds is not None
            assert seconds > 0
    assert content.takes_gzip({b"accept-encoding": value}) in (True, False)
    try:
        content.require_json({b"content-type": value})
    except Refused as refused:
        assert refused.http == 415
