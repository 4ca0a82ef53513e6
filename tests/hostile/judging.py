"""What an answer to a hostile request must be: an answer, or a refusal of the contract in few words that give nothing away."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from tests.contract.methods import contract
from tests.hostile.calls import Call
from tests.hostile.https import Http

LEAKS = re.compile(
    r"asyncpg|psycopg|SQLSTATE|syntax error at|query argument|(relation|column) \\?\"|constraint|Traceback|File \"|\.py\b"
    r"|0x[0-9a-f]{8}|revops_mesh|revops_app|NoneType|object has no|Exception|\b[A-Z]\w*(Error|Warning)\b|SELECT |INSERT |UPDATE "
)
LARGEST = 8 * 1024
"""Bytes of a refusal: more does not fit into the metadata that clients take."""
OF_THE_CLIENT = {"Invalid metadata", "Internal error from Core"}
"""What a client says of what it does not send: odd metadata, and a second request when the call has ended."""
OURS = {"INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE"}
"""Codes that say that the fault is not the caller's."""
NOT_THE_CALLERS = {"FAULT", "STORE_UNAVAILABLE", "MEMBER_UNAVAILABLE", "PEER_UNAVAILABLE"}


@cache
def reasons() -> frozenset[str]:
    """Every reason of the contract."""
    enums = contract().enums.values()
    return frozenset(value.name for enum in enums if enum.name.rpartition(".")[2].endswith("Reason") for value in enum.values)


def of_call(call: Call, error: grpc.aio.AioRpcError) -> str:
    """What is wrong with a refusal of the gRPC door, "" if nothing."""
    code, text = error.code().name, error.details() or ""
    if text in OF_THE_CLIENT:
        return ""
    if code in OURS:
        return f"{code}: {text[:200]}"
    if code == "DEADLINE_EXCEEDED":
        return "" if call.kind == "deadline" or call.follows else "it hung"
    if found := LEAKS.search(text):
        return f"says {found[0]!r}: {text[:200]}"
    metadata: Any = error.trailing_metadata() or ()
    packed = dict(metadata).get("grpc-status-details-bin")
    if packed is None:  # gRPC's own: no such method, a message beyond what it takes
        return "" if code in ("UNIMPLEMENTED", "RESOURCE_EXHAUSTED") else f"{code} without a reason: {text[:200]}"
    if len(packed) > LARGEST:
        return f"a refusal of {len(packed)} bytes"
    status = status_pb2.Status.FromString(packed)
    infos = [each for each in status.details if each.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
    if len(infos) != 1:
        return f"{len(infos)} ErrorInfo"
    return _reason(error_details_pb2.ErrorInfo.FromString(infos[0].value).reason)


def of_http(sent: Http, status: int, headers: Mapping[str, str], body: bytes) -> str:
    """What is wrong with an answer of the REST door, "" if nothing."""
    if status < 400 or (sent.verb == "HEAD" and status < 500):
        return ""
    if status >= 500 and status != 501:
        return f"{status}: {body[:200]!r}"
    text = body.decode("utf-8", "replace")
    if found := LEAKS.search(text):
        return f"says {found[0]!r}: {text[:200]}"
    if not headers.get("content-type", "").startswith("application/json"):
        # The server refuses before the bridge sees it.
        return "" if sent.raw is not None or not body or len(body) < 200 else f"{status} that is no JSON: {text[:200]}"
    if len(body) > LARGEST:
        return f"a refusal of {len(body)} bytes"
    try:
        details = json.loads(body)["error"]["details"]
        (info,) = [each for each in details if each["@type"].endswith("/google.rpc.ErrorInfo")]
    except (ValueError, KeyError, TypeError):
        return f"{status} without a reason: {text[:200]}" if sent.target != "/oauth2/token" else ""
    return _reason(info["reason"])


def _reason(reason: str) -> str:
    if reason in NOT_THE_CALLERS:
        return f"the reason {reason}"
    return "" if reason in reasons() else f"{reason or 'no reason'}, which no contract has"
