"""The gateway's settings: `REVOPS_…` variables, or files that `REVOPS_…_FILE` names. Times are seconds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from revops_mesh.runtime.variables import (
    HOST,
    PORT,
    Address,
    File,
    Networks,
    Origins,
    OtlpEndpoint,
    Seconds,
    Share,
    Variables,
    half_pairs,
    no_networks,
)


@dataclass(frozen=True, kw_only=True)
class GatewaySettings(Variables):
    """What a gateway needs to know of its surroundings."""

    http_address: Address = "127.0.0.1:8080"
    member: Annotated[
        str, Meta(pattern=r"^(https://)?" + HOST.removeprefix("^") + PORT, description="host:port, or https://host:port for TLS")
    ] = "127.0.0.1:7050"
    """Where the member serves gRPC."""
    member_ca: File = None
    """Authority of the member's certificate; those of the system if none."""
    member_cert: File = None
    member_key: File = None
    """With both, the gateway shows the member a certificate of its own."""
    cors_origins: Origins = frozenset()
    otlp_endpoint: OtlpEndpoint = ""
    """Without it there are no spans."""
    sampled_share: Share = 0.0
    trusted_proxies: Networks = frozenset()
    """Who may tell in X-Forwarded-For for whom they ask."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Meta(description="DEBUG, INFO, WARNING or ERROR")] = "INFO"
    tls_cert: File = None
    tls_key: File = None
    tls_client_ca: File = None
    loop: Annotated[Literal["uvloop", "asyncio"], Meta(description="uvloop or asyncio")] = "uvloop"
    drain_seconds: Seconds = 0.0
    grace_seconds: Seconds = 30.0

    @classmethod
    def contradictions(cls, values: Mapping[str, Any]) -> Iterator[str]:
        """Halves of pairs, and files for TLS to a member that is not called by TLS."""
        yield from half_pairs(values, "tls_cert", "tls_key")
        yield from half_pairs(values, "member_cert", "member_key")
        yield from no_networks(values, "trusted_proxies")
        if "tls_client_ca" in values and "tls_cert" not in values:
            yield "REVOPS_TLS_CLIENT_CA: needs REVOPS_TLS_CERT and REVOPS_TLS_KEY"
        if {"member_ca", "member_cert"} & values.keys() and not values.get("member", "").startswith("https://"):
            yield "REVOPS_MEMBER: must start with https://, because certificates are given"
