"""Every journey is made twice, in one process and with one process for each capability, and ends alike word by word."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from revops_mesh.local.postgres import Postgres
from tests.journeys import selling
from tests.journeys.topologies import CERTIFICATES, TOGETHER, Installation, Said, installation


async def journey(into: Installation) -> tuple[list[Said], list[Any]]:
    """What was said on the way, and what is left."""
    stage = await selling.told(into)
    await selling.sold(stage)
    await selling.refused(stage)
    await selling.by_program(stage)
    return into.said, await selling.left(stage)


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Where two outcomes differ, shortly."""
    if isinstance(one, Said) and isinstance(other, Said):
        yield from differences([one.request, one.outcome], [other.request, other.outcome], one.request[:100])
    elif isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from differences(one.get(key), other.get(key), f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for n, (each, its) in enumerate(zip(one, other, strict=True)):
            yield from differences(each, its, f"{path}[{n}]")
    elif isinstance(one, list) and isinstance(other, list):
        ours, theirs = (Counter(map(str, each)) for each in (one, other))
        yield f"{path}: only here {ours - theirs}, only there {theirs - ours}"
    elif one != other:
        yield f"{path}: {str(one)[:300]} ≠ {str(other)[:300]}"


@pytest.mark.timeout(300)
async def test_a_journey_ends_alike_in_one_process_and_in_one_for_each_capability(
    postgres: Postgres, template: str, tmp_path: Path
) -> None:
    made = {}
    for kind in (TOGETHER, CERTIFICATES):
        folder = tmp_path / kind
        folder.mkdir()
        async with installation(kind, postgres, template, folder) as opened:
            made[kind] = await journey(opened)
    said, left = made[TOGETHER]
    outcomes = Counter(each.outcome[1] if isinstance(each.outcome, list) else "OK" for each in said)
    print(f"{len(said)} calls: {dict(outcomes.most_common())}")
    assert outcomes["OK"] > 150
    assert len(outcomes) > 10, "the journey meets many refusals"
    assert not {"FAULT", "", "OVERLOADED"} & outcomes.keys()
    for one, other in zip((*said, *left), (*made[CERTIFICATES][0], *made[CERTIFICATES][1]), strict=True):
        assert list(differences(one, other)) == []
