"""OAuth 2.0 client credentials on a socket: as RFC 6749 says, for a client of another house, and against hostile forms."""

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet
from revops.platform.v1 import access_pb2 as access

from revops_mesh.gateway.rest.oauth import TokenEndpoint
from revops_mesh.kernel import clock
from tests.gateway.partners.conftest import Program, program
from tests.gateway.partners.members import Gateway
from tests.world import OWN_ISSUER, World

FORM = "application/x-www-form-urlencoded"
GRANT = {"grant_type": "client_credentials"}


def basic(client: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{quote(client, safe='')}:{quote(secret, safe='')}".encode()).decode()


async def asked(gateway: Gateway, form: Any, **headers: str) -> httpx.Response:
    """The answer of the token endpoint; a text is sent as it is."""
    async with gateway.client(**headers) as client:
        body = form if isinstance(form, str | bytes) else urlencode(form)
        return await client.post("/oauth2/token", content=body, headers={"content-type": FORM, **client.headers})


def credentials(crm: Program, **more: str) -> dict[str, str]:
    return {**GRANT, "client_id": crm.client, "client_secret": crm.secret, **more}


def refused(answer: httpx.Response, status: int, error: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_a_client_of_another_house_gets_a_token_and_calls(gateway: Gateway, crm: Program) -> None:
    for method in ("client_secret_basic", "client_secret_post"):
        async with AsyncOAuth2Client(crm.client, crm.secret, token_endpoint_auth_method=method) as client:
            token = await client.fetch_token(f"{gateway.url}/oauth2/token", scope="catalog.products.list")
            assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 900, "catalog.products.list")
            assert (await client.get(f"{gateway.url}/v1/products")).status_code == 200
            made = await client.post(f"{gateway.url}/v1/products", json={"displayName": "Seat", "family": "core"})
    assert made.status_code == 403
    challenge = 'Bearer realm="revops", error="insufficient_scope", scope="catalog.products.create"'
    assert made.headers["www-authenticate"] == challenge


async def test_the_issuer_describes_itself_and_its_keys_verify_its_tokens(gateway: Gateway, crm: Program) -> None:
    async with gateway.client() as client:
        about = (await client.get("/.well-known/oauth-authorization-server")).json()
        keys = (await client.get("/.well-known/jwks.json")).json()
    assert about["issuer"] == OWN_ISSUER
    assert about["token_endpoint"] == f"{OWN_ISSUER}/oauth2/token"
    assert about["jwks_uri"] == f"{OWN_ISSUER}/.well-known/jwks.json"
    assert about["grant_types_supported"] == ["client_credentials"]
    answer = await asked(gateway, credentials(crm))
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    decoded = jwt.decode(answer.json()["access_token"], KeySet.import_key_set(keys))
    assert (decoded.claims["iss"], decoded.claims["client_id"]) == (OWN_ISSUER, crm.client)
    assert all(not {"d", "k", "p", "q"} & set(key) for key in keys["keys"])


async def test_without_a_scope_a_token_has_everything_and_says_so(gateway: Gateway, crm: Program) -> None:
    for scope in ({}, {"scope": ""}, {"scope": "*"}):
        assert (await asked(gateway, credentials(crm, **scope))).json()["scope"] == "*"


async def test_wrong_credentials_are_all_refused_alike(gateway: Gateway, crm: Program, world: World) -> None:
    stranger = await program(await world.caller("admin"))
    mixed = crm.client.replace(crm.anna.tenant.hex, stranger.anna.tenant.hex)
    wrong = [
        (crm.client, "0" * 64),
        (crm.client[:-1] + ("0" if crm.client[-1] != "0" else "1"), crm.secret),
        (mixed, crm.secret),
        (stranger.client, crm.secret),
        (f"rk_{'0' * 32}_x", crm.secret),
        (crm.key, crm.secret),
        ("rk_", "x"),
        ("nobody", "x"),
        ("é", "ü"),
        (crm.client, f"{crm.secret}_"),
        (crm.client, f" {crm.secret}"),
        (crm.client.removeprefix("rk_"), crm.secret),
        ("", crm.secret),
        (crm.client, ""),
    ]
    seen = set()
    for client, secret in wrong:
        for answer in (
            await asked(gateway, {**GRANT, "client_id": client, "client_secret": secret}),
            await asked(gateway, GRANT, authorization=basic(client, secret)),
        ):
            refused(answer, 401, "invalid_client")
            told = {name: text for name, text in answer.headers.items() if name not in {"date", "ratelimit"}}
            seen.add((answer.text, json.dumps(told, sort_keys=True)))
    assert len(seen) == 1


async def test_a_wrong_secret_reaches_the_audit_log_of_the_tenant(gateway: Gateway, crm: Program, world: World) -> None:
    refused(await asked(gateway, credentials(crm, client_secret="0" * 64)), 401, "invalid_client")
    await asked(gateway, credentials(crm))
    await world.kernel.refusals.flush()
    rows = await world.owner.fetch(
        "SELECT principal, outcome FROM kernel.audit WHERE tenant_id=$1 AND method=$2 ORDER BY id",
        crm.anna.tenant,
        "revops.platform.v1.TokenService.IssueToken",
    )
    key = f"{crm.account}/apiKeys/{crm.client.rpartition('_')[2]}"
    assert {(row["principal"], row["outcome"]) for row in rows} == {(key, "CREDENTIALS_INVALID"), (crm.account, "OK")}


async def test_no_secret_is_logged(gateway: Gateway, crm: Program, caplog: pytest.LogCaptureFixture, world: World) -> None:
    caplog.set_level("DEBUG")
    lines: list[Any] = []
    world.kernel.observer.write = lines.append
    try:
        token = (await asked(gateway, credentials(crm))).json()["access_token"]
        await asked(gateway, credentials(crm, scope="platform.roles.*"))
        await asked(gateway, credentials(crm, client_secret="1" * 64))
    finally:
        world.kernel.observer.write = None
    assert lines
    for secret in (token, crm.secret, "1" * 64):
        assert secret not in caplog.text
        assert secret not in repr(lines)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "x"}, "unsupported_grant_type"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&scope=a&scope=b", "invalid_request"),
        ("grant_type", "invalid_request"),
        ("grant_type=%ff", "invalid_request"),
        ("grant_type=client_credentials&client_id=\xff".encode("latin-1"), "invalid_request"),
        ("&".join(f"x{n}=1" for n in range(30)), "invalid_request"),
        ('{"grant_type": "client_credentials"}', "invalid_request"),
        ({**GRANT, "scope": "platform.roles.*"}, "invalid_scope"),
        ({**GRANT, "scope": "catalog.* -catalog.products.get"}, "invalid_scope"),
        ({**GRANT, "scope": "é"}, "invalid_scope"),
        ({**GRANT, "scope": "a" * 101}, "invalid_scope"),
        ({**GRANT, "scope": " ".join(["catalog.*"] * 51)}, "invalid_scope"),
    ],
)
async def test_a_wrong_form_is_told_what_is_wrong(gateway: Gateway, crm: Program, form: Any, error: str) -> None:
    refused(await asked(gateway, form, authorization=basic(crm.client, crm.secret)), 400, error)


