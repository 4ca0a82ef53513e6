"""What schemathesis makes of the OpenAPI document: requests that fit it, and requests that do not. They follow from the seed."""

import json
from collections.abc import Iterator
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.contract.methods import ROOT
from tests.hostile.https import Http

SENT = ("method", "url", "headers", "params", "data", "json", "cookies")
OF_THE_CONNECTION = ("host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", "user-agent")
"""Headers that the door itself sends."""


def https(examples: int, begun: int, wanted: str = "") -> Iterator[Http]:
    """So many requests of each kind for every operation, or for those whose path contains `wanted`."""
    schema = schemathesis.openapi.from_dict(json.loads((ROOT / "generated/openapi/revops.json").read_text()))
    for result in schema.get_all_operations():
        operation = result.ok()
        if wanted in operation.path:
            for mode in GenerationMode:
                for case in _drawn(operation, mode, examples, begun):
                    yield _http(f"schemathesis {mode.value}", case)


def _drawn(operation: Any, mode: GenerationMode, examples: int, begun: int) -> list[Any]:
    found: list[Any] = []

    @seed(begun)
    @settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    @given(operation.as_strategy(generation_mode=mode))
    def draw(case: Any) -> None:
        found.append(case)

    try:
        draw()
    except Unsatisfiable:  # nothing about it can be wrong
        return []
    return found


def _http(kind: str, case: Any) -> Http:
    sent = case.as_transport_kwargs(base_url="http://x")
    prepared = requests.Request(**{name: value for name, value in sent.items() if name in SENT}).prepare()
    headers = {name: value for name, value in prepared.headers.items() if name.lower() not in OF_THE_CONNECTION}
    if headers.pop("Authorization", "") and kind.endswith("negative"):
        headers["authorization"] = "Bearer of nobody"
    body = prepared.body
    return Http(kind, str(prepared.method), str(prepared.path_url), headers, body.encode() if isinstance(body, str) else body)
