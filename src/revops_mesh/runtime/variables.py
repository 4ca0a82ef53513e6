"""Settings from variables: a dataclass names them, and everything that is wrong with an environment is told at once.

msgspec converts, because it is here anyway; libraries for settings stop at the first problem, or name the fields of a class
instead of the variables that an operator has to mend.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Self, get_type_hints

import msgspec
from msgspec import Meta

_LIST = re.compile(r"[,\s]+")

HOST = r"^[^\s/]+"
PORT = r":(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$"
Seconds = Annotated[float, Meta(ge=0, le=300, description="a number of seconds from 0 to 300")]
File = Annotated[Path | None, Meta(description="a file that exists")]
OtlpEndpoint = Annotated[str, Meta(pattern=r"^https?://[^\s/]+", description="http(s)://host:port")]
Share = Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")]
Address = Annotated[str, Meta(pattern=HOST + PORT, description="host:port")]
Origins = Annotated[
    frozenset[Annotated[str, Meta(pattern=r"^(\*|https?://[^\s/]+)$")]],
    Meta(description="origins as in https://app.example, separated by commas, or *"),
]


class SettingsError(ValueError):
    """Settings are wrong; `problems` names each variable and the reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("settings are wrong:\n  " + "\n  ".join(problems))
        self.problems = problems


Networks = Annotated[
    frozenset[str],
    Meta(description="addresses or networks as in 10.0.0.0/8, separated by commas"),
]


@dataclass(frozen=True, kw_only=True)
class Variables:
    """Read from `REVOPS_…` variables; that of a field `pool_size` is `REVOPS_POOL_SIZE`. Its description says what it expects."""

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
        problems += cls.contradictions(values)
        if problems:
            raise SettingsError(problems)
        return cls(**values)

    @classmethod
    def contradictions(cls, values: Mapping[str, Any]) -> Iterator[str]:
        """Problems of values that are each well formed; by name of the field, as far as they are set."""
        return iter(())


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


def no_networks(values: Mapping[str, Any], name: str) -> Iterator[str]:
    """The problems of texts that are to be `Networks`."""
    for text in sorted(values.get(name, ())):
        try:
            ip_network(text)
        except ValueError as error:
            yield f"REVOPS_{name.upper()}: {error}"


def half_pairs(values: Mapping[str, Any], cert: str, key: str) -> Iterator[str]:
    """The problem of a certificate without its key or a key without its certificate."""
    if (cert in values) != (key in values):
        yield f"REVOPS_{(key if cert in values else cert).upper()}: required, because the other half of the pair is set"