async def test_credentials_are_sent_once_and_never_in_the_url(gateway: Gateway, crm: Program) -> None:
    both = await asked(gateway, credentials(crm), authorization=basic(crm.client, crm.secret))
    refused(both, 400, "invalid_request")
    other = await asked(gateway, {**GRANT, "client_id": "rk_other"}, authorization=basic(crm.client, crm.secret))
    refused(other, 400, "invalid_request")
    same = await asked(gateway, {**GRANT, "client_id": crm.client}, authorization=basic(crm.client, crm.secret))
    assert same.status_code == 200
    async with gateway.client() as client:
        in_url = await client.post(f"/oauth2/token?{urlencode(credentials(crm))}", headers={"content-type": FORM})
        refused(in_url, 400, "invalid_request")
        got = await client.get("/oauth2/token")
        assert (got.status_code, got.headers["allow"]) == (405, "POST")
        as_json = await client.post("/oauth2/token", json=credentials(crm))
        refused(as_json, 400, "invalid_request")


async def test_an_authorization_that_is_no_basic_one_is_refused(gateway: Gateway, crm: Program) -> None:
    encoded = basic(crm.client, crm.secret).removeprefix("Basic ")
    for sent in (f"Bearer {crm.key}", f"Bearer {encoded}", "Basic", "Basic !", "Basic eA==", "Basic /w==", encoded):
        refused(await asked(gateway, GRANT, authorization=sent), 401, "invalid_client")
    assert (await asked(gateway, GRANT, authorization=f"bAsIc {encoded}")).status_code == 200


