"""What a process counts beside its calls, read when it is sent. What there is, is listed in docs/telemetry.md."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from revops_mesh.kernel.pipeline import Kernel


class Reading(NamedTuple):
    """One value of one instrument; a rising one is a sum that only grows, the others are gauges."""

    name: str
    unit: str
    value: float
    attributes: Mapping[str, str] = {}
    rising: bool = False


def kernel_readings(kernel: Kernel) -> Iterator[Reading]:
    """What a kernel counts beside its calls."""
    for login, pool in (("app", kernel.pools.app), ("platform", kernel.pools.platform)):
        yield Reading("revops.pool.connections", "{connection}", pool.open - pool.idle, {"login": login, "state": "used"})
        yield Reading("revops.pool.connections", "{connection}", pool.idle, {"login": login, "state": "idle"})
        yield Reading("revops.pool.limit", "{connection}", pool.size, {"login": login})
        yield Reading("revops.pool.waiting", "{unit}", pool.waiting, {"login": login})
    yield Reading("revops.calls.active", "{call}", kernel.limiter.under_way)
    yield Reading("revops.calls.limit", "{call}", kernel.limiter.process)
    yield Reading("revops.refusals.unaudited", "{refusal}", kernel.refusals.dropped, rising=True)
