"""A short run of `make hostile`, and that its judge is no friend of ours."""

from pathlib import Path

import pytest

from tests.contract.methods import METHODS
from tests.hostile import by_schema, judging
from tests.hostile.https import Http
from tests.hostile.running import Hostilities, member
from tests.world import World

SEED, COUNT = 7, 1500
SOME = METHODS[:: len(METHODS) // 12]


async def test_hostile_requests_get_answers_or_refusals_at_both_doors(world: World, tmp_path: Path) -> None:
    with member(world, tmp_path) as at:
        report = await Hostilities(world, at, SEED, SOME).run(COUNT, by_schema.https(4, SEED, "/v1/quotes"))
    print(report)
    assert not report.problems, str(report)
    assert sum(report.sent.values()) >= COUNT
    assert {kind for door, kind in report.sent if door == "REST"} >= {
        "schemathesis positive",
        "schemathesis negative",
        "raw",
        "gzip",
    }


async def test_a_door_that_fails_or_tells_too_much_is_noticed(world: World, tmp_path: Path) -> None:
    with member(world, tmp_path, "tests.hostile.faulty_member") as at:
        report = await Hostilities(world, at, SEED, METHODS[:6]).run(240)
    told = "\n".join(report.problems)
    assert "gRPC, field: INTERNAL" in told
    assert "REST, field: 500" in told
    assert "log: " in told


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (500, b"", "500"),
        (503, b"", "503"),
        (400, b'{"error": {"details": []}}', "without a reason"),
        (400, b'{"error": {"details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ODD"}]}}', "ODD"),
        (400, b'{"error": {"message": "relation \\"quotes\\" does not exist"}}', "says"),
        (400, b"x" * 9000, "9000 bytes"),
        (200, b"", ""),
    ],
)
def test_the_judge(status: int, body: bytes, problem: str) -> None:
    found = judging.of_http(Http("field", "GET", "/v1/x"), status, {"content-type": "application/json"}, body)
    assert problem in found
    assert bool(found) == bool(problem)
