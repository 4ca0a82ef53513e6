"""A module that is not whole does not boot, and what is missing is said."""

from typing import Any

import pytest

from revops_mesh.kernel.aggregate import Aggregate
from revops_mesh.kernel.errors import Broken
from revops_mesh.kernel.pipeline import Kernel, Module
from revops_mesh.kernel.pools import LoginPools, Pool
from tests.probe.boxes import Box, BoxService, Room
from tests.probe.contract import pb

SERVICE = "revops.probe.v1.BoxService"


class Careless(Aggregate[Any]):
    """A box without invariants."""

    state_type = pb.Box


class WithoutFill(BoxService):
    """A service that forgot a method."""

    FillBox = None


def boot(module: Module) -> None:
    """Composes a kernel; its pools are never opened."""
    pool = Pool("postgresql://nowhere/nothing", "revops_app", 1)
    Kernel([module], LoginPools(pool, pool), None)  # type: ignore[arg-type]


def test_a_whole_module_boots() -> None:
    boot(Module(SERVICE, BoxService(), (Box, Room), (pb.Movement,)))


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (Module("revops.probe.v1.BoxesService", BoxService()), "declares the service revops.probe.v1.BoxesService"),
        (Module(SERVICE, WithoutFill(), (Box, Room)), "WithoutFill has no FillBox"),
        (Module(SERVICE, BoxService(), (Careless, Room)), "Careless has no check()"),
        (Module(SERVICE, BoxService(), (Room,)), "answers revops.probe.v1.Box, and no Module names its aggregate"),
    ],
    ids=["an unknown service", "a missing method", "an aggregate without invariants", "an aggregate that no module names"],
)
def test_what_is_missing_is_said(module: Module, sentence: str) -> None:
    with pytest.raises(Broken, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        boot(module)
