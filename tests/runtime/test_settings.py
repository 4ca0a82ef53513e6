"""Settings come from the environment and from files, and everything that is wrong with them is said at once."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from revops_mesh.gateway.settings import GatewaySettings
from revops_mesh.runtime.settings import Settings, SettingsError
from revops_mesh.runtime.variables import Variables
from tests.runtime.calling import ROOT

SECRET = "c2VjcmV0IG9mIHRlc3RzIHNlY3JldCBvZiB0ZXN0cyE="
GOOD = {
    "REVOPS_DATABASE_URL": "postgresql://app:hidden@db:5432/revops",
    "REVOPS_NATS_URL": "nats://user:hidden@nats:4222",
    "REVOPS_ISSUER": "https://issuer.test",
    "REVOPS_JWKS": "https://issuer.test/jwks.json",
    "REVOPS_PAGE_TOKEN_SECRETS": SECRET,
}
WRONG = {
    "DATABASE_URL": ["mysql://db/x", "postgresql://db:5432", "db"],
    "NATS_URL": ["http://nats:4222", "nats"],
    "GRPC_ADDRESS": ["7050", "host", "host:", "host:x", "host:65536", ":7050", "a b:1"],
    "ADMIN_ADDRESS": ["0.0.0.0:7090", "10.0.0.1:7090", "localhost.evil:1"],
    "JWKS": ["ftp://issuer/jwks", "file:///etc/passwd"],
    "TOKEN_ISSUER": ["api.acme.example", "https://api.acme.example/", "https://api.acme.example/x", "https://a b"],
    "TOKEN_KEYS": ["/nowhere/keys.json"],
    "PAGE_TOKEN_SECRETS": ["short", "c2hvcnQ=", f"{SECRET},c2hvcnQ=", ","],
    "ROLES": ["rpc,cook", ",", "RPC"],
    "WORKERS": ["0", "65", "two", "1.5"],
    "POOL_SIZE": ["0", "101", ""],
    "OTLP_ENDPOINT": ["collector:4317", "grpc://collector"],
    "SAMPLED_SHARE": ["1.1", "-0.1", "half", "nan"],
    "LOG_LEVEL": ["info", "TRACE"],
    "TLS_CERT": ["/nowhere/cert.pem"],
    "LOOP": ["trio"],
    "DRAIN_SECONDS": ["-1", "301", "inf"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in WRONG.items() for text in texts if text])
def test_a_wrong_value_is_named_with_its_reason(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        Settings.read({**GOOD, f"REVOPS_{name}": text})
    (problem, *more) = wrong.value.problems
    assert problem.startswith(f"REVOPS_{name}: expected ")
    secret = name in ("DATABASE_URL", "NATS_URL", "PAGE_TOKEN_SECRETS")
    assert (repr(text) in problem) != secret, "what is wrong is shown, unless it is a secret"
    assert not more or name in ("TLS_CERT", "TOKEN_ISSUER", "TOKEN_KEYS")


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(SettingsError) as wrong:
        Settings.read({"REVOPS_WORKERS": "none", "REVOPS_LOOP": "trio"})
    assert [problem.split(":")[0] for problem in wrong.value.problems] == [
        "REVOPS_DATABASE_URL",
        "REVOPS_ISSUER",
        "REVOPS_JWKS",
        "REVOPS_PAGE_TOKEN_SECRETS",
        "REVOPS_WORKERS",
        "REVOPS_LOOP",
    ]
    assert str(wrong.value).count("\n") == 6


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"REVOPS_TLS_KEY": __file__}, "REVOPS_TLS_CERT: required"),
        ({"REVOPS_TOKEN_KEYS": __file__}, "REVOPS_TOKEN_ISSUER: required"),
        ({"REVOPS_TOKEN_ISSUER": "https://a"}, "REVOPS_TOKEN_KEYS: required"),
        ({"REVOPS_TOKEN_ISSUER": GOOD["REVOPS_ISSUER"], "REVOPS_TOKEN_KEYS": __file__}, "REVOPS_TOKEN_ISSUER: must differ"),
        ({"REVOPS_TRUSTED_PROXIES": "10.0.0.0/8,proxy"}, "REVOPS_TRUSTED_PROXIES: 'proxy' does not appear"),
        ({"REVOPS_TRUSTED_PROXIES": "10.0.0.1/8"}, "REVOPS_TRUSTED_PROXIES: 10.0.0.1/8 has host bits set"),
        ({"REVOPS_TLS_CERT": __file__}, "REVOPS_TLS_KEY: required"),
        ({"REVOPS_TLS_CLIENT_CA": __file__}, "REVOPS_TLS_CLIENT_CA: needs"),
        ({"REVOPS_WORKERS": "2", "REVOPS_GRPC_ADDRESS": "127.0.0.1:0"}, "REVOPS_GRPC_ADDRESS: several workers"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(given: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        Settings.read({**GOOD, **given})


def test_values_are_what_they_mean() -> None:
    settings = Settings.read(
        {
            **GOOD,
            "REVOPS_GRPC_ADDRESS": "[::]:7051",
            "REVOPS_ROLES": "rpc, timers",
            "REVOPS_ONLY": "catalog,quoting",
            "REVOPS_POOL_SIZE": " 8 ",
            "REVOPS_SAMPLED_SHARE": "0.25",
            "REVOPS_PAGE_TOKEN_SECRETS": f"{SECRET},{SECRET}",
            "REVOPS_JWKS": "keys/jwks.json",
        }
    )
    assert (settings.grpc_address, settings.pool_size, settings.sampled_share) == ("[::]:7051", 8, 0.25)
    assert (settings.roles, settings.only) == ({"rpc", "timers"}, {"catalog", "quoting"})
    assert settings.page_token_secrets == (b"secret of tests secret of tests!",) * 2
    assert Settings.read(GOOD).grpc_address == "127.0.0.1:7050"


def test_a_file_may_hold_a_value(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://app:hidden@db/revops\n")
    given = {name: text for name, text in GOOD.items() if name != "REVOPS_DATABASE_URL"}
    settings = Settings.read({**given, "REVOPS_DATABASE_URL_FILE": str(tmp_path / "url")})
    assert settings.database_url == "postgresql://app:hidden@db/revops"
    with pytest.raises(SettingsError, match="REVOPS_DATABASE_URL: set it or REVOPS_DATABASE_URL_FILE, not both"):
        Settings.read({**GOOD, "REVOPS_DATABASE_URL_FILE": str(tmp_path / "url")})
    with pytest.raises(SettingsError, match=r"REVOPS_DATABASE_URL: REVOPS_DATABASE_URL_FILE names .*nothing.*FileNotFoundError"):
        Settings.read({**given, "REVOPS_DATABASE_URL_FILE": str(tmp_path / "nothing")})


def test_no_secret_is_ever_shown() -> None:
    shown = repr(Settings.read(GOOD))
    assert "hidden" not in shown
    assert SECRET not in shown
    assert "secret of tests" not in shown


@pytest.mark.parametrize(("title", "settings"), [("## Of a member", Settings), ("## Of a gateway", GatewaySettings)])
def test_the_page_names_every_setting(title: str, settings: type[Variables]) -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    section = page.partition(f"{title}\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"`REVOPS_([A-Z_]+)`", section)) == {field.name.upper() for field in fields(settings)} - {"WORKER"}


def test_every_default_is_as_the_page_says() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    for field in (*fields(Settings), *fields(GatewaySettings)):
        if isinstance(field.default, str | int) and field.default and field.name != "worker":
            assert f"| `REVOPS_{field.name.upper()}`" not in page or f"| `{field.default}`" in page, field.name
