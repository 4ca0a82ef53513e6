"""Listens to every refusal of a contract test and holds it against the contract when the test ends."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from revops.platform.v1 import reasons_pb2 as reasons

from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.local.postgres import Postgres
from tests.contract import fences
from tests.contract.methods import documented_metadata, documented_reasons
from tests.world import World

PLATFORM = "revops.platform.v1"
FAILED = pytest.StashKey[bool]()
_heard: list[tuple[str, Failure]] = []
_told: set[tuple[Path, str]] = set()


def listen(kernel: Kernel) -> None:
    """Has the kernel's refusals heard from now on; what it answers stays the same."""
    inner = kernel.failure

    def failure(error: BaseException, call: Call) -> Failure:
        refusal = inner(error, call)
        _heard.append((call.method.full_name, refusal))
        return refusal

    kernel.failure = failure  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def world(world: World) -> World:
    """The composed member, listened to."""
    listen(world.kernel)
    return world


@pytest.fixture(scope="session")
async def worlds(world: World, postgres: Postgres) -> AsyncIterator[dict[str, World]]:
    """Members with walls taken down, by the walls that stand: "both", "row security", "predicate", "none"."""
    async with fences.worlds(world, postgres) as found:
        yield found


@pytest.fixture(autouse=True)
def documented(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every refusal of the test is documented: its reason by the method, its metadata by the reason. None is a fault of ours.

    A test that seeds a fault is marked `seeded`.
    """
    _heard.clear()
    yield
    problems = [problem for method, refusal in _heard if (problem := _undocumented(method, refusal))]
    if request.node.get_closest_marker("seeded") or request.node.stash.get(FAILED, False):
        problems = [problem for problem in problems if "FAULT" not in problem]
    new = sorted({problem for problem in problems if (request.node.path, problem) not in _told})
    _told.update((request.node.path, problem) for problem in new)
    assert not new, "refusals that the contract does not document:\n" + "\n".join(new)


def _undocumented(method: str, refusal: Failure) -> str:
    platform = refusal.domain == PLATFORM and refusal.reason in dict(reasons.PlatformReason.items())
    if not platform and refusal.reason not in documented_reasons(method):
        return f"{method} refuses with {refusal.reason}, which its comment does not name ({refusal})"
    always, sometimes = documented_metadata(refusal.reason)
    keys = set(refusal.metadata)
    if not always <= keys <= always | sometimes:
        said = f"its comment says {sorted(always)} and perhaps {sorted(sometimes)}"
        return f"{method}: {refusal.reason} has metadata {sorted(keys)}; {said}"
    return f"{method} answered FAULT" if refusal.reason == "FAULT" else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remembers that a test failed, so that a fault which it reports itself is not reported twice."""
    item.stash[FAILED] = item.stash.get(FAILED, False) or call.excinfo is not None
    return (yield)


def pytest_configure(config: Any) -> None:
    """Declares the mark."""
    config.addinivalue_line("markers", "seeded: the test seeds a fault, so a FAULT is no finding")
