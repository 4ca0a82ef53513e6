"""The member's settings: `REVOPS_…` variables, or files that `REVOPS_…_FILE` names, as a secret store mounts them.

Times are seconds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta

from .variables import (
    PORT,
    Address,
    File,
    Networks,
    Origins,
    OtlpEndpoint,
    Seconds,
    SettingsError,
    Share,
    Variables,
    half_pairs,
    no_networks,
)

__all__ = ["Settings", "SettingsError"]

_LOOPBACK = r"^(127\.0\.0\.1|\[::1\]|localhost)"

Role = Literal["rpc", "relay", "reactions", "timers", "operations"]
Secret = Annotated[bytes, Meta(min_length=32)]
Peer = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*=[^\s/=]+" + PORT)]
Service = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._/-]+=(roles|capabilities)/[A-Za-z0-9-]+$")]


@dataclass(frozen=True, kw_only=True)
class Settings(Variables):
    """What a member needs to know of its surroundings; the variable of `pool_size` is `REVOPS_POOL_SIZE`."""

    database_url: Annotated[str, Meta(pattern=r"^postgres(ql)?://[^\s/]+/\w+", description="postgresql://host:port/database")] = (
        field(repr=False)
    )
    nats_url: Annotated[str, Meta(pattern=r"^(nats|tls|wss?)://[^\s/]+", description="nats://host:port")] = field(
        default="nats://127.0.0.1:4222", repr=False
    )
    grpc_address: Address = "127.0.0.1:7050"
    admin_address: Annotated[str, Meta(pattern=_LOOPBACK + PORT, description="loopback:port")] = "127.0.0.1:7090"
    """Of the first worker; the next ones take the ports after it."""
    rest_address: Address = ""
    """Of the REST bridge in this process; none if empty."""
    cors_origins: Origins = frozenset()
    """Whose pages may call the bridge."""
    trusted_proxies: Networks = frozenset()
    """Who may tell the bridge in X-Forwarded-For for whom they ask."""
    issuer: Annotated[str, Meta(description="text")]
    audience: Annotated[str, Meta(description="text")] = "revops"
    jwks: Annotated[str, Meta(pattern=r"^(https?://\S+|(?!\w+://).+)$", description="a file or an http(s) URL")]
    token_issuer: Annotated[
        str, Meta(pattern=r"^https?://[^\s/?#]+$", description="an origin, as in https://api.acme.example")
    ] = ""
    """Where the HTTP API is reached from outside, which issues the installation's own tokens."""
    token_keys: File = None
    """JSON Web Key Set of the installation's own tokens, private; the first signs, all verify."""
    page_token_secrets: Annotated[
        tuple[Secret, ...], Meta(min_length=1, description="secrets of at least 32 bytes in base64, separated by commas")
    ] = field(repr=False)
    """The first signs page tokens and seals the secrets of webhooks, all verify and open them."""
    roles: Annotated[
        frozenset[Role], Meta(min_length=1, description=f"some of {', '.join(get_args(Role))}, separated by commas")
    ] = frozenset(("rpc", "relay", "reactions", "timers", "operations"))
    only: Annotated[frozenset[str], Meta(description="capabilities, separated by commas")] = frozenset()
    """Capabilities to serve; all if empty."""
    peers: Annotated[
        frozenset[Peer], Meta(description="capabilities and where they are served, as in catalog=host:port, separated by commas")
    ] = frozenset()
    """Where the capabilities are that this process asks and does not serve."""
    spiffe_trust_domain: Annotated[str, Meta(pattern=r"^[a-z0-9._-]{1,255}$", description="a name as in acme.example")] = ""
    services: Annotated[
        frozenset[Service],
        Meta(description="programs and what they are, as in ns/erp/sa/sync=roles/viewer or …=capabilities/quoting, with commas"),
    ] = frozenset()
    """Programs of the trust domain, by the path of their SPIFFE IDs."""
    service_token: File = None
    """A token of the issuer that proves to peers which program this is; for where connections end in between."""
    webhook_allowed_networks: Networks = frozenset()
    """Beside public addresses webhooks may go there, also without TLS."""
    workers: Annotated[int, Meta(ge=1, le=64, description="a whole number from 1 to 64")] = 1
    worker: Annotated[int, Meta(ge=-1, le=63, description="a whole number from -1 to 63")] = -1
    """Which of several workers this process is, as the process that keeps them tells it; -1 for none of them."""
    pool_size: Annotated[int, Meta(ge=1, le=100, description="a whole number from 1 to 100")] = 16
    otlp_endpoint: OtlpEndpoint = ""
    """Without it nothing is sent, and calls that arrive without a trace get none."""
    sampled_share: Share = 0.0
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Meta(description="DEBUG, INFO, WARNING or ERROR")] = "INFO"
    tls_cert: File = None
    tls_key: File = None
    tls_client_ca: File = None
    """With it, only clients with a certificate of this authority are let in."""
    loop: Annotated[Literal["uvloop", "asyncio"], Meta(description="uvloop or asyncio")] = "uvloop"
    drain_seconds: Seconds = 0.0
    """How long to serve on after NOT_SERVING was announced, until no new calls are sent here."""
    grace_seconds: Seconds = 30.0
    """How long calls under way may then take to finish."""

    @classmethod
    def contradictions(cls, values: Mapping[str, Any]) -> Iterator[str]:
        """Halves of pairs, and ports that several workers cannot share."""
        yield from half_pairs(values, "tls_cert", "tls_key")
        yield from half_pairs(values, "token_issuer", "token_keys")
        yield from no_networks(values, "trusted_proxies")
        yield from no_networks(values, "webhook_allowed_networks")
        if "token_issuer" in values and values["token_issuer"] == values.get("issuer"):
            yield "REVOPS_TOKEN_ISSUER: must differ from REVOPS_ISSUER, whose tokens say more"
        if "tls_client_ca" in values and "tls_cert" not in values:
            yield "REVOPS_TLS_CLIENT_CA: needs REVOPS_TLS_CERT and REVOPS_TLS_KEY"
        for name in ("grpc_address", "rest_address"):
            if values.get("workers", 1) > 1 and values.get(name, "").endswith(":0"):
                yield f"REVOPS_{name.upper()}: several workers cannot share a port that the system chooses; name one"
        asked = [each.partition("=")[0] for each in values.get("peers", ())]
        for twice in sorted({name for name in asked if asked.count(name) > 1}):
            yield f"REVOPS_PEERS: {twice} is named twice; give one name that resolves to all of its addresses"
        if asked and "service_token" not in values and "tls_client_ca" not in values:
            yield "REVOPS_PEERS: needs REVOPS_SERVICE_TOKEN, or REVOPS_TLS_CERT and REVOPS_TLS_CLIENT_CA: peers ask for proof"
        if "services" in values and "spiffe_trust_domain" not in values:
            yield "REVOPS_SERVICES: needs REVOPS_SPIFFE_TRUST_DOMAIN"
