"""A story over HTTP, through either door: create, read, change, submit, with the headers and refusals that HTTP has for it."""

import uuid

import pytest

from revops_mesh.gateway.rest.bridge import Bridge
from tests.contract import making
from tests.gateway.rest.calling import Rest
from tests.gateway.rest.conftest import rest_of
from tests.world import World


@pytest.fixture
async def anna(world: World, bridge: Bridge) -> Rest:
    return rest_of(bridge, await world.caller())


async def product(anna: Rest, **fields: str) -> str:
    """The path of a new product."""
    created = await anna("POST", "/v1/products", {"displayName": "Vault", **fields})
    assert created.status == 200, created.raw
    return f"/v1/{created.json['name']}"


async def test_a_product_is_created_read_changed_and_deleted(anna: Rest) -> None:
    created = await anna("POST", "/v1/products?productId=vault", {"displayName": "Vault"})
    assert (created.status, created.json["name"], created.headers["etag"]) == (200, "products/vault", '"1"')
    read = await anna("GET", "/v1/products/vault")
    assert read.json == created.json
    renamed = await anna("PATCH", "/v1/products/vault?updateMask=displayName", {"displayName": "Safe", "family": "ignored"})
    assert (renamed.json["displayName"], renamed.json.get("family"), renamed.headers["etag"]) == ("Safe", None, '"2"')
    deleted = await anna("DELETE", "/v1/products/vault")
    assert (deleted.status, deleted.json) == (200, {})
    gone = await anna("GET", "/v1/products/vault")
    assert (gone.status, gone.reason, gone.detail("ErrorInfo")["metadata"]) == (
        404,
        "RESOURCE_NOT_FOUND",
        {"name": "products/vault"},
    )


@pytest.mark.parametrize("mask", ["displayName,family", "display_name,family"])
async def test_masks_name_fields_as_json_does_or_as_the_contract_does(anna: Rest, mask: str) -> None:
    path = await product(anna, family="compute", description="Kept")
    changed = (await anna("PATCH", f"{path}?updateMask={mask}", {"displayName": "Safe", "description": "Not named"})).json
    assert (changed["displayName"], changed.get("family"), changed["description"]) == ("Safe", None, "Kept")
    unknown = await anna("PATCH", f"{path}?updateMask=colour", {"displayName": "Safe"})
    assert (unknown.status, unknown.reason) == (400, "FIELD_INVALID")


async def test_if_match_refuses_a_stale_change(anna: Rest) -> None:
    path = await product(anna)
    assert (await anna("PATCH", path, {"displayName": "Safe"}, if_match='"1"')).status == 200
    stale = await anna("PATCH", path, {"displayName": "Box"}, if_match='"1"')
    assert (stale.status, stale.reason) == (409, "ETAG_MISMATCH")
    assert (await anna("DELETE", path, if_match='"1"')).reason == "ETAG_MISMATCH"
    assert (await anna("PATCH", path, {"displayName": "Box"}, if_match="*")).status == 200
    assert (await anna("DELETE", path, if_match='"3"')).status == 200


async def test_if_match_has_to_make_sense(anna: Rest) -> None:
    path = await product(anna)
    for value in ['W/"1"', '"1", "2"', "1", '""', '"', '"a"b"']:
        refused = await anna("PATCH", path, {"displayName": "Safe"}, if_match=value)
        assert (refused.status, refused.reason) == (400, "HTTP_HEADER_INVALID"), value
        assert refused.detail("ErrorInfo")["metadata"] == {"header": "if-match"}
    assert (await anna("GET", path, if_match='"1"')).reason == "HTTP_HEADER_INVALID"
    assert (await anna("POST", "/v1/products", {"displayName": "X"}, if_match='"1"')).reason == "HTTP_HEADER_INVALID"
    contradicting = await anna("PATCH", path, {"displayName": "Safe", "etag": "2"}, if_match='"1"')
    assert "contradicts" in contradicting.error["message"]


async def test_what_did_not_change_is_not_sent_again(anna: Rest) -> None:
    path = await product(anna)
    unchanged = await anna("GET", path, if_none_match='"1"')
    assert (unchanged.status, unchanged.raw, unchanged.headers["etag"]) == (304, b"", '"1"')
    assert (await anna("GET", path, if_none_match='"2"')).status == 200


async def test_an_idempotency_key_makes_a_repetition_a_replay(anna: Rest) -> None:
    for key in [str(uuid.uuid4()), '"order 4711"', "anything/printable"]:
        first = await anna("POST", "/v1/products", {"displayName": "Vault"}, idempotency_key=key)
        again = await anna("POST", "/v1/products", {"displayName": "Vault"}, idempotency_key=key)
        assert (first.status, again.json) == (200, first.json)
        other = await anna("POST", "/v1/products", {"displayName": "Safe"}, idempotency_key=key)
        assert (other.status, other.reason) == (400, "REQUEST_ID_CONFLICT")