async def test_a_token_is_no_client(gateway: Gateway, crm: Program) -> None:
    """Nor is one that is cut at an underscore, of which base64url has some, so that both halves make it whole again."""
    token = (await asked(gateway, credentials(crm))).json()["access_token"]
    for client, secret in (("rk_x", token), (token, "x"), (token[:-4], token[-4:]), *[(token.partition("_")[0], "x")]):
        refused(await asked(gateway, {**GRANT, "client_id": client, "client_secret": secret}), 401, "invalid_client")


async def test_a_revoked_key_gets_no_token_and_its_tokens_end(
    gateway: Gateway, crm: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await asked(gateway, credentials(crm))).json()["access_token"]
    async with gateway.client(token) as client:
        assert (await client.get("/v1/products")).status_code == 200
        name = f"{crm.account}/apiKeys/{crm.client.rpartition('_')[2]}"
        await crm.anna(access.DeleteApiKeyRequest(name=name))
        monkeypatch.setattr(clock, "_OFFSET", timedelta(seconds=30))
        refused(await asked(gateway, credentials(crm)), 401, "invalid_client")
        answer = await client.get("/v1/products")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="revops", error="invalid_token", error_description="')


async def test_an_expired_token_is_told_to_get_a_new_one(gateway: Gateway, crm: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    token = (await asked(gateway, credentials(crm))).json()["access_token"]
    monkeypatch.setattr(clock, "_OFFSET", timedelta(seconds=901))
    async with gateway.client(token) as client:
        answer = await client.get("/v1/products")
    assert (answer.status_code, answer.json()["error"]["details"][0]["reason"]) == (401, "CREDENTIALS_EXPIRED")
    assert (await asked(gateway, credentials(crm))).status_code == 200


async def test_whoever_sends_no_credentials_is_told_of_no_error(gateway: Gateway) -> None:
    async with gateway.client() as client:
        answer = await client.get("/v1/products")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="revops"')


async def test_a_partner_s_program_stays_within_its_partner(gateway: Gateway, world: World) -> None:
    north = await program(await world.caller("admin"), "partner", partner="partners/north")
    token = (await asked(gateway, credentials(north))).json()["access_token"]
    async with gateway.client(token) as client:
        caller = (await client.get("/v1/caller")).json()
        assert (caller["name"], caller["partner"]) == (north.account, "partners/north")
        assert (await client.get("/v1/quotes")).json() == {}


TEXT = st.text(max_size=40) | st.sampled_from(["client_credentials", "rk_", "_", "*", "\0", "a=b&c=d", "%"])


@given(
    pairs=st.lists(
        st.tuples(st.sampled_from(["grant_type", "client_id", "client_secret", "scope", "x"]) | TEXT, TEXT), max_size=8
    )
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_no_form_makes_a_fault(pairs: list[tuple[str, str]], doors: Any) -> None:
    """Against the endpoint itself, without limits."""
    endpoint, events = TokenEndpoint(doors["in process"]), []
    sent = urlencode(pairs, errors="surrogatepass").encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": sent}

    async def send(event: Any) -> None:
        events.append(event)

    headers = [(b"content-type", FORM.encode()), (b"content-length", str(len(sent)).encode())]
    scope = {"method": "POST", "query_string": b"", "headers": headers, "client": None}
    await endpoint(scope, receive, send)
    assert events[0]["status"] in (400, 401)
    assert json.loads(events[1]["body"])["error"] in {"invalid_request", "invalid_client", "unsupported_grant_type"}


async def test_a_client_that_does_not_speak_oauth_calls_the_method(gateway: Gateway, crm: Program) -> None:
    async with gateway.client(crm.key) as client:
        answer = await client.post("/v1/tokens:issue", json={"scopes": ["catalog.*"]})
    assert (answer.status_code, answer.json()["scope"], answer.json()["expires_in"]) == (200, "catalog.*", 900)
