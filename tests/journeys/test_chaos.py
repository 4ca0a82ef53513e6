"""The short, seeded fault journey: everything is killed under load, and nothing is lost and nothing done twice."""

from pathlib import Path

import pytest

from tests.journeys import chaos, reconciler, tampering


@pytest.mark.timeout(300)
async def test_whatever_is_killed_nothing_is_lost_and_nothing_done_twice_and_each_check_would_notice(
    tmp_path: Path,
) -> None:
    """The sabotaged workers are for `make chaos`; here each check sees evidence with its promise broken."""
    outcome = await chaos.journey(chaos.SHORT, tmp_path, print)
    print("\n".join(outcome.lines()))
    assert reconciler.summary(outcome.findings) == []
    assert all(outcome.toll.kills[victim] >= times for victim, times in chaos.SHORT.kills.of.items())
    assert len(outcome.evidence.stream) > 100, "the load was too small to tell anything"
    assert list(tampering.unnoticed(outcome.evidence)) == []
