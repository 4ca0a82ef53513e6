"""Tokens of real processes: keys are added to their file while they run, and limits hold to the last request by a real clock."""

import json
from collections import Counter
from time import monotonic
from typing import Any
from uuid import UUID

import httpx
from joserfc.jwk import KeySet
from revops.options.v1 import options_pb2 as options

from revops_mesh.identity import Issuer, Tokens
from revops_mesh.kernel.principal import Principal
from revops_mesh.runtime.keys import DevelopmentIssuer, add_token_key
from tests.gateway.partners.processes import Installation
from tests.world import FREE, TEAM, World


async def made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a POST makes."""
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_key_that_is_added_while_it_runs_is_trusted_at_once(
    installation: Installation, world: World, issuer: DevelopmentIssuer
) -> None:
    admin = issuer.issue("users/anna", await world.tenant(TEAM), ["admin"])
    async with httpx.AsyncClient(base_url=installation.url, headers={"authorization": f"Bearer {admin}"}) as client:
        await made(client, "/v1/serviceAccounts?serviceAccountId=shop", {"displayName": "Shop", "roles": ["viewer"]})
        key = (await made(client, "/v1/serviceAccounts/shop/apiKeys", {}))["secret"].rpartition("_")[0]
    added = add_token_key(installation.keys)
    held = [each for each in json.loads(installation.keys.read_text())["keys"] if each["kid"] == added]
    elsewhere = Issuer(Tokens(KeySet.import_key_set({"keys": held}), installation.url, "revops"))
    who = Principal("serviceAccounts/shop", UUID(hex=key.split("_")[1]), frozenset(), TEAM, key=key)
    async with httpx.AsyncClient(base_url=installation.url) as client:
        answer = await client.get("/v1/caller", headers={"authorization": f"Bearer {elsewhere.issue(who, ['*'])}"})
        assert (answer.status_code, answer.json()["name"]) == (200, "serviceAccounts/shop")
        published = (await client.get("/.well-known/jwks.json")).json()["keys"]
        assert published[-1]["kid"] == added
        token = await client.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(key, "0" * 64))
        assert token.status_code == 401


async def test_by_a_real_clock_a_caller_gets_its_burst_and_its_rate(
    installation: Installation, world: World, issuer: DevelopmentIssuer
) -> None:
    """However fast the machine is: no less than the burst, and no more than it and what the time brought."""
    token = issuer.issue("users/anna", await world.tenant(FREE), ["admin"])
    rate = options.Edition.DESCRIPTOR.values_by_number[FREE].GetOptions().Extensions[options.rate]
    statuses: Counter[int] = Counter()
    async with httpx.AsyncClient(base_url=installation.url, headers={"authorization": f"Bearer {token}"}) as client:
        begun = monotonic()
        for _ in range(3 * rate.caller_burst):
            statuses[(await client.get("/v1/caller")).status_code] += 1
        seconds = monotonic() - begun
    assert set(statuses) <= {200, 429}
    assert rate.caller_burst <= statuses[200] <= rate.caller_burst + rate.caller_per_second * seconds + 1
