"""What the installation signs and what it recognises: its keys, their rotation, and forgeries between two issuers."""

from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from revops_mesh.identity import Issuer, Tokens
from revops_mesh.identity.issuer import TYPE, check_keys
from revops_mesh.kernel import clock
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.names import PLATFORM_TENANT
from revops_mesh.kernel.principal import Principal
from tests.platform.test_tokens import WHO, keyed, own, tokened
from tests.world import AUDIENCE, OWN_ISSUER, Caller, World


def forged(world: World, key: Any, header: dict[str, object] | None = None, **claims: object) -> str:
    alg = "ES256" if isinstance(key, ECKey) else "Ed25519"
    given = {"iss": OWN_ISSUER, "aud": AUDIENCE, "sub": "x", "scope": "*", "exp": int(clock.unix()) + 600, **claims}
    return jwt.encode({"alg": alg, "typ": TYPE, **(header or {})}, given, key, algorithms=[alg])


async def test_the_two_issuers_do_not_speak_for_each_other(world: World, anna: Caller) -> None:
    """A token of the provider may claim roles, one of the installation names a key: neither counts in the other's name."""
    program = await keyed(anna)
    client, provider, ours = program.token.rpartition("_")[0], world.key, own(world)._tokens.keys.keys[0]
    assert await Caller(world, anna.tenant, forged(world, ours, client_id=client))(WHO)
    bad = {
        "signed by the provider": forged(world, provider, client_id=client),
        "signed by anybody": forged(world, ECKey.generate_key("P-256"), client_id=client),
        "no access token": forged(world, ours, {"typ": "JWT"}, client_id=client),
        "for another audience": forged(world, ours, client_id=client, aud="other"),
        "roles instead of a key": forged(world, ours, tenant=anna.tenant.hex, roles=["admin"]),
        "no key": forged(world, ours, client_id="rk_x"),
        "no text": forged(world, ours, client_id=7),
        "a key of another tenant": forged(world, ours, client_id=client.replace(anna.tenant.hex, uuid4().hex)),
        "of the platform": forged(world, ours, client_id=client.replace(anna.tenant.hex, PLATFORM_TENANT.hex)),
        "the provider's, signed by us": forged(world, ours, iss="https://issuer.test", tenant=anna.tenant.hex, roles=["admin"]),
    }
    for what, token in bad.items():
        assert (await Caller(world, anna.tenant, token).refusal(WHO)).reason == "CREDENTIALS_INVALID", what


async def test_a_token_with_a_changed_letter_is_refused(world: World, anna: Caller) -> None:
    token = (await tokened(await keyed(anna))).token
    head, body, signature = token.split(".")
    for other in (
        f"{head}.{body[:-2]}AA.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}.",
        f"{head}..",
        ".",
    ):
        refusal = await Caller(world, anna.tenant, other).refusal(WHO)
        assert refusal.reason == "CREDENTIALS_INVALID"
        assert not refusal.metadata["problem"].endswith("Error"), "the name of a class of the library"


def test_keys_rotate_without_a_token_being_refused() -> None:
    """Added behind, moved to the front, removed when the last token of the old one has ended."""
    old, new = (ECKey.generate_key("P-256", auto_kid=True) for _ in range(2))
    tokens = Tokens(KeySet([old]), OWN_ISSUER, AUDIENCE)
    issuer, elsewhere = Issuer(tokens), Issuer(Tokens(KeySet([old, new]), OWN_ISSUER, AUDIENCE))
    who = _principal()
    first = issuer.issue(who, ["*"])
    tokens.keys = KeySet([new, old])
    second = issuer.issue(who, ["*"])
    for each in (issuer, elsewhere):
        assert each.grant(first).key_id == each.grant(second).key_id == "k1"
    assert [key["kid"] for key in issuer.public_keys()] == [new.kid, old.kid]
    tokens.keys = KeySet([new])
    assert issuer.grant(second)
    with pytest.raises(Failure):
        issuer.grant(first)


def _principal() -> Principal:
    return Principal("serviceAccounts/crm", uuid4(), frozenset(), 1, key=f"rk_{uuid4().hex}_k1")


@pytest.mark.parametrize("key", [ECKey.generate_key("P-256", auto_kid=True), OKPKey.generate_key("Ed25519", auto_kid=True)])
def test_what_is_published_is_public_and_enough(key: Any) -> None:
    issuer = Issuer(Tokens(KeySet([key]), OWN_ISSUER, AUDIENCE))
    (shown,) = issuer.public_keys()
    assert "d" not in shown
    verifier = Issuer(Tokens(KeySet.import_key_set({"keys": [dict(shown)]}), OWN_ISSUER, AUDIENCE))
    assert verifier.grant(issuer.issue(_principal(), ["*"]))
    assert (issuer.signs, verifier.signs) == (True, False)


def test_keys_that_cannot_sign_are_refused_with_their_reason() -> None:
    for key in (RSAKey.generate_key(2048, auto_kid=True), ECKey.generate_key("P-384", auto_kid=True)):
        with pytest.raises(ValueError, match="neither on P-256 nor on Ed25519"):
            check_keys(KeySet([key]))
