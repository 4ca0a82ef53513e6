"""A module asks only what its contract says it asks, and only what changes nothing."""

from typing import Any

import pytest
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import access_pb2 as access

from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.modules import Module
from revops_mesh.kernel.pipeline import Kernel
from tests.contract.methods import METHODS, Method, attempt, each, of_installation, owner_of, public
from tests.contract.stories import STORIES
from tests.world import World

QUESTIONS = (
    (products.ListProductsRequest(), products.ListProductsResponse),
    (access.ListRolesRequest(), access.ListRolesResponse),
    (products.CreateProductRequest(product=products.Product(display_name="Cloud")), products.Product),
)
"""Two reads and a change that everybody could make; no module declares the change."""


class Asking:
    """An implementation that first asks another module something: the fault that must not pass."""

    def __init__(self, implementation: object, question: Any) -> None:
        self._implementation, self._question = implementation, question

    def __getattr__(self, name: str) -> Any:
        handler = getattr(self._implementation, name)

        async def asking(request: Any, call: Any, *cursor: Any) -> Any:
            if not call.granted:
                await call.ask(*self._question)
            return await handler(request, call, *cursor)

        return handler if name.startswith("Prepare") else asking


@pytest.fixture(scope="module")
def asking(world: World) -> list[Kernel]:
    """For each question a kernel whose every handler asks it."""
    own, found = world.kernel, []
    for question in QUESTIONS:
        modules = [Module(m.service, Asking(m.implementation, question), m.aggregates) for m in own.modules]
        found.append(Kernel(modules, world.pools, own.authenticator, secrets=own.secrets, permissions=own.permissions))
    return found


@each(lambda method: public(method) and not of_installation(method))
async def test_an_undeclared_question_is_a_fault(method: Method, world: World, asking: list[Kernel]) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    for kernel, question in zip(asking, QUESTIONS, strict=True):
        if world.kernel.by_request(question[0]).full_name in method.asks:
            continue
        outcome = await attempt(owner, method, request, kernel)
        assert isinstance(outcome, Failure)
        assert outcome.reason == "FAULT"


@each(lambda method: bool(method.asks))
def test_what_a_method_asks_changes_nothing(method: Method) -> None:
    asked = [other for other in METHODS if other.full_name in method.asks]
    assert len(asked) == len(method.asks), "it asks what this member does not serve"
    assert all(other.reads and not other.streams for other in asked)
