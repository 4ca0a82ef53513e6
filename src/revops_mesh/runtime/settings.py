"""The member's settings: `REVOPS_…` variables, or files that `REVOPS_…_FILE` names, as a secret store mounts them.

Times are seconds. msgspec converts, because it is here anyway; libraries for settings stop at the first problem, or name the
fields of a class instead of the variables that an operator has to mend.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_type_hints

import msgspec
from msgspec import Meta

_PORT = r":(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$"
_LIST = re.compile(r"[,\s]+")

_HOST = r"^[^\s/]+"
_LOOPBACK = r"^(127\.0\.0\.1|\[::1\]|localhost)"

Role = Literal["rpc", "relay", "reactions", "timers", "operations"]
Secret = Annotated[bytes, Meta(min_length=32)]
Seconds = Annotated[float, Meta(ge=0, le=300, description="a number of seconds from 0 to 300")]
File = Annotated[Path | None, Meta(description="a file that exists")]


class SettingsError(ValueError):
    """Settings are wrong; `problems` names each variable and the reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("settings are wrong:\n  " + "\n  ".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a member needs to know of its surroundings; the variable of `pool_size` is `REVOPS_POOL_SIZE`."""

    database_url: Annotated[str, Meta(pattern=r"^postgres(ql)?://[^\s/]+/\w+", description="postgresql://host:port/database")] = (
        field(repr=False)
    )
    nats_url: Annotated[str, Meta(pattern=r"^(nats|tls|wss?)://[^\s/]+", description="nats://host:port")] = field(
        default="nats://127.0.0.1:4222", repr=False
    )
    grpc_address: Annotated[str, Meta(pattern=_HOST + _PORT, description="host:port")] = "127.0.0.1:7050"
    admin_address: Annotated[str, Meta(pattern=_LOOPBACK + _PORT, description="loopback:port")] = "127.0.0.1:7090"
    """Of the first worker; the next ones take the ports after it."""
    issuer: Annotated[str, Meta(description="text")]
    audience: Annotated[str, Meta(description="text")] = "revops"
    jwks: Annotated[str, Meta(pattern=r"^(https?://\S+|(?!\w+://).+)$", description="a file or an http(s) URL")]
    page_token_secrets: Annotated[
        tuple[Secret, ...], Meta(min_length=1, description="secrets of at least 32 bytes in base64, separated by commas")
    ] = field(repr=False)
    """The first signs, all verify."""
    roles: Annotated[
        frozenset[Role], Meta(min_length=1, description=f"some of {', '.join(get_args(Role))}, separated by commas")
    ] = frozenset(("rpc", "relay", "reactions", "timers", "operations"))
    only: Annotated[frozenset[str], Meta(description="capabilities, separated by commas")] = frozenset()
    """Capabilities to serve; all if empty."""
    workers: Annotated[int, Meta(ge=1, le=64, description="a whole number from 1 to 64")] = 1
    worker: Annotated[int, Meta(ge=-1, le=63, description="a whole number from -1 to 63")] = -1
    """Which of several workers this process is, as the process that keeps them tells it; -1 for none of them."""
    pool_size: Annotated[int, Meta(ge=1, le=100, description="a whole number from 1 to 100")] = 16
    otlp_endpoint: Annotated[str, Meta(pattern=r"^https?://[^\s/]+", description="http(s)://host:port")] = ""
    """Without it nothing is sent, and calls that arrive without a trace get none."""
    sampled_share: Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")] = 0.0
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
    def read(cls, environ: Mapping[str, str]) -> Self:
        """The settings of an environment; `SettingsError` tells everything that is wrong with them."""
        values: dict[str, Any] = {}
        problems: list[str] = []
        hints = get_type_hints(cls, include_extras=True)
        for each in fields(cls):
            name, hint, text = f"REVOPS_{each.name.upper()}", hints[each.name], ""
            try:
                text = _text(environ, name)
                if text:
                    values[each.name] = _value(text, hint)
                elif each.default is MISSING:
                    problems.append(f"{name}: required, but not set")
            except ValueError as error:
                got = f", got {text!r}" if each.repr and text else ""
                problems.append(f"{name}: {error}{got}")
        problems += _contradictions(values)
        if problems:
            raise SettingsError(problems)
        return cls(**values)


def _text(environ: Mapping[str, str], name: str) -> str:
    """The text of a variable or of the file that its `_FILE` names, "" if neither is set."""
    text, path = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "")
    if text and path:
        raise ValueError(f"set it or {name}_FILE, not both")
    try:
        return Path(path).read_text().strip() if path else text
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}_FILE names {path!r}, which cannot be read: {type(error).__name__}") from None


def _value(text: str, hint: Any) -> Any:
    several = getattr(hint.__origin__, "__origin__", None) in (frozenset, tuple)
    given = [part for part in _LIST.split(text) if part] if several else text
    try:
        return msgspec.convert(given, hint, strict=False, dec_hook=_existing)
    except msgspec.ValidationError:
        raise ValueError(f"expected {hint.__metadata__[0].description}") from None


def _existing(kind: type, text: str) -> Path:
    if not Path(text).is_file():
        raise ValueError("no such file")
    return Path(text)


def _contradictions(values: Mapping[str, Any]) -> Iterator[str]:
    if ("tls_cert" in values) != ("tls_key" in values):
        yield f"REVOPS_TLS_{'KEY' if 'tls_cert' in values else 'CERT'}: required, because the other half of the pair is set"
    if "tls_client_ca" in values and "tls_cert" not in values:
        yield "REVOPS_TLS_CLIENT_CA: needs REVOPS_TLS_CERT and REVOPS_TLS_KEY"
    if values.get("workers", 1) > 1 and values.get("grpc_address", "").endswith(":0"):
        yield "REVOPS_GRPC_ADDRESS: several workers cannot share a port that the system chooses; name one"