async def test_an_idempotency_key_is_the_request_id(anna: Rest) -> None:
    key = str(uuid.uuid4())
    first = await anna("POST", "/v1/products", {"displayName": "Vault"}, idempotency_key=key.upper())
    assert (await anna("POST", f"/v1/products?requestId={key}", {"displayName": "Vault"})).json == first.json
    both = await anna("POST", f"/v1/products?requestId={key}", {"displayName": "Vault"}, idempotency_key=key)
    assert both.json == first.json
    two = await anna("POST", f"/v1/products?requestId={uuid.uuid4()}", {"displayName": "Vault"}, idempotency_key=key)
    assert (two.status, two.reason, two.detail("ErrorInfo")["metadata"]) == (
        400,
        "HTTP_HEADER_INVALID",
        {"header": "idempotency-key"},
    )
    assert (await anna("POST", "/v1/products", {"displayName": "X"}, idempotency_key=" ")).reason == "HTTP_HEADER_INVALID"
    assert (await anna("POST", "/v1/products", {"displayName": "X"}, idempotency_key="x" * 256)).reason == "HTTP_HEADER_INVALID"
    assert (await anna("GET", "/v1/products", idempotency_key=key)).status == 200


async def test_lists_take_pages_filters_and_orders(anna: Rest) -> None:
    for name in ("A", "B", "C"):
        await product(anna, displayName=name, family="storage" if name != "B" else "compute")
    path = "/v1/products?pageSize=1&filter=family%20%3D%20%22storage%22&orderBy=display_name%20desc"
    first = (await anna("GET", path)).json
    second = (await anna("GET", f"{path}&pageToken={first['nextPageToken']}")).json
    assert [each["displayName"] for page in (first, second) for each in page["products"]] == ["C", "A"]
    assert "nextPageToken" not in second
    assert (await anna("GET", "/v1/products?pageSize=1&pageToken=forged")).reason == "FIELD_INVALID"


async def test_a_quote_is_previewed_submitted_and_cannot_be_submitted_twice(world: World, bridge: Bridge) -> None:
    caller = await world.caller()
    anna, quote = rest_of(bridge, caller), await making.quote(world, caller)
    path = f"/v1/{quote.name}"
    preview = await anna("POST", f"{path}:submit", {"validateOnly": True})
    assert (preview.status, preview.json["state"]) == (200, "STATE_SUBMITTED")
    assert (await anna("GET", path)).json["state"] == "STATE_DRAFT"
    submitted = await anna("POST", f"{path}:submit", b"", if_match=f'"{quote.etag}"')
    assert (submitted.status, submitted.json["state"]) == (200, "STATE_SUBMITTED")
    twice = await anna("POST", f"{path}:submit", {})
    assert (twice.status, twice.reason) == (400, "QUOTE_STATE")
    assert twice.detail("ErrorInfo") == {
        "reason": "QUOTE_STATE",
        "domain": "revops.quoting.v1",
        "metadata": {"quote": quote.name, "state": "SUBMITTED", "allowed": "DRAFT"},
    }


async def test_every_wrong_field_is_named(anna: Rest) -> None:
    body = {"account": "", "currencyCode": "euro", "lines": [{"ratePlan": "x", "quantity": "-1"}]}
    refused = await anna("POST", "/v1/quotes", body)
    assert (refused.status, refused.reason) == (400, "FIELD_INVALID")
    named = {violation["field"] for violation in refused.detail("BadRequest")["fieldViolations"]}
    assert {"quote.account", "quote.currency_code"} <= named


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        ({"displayNam": "x"}, "quote.displayNam", "is displayName meant?"),
        ({"lines": [{}, {"quantity": 3}]}, "quote.lines[1].quantity", "must be a text"),
        ({"lines": {}}, "quote.lines", "must be a list"),
        ({"priceScope": {"account": ["x"]}}, "quote.priceScope.account", "must be a text"),
        ({"termMonths": 1.5}, "quote.termMonths", "must be a whole number"),
        ({"termMonths": 2**31}, "quote.termMonths", "must be from -2147483648 to 2147483647"),
        ({"state": "DRAFT"}, "quote.state", "must be one of STATE_UNSPECIFIED, STATE_DRAFT"),
        ({"createTime": "yesterday"}, "quote.createTime", "must be an instant"),
        ({"display_name": "x", "displayName": "y"}, "quote.display_name", "has two names"),
        ({"lines": [{"discountRate": "0.1", "discountAmount": "1"}]}, "quote.lines[0]", "only one of discount_rate"),
        ([], "quote", "must be an object"),
        (None, "quote", "must be an object, and not null"),
    ],
)  # fmt: skip
async def test_json_that_does_not_fit_is_told_where(anna: Rest, body: object, field: str, problem: str) -> None:
    refused = await anna("POST", "/v1/quotes", body if body is not None else b"null")
    assert (refused.status, refused.reason) == (400, "FIELD_INVALID")
    (violation,) = refused.detail("BadRequest")["fieldViolations"]
    assert violation["field"] == field
    assert problem in violation["description"]


async def test_an_api_key_opens_http_too(world: World, bridge: Bridge) -> None:
    caller = await world.caller()
    key = await making.api_key(world, caller)
    assert key.secret
    answer = await Rest(bridge, {"authorization": f"Bearer {key.secret}"})("GET", "/v1/products")
    assert answer.status in (200, 403)
    assert answer.status == 200 or answer.reason == "PERMISSION_REQUIRED"
