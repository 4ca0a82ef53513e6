"""The issuer's keys may be rotated at any time: no call with a good token is lost, none with a withdrawn key is let in."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2 as details
from revops.catalog.v1 import products_pb2 as pb

from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import new_uuid
from revops_mesh.runtime.jwks import KeySource
from revops_mesh.runtime.keys import ISSUER, DevelopmentIssuer
from tests.runtime.calling import Client, member_process
from tests.world import World

CREATE = pb.CreateProductRequest(product=pb.Product(display_name="Vault"))


@pytest.fixture
def issuers(tmp_path: Path) -> list[DevelopmentIssuer]:
    return [DevelopmentIssuer(tmp_path / name) for name in ("old", "new", "other")]


def published(*issuers: DevelopmentIssuer) -> str:
    return json.dumps({"keys": [json.loads(issuer.jwks.read_text())["keys"][0] for issuer in issuers]})


def publish(path: Path, *issuers: DevelopmentIssuer) -> None:
    """Replaces a file at once, as a mounted secret is replaced."""
    fresh = path.with_suffix(".fresh")
    fresh.write_text(published(*issuers))
    fresh.replace(path)


class Site(http.server.ThreadingHTTPServer):
    """A web server with one text, which counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.text, self.status, self.asked = "", 200, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/jwks.json"


class _Asked(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site = self.server
        assert isinstance(site, Site)
        site.asked += 1
        self.send_response(site.status)
        self.end_headers()
        self.wfile.write(site.text.encode())

    def log_message(self, *of: Any) -> None: ...


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.shutdown()
    site.server_close()


def refused(keys: KeySource, token: str) -> Failure:
    with pytest.raises(Failure) as caught:
        keys.tokens.verify(token)
    return caught.value


async def test_a_rotation_under_load_loses_no_call(
    environ: dict[str, str], world: World, issuers: list[DevelopmentIssuer], tmp_path: Path
) -> None:
    old, new, other = issuers
    tenant, jwks = await world.tenant(), tmp_path / "jwks.json"
    publish(jwks, old)
    with member_process(environ, REVOPS_JWKS=str(jwks)) as running:
        async with grpc.aio.insecure_channel(running.address) as channel:
            signing, made = old, 0

            async def call_on(name: str, until: float) -> None:
                nonlocal made
                while monotonic() < until:
                    token = signing.issue(name, tenant, ["admin"])  # a fresh one every time: nothing is remembered
                    await Client(channel, token)(CREATE)
                    made += 1

            callers = [asyncio.create_task(call_on(f"users/{n}", monotonic() + 4)) for n in range(4)]
            await asyncio.sleep(1)
            publish(jwks, old, new)
            signing = new  # from this call on, nobody has told the member yet
            await asyncio.gather(*callers)
            assert made > 50
            withdrawn = Client(channel, old.issue("users/anna", tenant, ["admin"]))
            await withdrawn(CREATE)
            publish(jwks, new)
            await withdrawn(CREATE)  # kept until the set is read again, which an unknown key brings about
            stranger = Client(channel, other.issue("users/eve", tenant, ["admin"]))
            assert (await stranger.refusal(stranger(CREATE))).code == grpc.StatusCode.UNAUTHENTICATED
            gone = await withdrawn.refusal(withdrawn(CREATE))
            assert gone.details(details.ErrorInfo)[0].reason == "CREDENTIALS_INVALID"


async def test_a_call_that_was_verified_before_an_exchange_is_tried_again(site: Site, issuers: list[DevelopmentIssuer]) -> None:
    old, new, _ = issuers
    site.text = published(old)
    keys = KeySource(site.url, ISSUER, "revops")
    await keys.load()
    late = refused(keys, new.issue("users/anna", new_uuid(), []))
    site.text = published(new)
    await keys.load()  # as for another call, which came to it first
    assert await keys.recover(late)


async def test_keys_come_from_a_url_and_forged_tokens_have_it_asked_once_a_second(
    site: Site, issuers: list[DevelopmentIssuer]
) -> None:
    old, new, _ = issuers
    site.text = published(old)
    keys = KeySource(site.url, ISSUER, "revops")
    await keys.load()
    token = new.issue("users/anna", new_uuid(), [])
    begun = monotonic()
    answers = await asyncio.gather(*(keys.recover(refused(keys, token)) for _ in range(50)))
    assert not any(answers)
    assert monotonic() - begun < 2.5
    assert site.asked <= 3
    site.text = published(old, new)
    assert all(await asyncio.gather(*(keys.recover(refused(keys, token)) for _ in range(50))))
    assert keys.tokens.verify(token).name == "users/anna"


async def test_only_an_unknown_key_has_the_keys_read(site: Site, issuers: list[DevelopmentIssuer]) -> None:
    site.text = published(issuers[0])
    keys = KeySource(site.url, ISSUER, "revops")
    await keys.load()
    head, claims, _ = issuers[0].issue("users/anna", new_uuid(), []).split(".")
    for token in (f"{head}.{claims}.c2lnbmF0dXJl", "nonsense", issuers[0].issue("users/anna", new_uuid(), [], seconds=-60)):
        assert not await keys.recover(refused(keys, token))
    assert site.asked == 1


@pytest.mark.parametrize(
    ("text", "status"), [("{}", 200), ('{"keys":[]}', 200), ("<html>", 200), ("[]", 200), ("x" * (2 << 20), 200), ("", 503)]
)
async def test_a_set_that_cannot_be_read_changes_nothing(
    site: Site, issuers: list[DevelopmentIssuer], text: str, status: int
) -> None:
    site.text, told = published(issuers[0]), []
    keys = KeySource(site.url, ISSUER, "revops")
    keys.changed = lambda: told.append("changed")
    await keys.load()
    good = issuers[0].issue("users/anna", new_uuid(), [])
    site.text, site.status = text, status
    with pytest.raises((OSError, ValueError), match=r"jwks.json|503"):
        await keys.load()
    assert not await keys.recover(refused(keys, issuers[1].issue("users/anna", new_uuid(), [])))
    assert keys.tokens.verify(good).name == "users/anna"
    assert told == ["changed"]


def test_the_development_issuer_keeps_its_key_to_itself(tmp_path: Path) -> None:
    first, second = DevelopmentIssuer(tmp_path), DevelopmentIssuer(tmp_path)
    assert first.jwks.read_text() == second.jwks.read_text()
    assert (tmp_path / "issuer.json").stat().st_mode & 0o777 == 0o600
    assert json.loads(first.jwks.read_text())["keys"][0].keys() == {"kty", "crv", "x", "y", "kid"}
    assert {path.name for path in tmp_path.iterdir()} == {"issuer.json", "jwks.json"}


async def test_the_development_issuers_claims_are_those_that_are_read(tmp_path: Path) -> None:
    issuer, tenant = DevelopmentIssuer(tmp_path), new_uuid()
    keys = KeySource(str(issuer.jwks), ISSUER, "revops")
    await keys.load()
    identity = keys.tokens.verify(issuer.issue("users/anna", tenant, ["seller", "viewer"], "partners/acme"))
    assert (identity.name, identity.tenant, identity.roles) == ("users/anna", tenant, ("seller", "viewer"))
    assert identity.partner == "partners/acme"


def test_there_is_no_development_issuer_in_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVOPS_ENV", "production")
    with pytest.raises(ValueError, match="not 'production'"):
        DevelopmentIssuer(tmp_path)
