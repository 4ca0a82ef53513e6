"""The reasons of refusals: what the contract says of each, and which of them an rpc's comment names.

Source: AIP-193.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from google.rpc import code_pb2

from revops_mesh.contracts.model import CODE, Contract, Enum, Method, Value
from revops_mesh.gateway.rest.statuses import http_status

PLATFORM = "revops.platform.v1.PlatformReason"
"""The enum whose reasons hold for every method."""

_NAME = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
_KEY = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Reason:
    """One value of a `…Reason` enum, as `google.rpc.ErrorInfo` carries it."""

    name: str
    domain: str
    code: str
    """Canonical status, as in `FAILED_PRECONDITION`."""
    metadata: tuple[str, ...]
    """Keys of the metadata, those that come only sometimes included."""
    meaning: str
    """What happened and what to do, without the sentence on metadata."""
    http_status: int
    platform: bool
    """Holds for every method, whether its comment names it or not."""


def reasons_of(enum: Enum) -> list[Reason]:
    """The reasons of an enum in the order of declaration; none if it holds no reasons."""
    return [_reason(enum, value) for value in enum.values if value.number] if enum.is_reason else []


def reasons(contract: Contract) -> dict[str, Reason]:
    """Every reason by name, in the order of names."""
    found = [reason for enum in contract.enums.values() for reason in reasons_of(enum)]
    return {reason.name: reason for reason in sorted(found, key=lambda reason: reason.name)}


def named_in(comment: str, known: dict[str, Reason]) -> list[Reason]:
    """The reasons that a comment names, in its order, each once."""
    return [known[name] for name in dict.fromkeys(_NAME.findall(comment)) if name in known]


def methods_by_reason(contract: Contract) -> dict[str, list[Method]]:
    """Name of a reason → the methods whose comments name it."""
    known = reasons(contract)
    found: dict[str, list[Method]] = {}
    for method in contract.methods:
        for reason in named_in(method.comment, known):
            found.setdefault(reason.name, []).append(method)
    return found


def _reason(enum: Enum, value: Value) -> Reason:
    meaning, _, metadata = value.comment.partition("Metadata:")
    code = code_pb2.Code.Name(value.options.get(CODE, 0))
    return Reason(
        name=value.name,
        domain=enum.full_name.rpartition(".")[0],
        code=code,
        metadata=tuple(_KEY.findall(metadata)),
        meaning=meaning.strip(),
        http_status=http_status(code, value.name),
        platform=enum.full_name == PLATFORM,
    )
