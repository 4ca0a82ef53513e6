"""A bucket is the textbook's, to the nanosecond, and what is remembered of buckets is bounded."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.gateway.rest import limits
from revops_mesh.gateway.rest.limits import ADDRESS_BURST, ADDRESS_PER_SECOND, SECOND, Bucket


async def test_what_is_remembered_is_bounded(doors: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KNOWN", 10)
    kept = limits.Limits(doors["in process"], ["127.0.0.1"], lambda: SECOND)
    for n in range(200):
        headers = {b"x-forwarded-for": f"192.0.2.{n}".encode()}
        await kept.admit(headers, "127.0.0.1", credentials=False)
        assert len(kept._buckets) <= 10


async def test_a_bucket_is_not_forgotten_while_it_is_needed(doors: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KNOWN", 10)
    now = [SECOND]
    kept = limits.Limits(doors["in process"], ["127.0.0.1"], lambda: now[0])
    noisy = {b"x-forwarded-for": b"203.0.113.1"}
    for _ in range(ADDRESS_BURST):
        await kept.admit(noisy, "127.0.0.1", credentials=False)
    for n in range(100):
        now[0] += SECOND // ADDRESS_PER_SECOND  # by now the quiet ones before are full again
        await kept.admit({b"x-forwarded-for": f"192.0.2.{n}".encode()}, "127.0.0.1", credentials=False)
    for _ in range(100):
        await kept.admit(noisy, "127.0.0.1", credentials=False)
    with pytest.raises(limits.Refused):
        await kept.admit(noisy, "127.0.0.1", credentials=False)


STEPS = st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=60)


@given(per_second=st.sampled_from([1, 5, 10, 20, 500, 1000]), factor=st.integers(1, 6), steps=STEPS)
def test_a_bucket_is_the_textbook_s(per_second: int, factor: int, steps: list[int]) -> None:
    """Against the definition in exact fractions: `burst` tokens at most, `per_second` of them a second."""
    burst, now = per_second * factor, 7 * SECOND
    bucket, level, at = Bucket("x", per_second, burst), Fraction(burst), now
    for step in steps:
        now += step
        level, at = min(Fraction(burst), level + Fraction((now - at) * per_second, SECOND)), now
        assert bucket.left(now) == int(level)
        assert (bucket.wait(now) == 0) == (level >= 1)
        if level >= 1:
            bucket.take(now)
            level -= 1
        else:
            wait = bucket.wait(now)
            assert Fraction(wait * per_second, SECOND) >= 1 - level > Fraction((wait - 1) * per_second, SECOND)
