"""The proofs of isolation, masking, permissions and editions once more, with every request sent over HTTP.

What is proven stands in the other files; only the way is another. Internal methods have no route.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from revops.options.v1 import options_pb2 as options

from revops_mesh.gateway.rest.bindings import bindings
from tests.contract import test_every_method as methods
from tests.contract import test_isolation as isolation
from tests.contract import test_masking as masking
from tests.contract import test_partners as partners
from tests.contract.methods import METHODS, Method, each, guarded, public, rowless, through
from tests.contract.rest_door import over_http
from tests.gateway.rest.calling import descriptor
from tests.world import World


@pytest.fixture(autouse=True)
def rest() -> Iterator[Counter[str]]:
    """Sends over HTTP what public methods are sent; gives how often, by method."""
    with through(over_http) as sent:
        yield sent


def routed(wanted: Callable[[Method], Any]) -> Callable[[Method], bool]:
    return lambda method: public(method) and bool(wanted(method))


@pytest.mark.parametrize("standing", isolation.STANDING)
@each(routed(isolation.isolated))
async def test_a_foreign_tenant_reaches_nothing(
    method: Method, standing: str, worlds: dict[str, World], rest: Counter[str]
) -> None:
    await isolation.test_a_foreign_tenant_reaches_nothing(method, standing, worlds)
    assert rest[method.full_name] >= 2


@each(routed(isolation.isolated))
async def test_without_both_walls_it_would(method: Method, worlds: dict[str, World]) -> None:
    await isolation.test_without_both_walls_it_would(method, worlds)


@pytest.mark.parametrize("standing", isolation.STANDING)
@each(routed(lambda method: partners.scoped(method) and not partners.creates(method)))
async def test_another_partner_reaches_nothing(method: Method, standing: str, worlds: dict[str, World]) -> None:
    await partners.test_another_partner_reaches_nothing(method, standing, worlds)


@masking.pairs(masking.shown, lambda method: not masking.taken(method))
async def test_without_the_permission_a_field_is_answered_empty(method: Method, path: str, permission: str, world: World) -> None:
    await masking.test_without_the_permission_a_field_is_answered_empty(method, path, permission, world)


@masking.pairs(masking.taken)
async def test_without_the_permission_a_field_cannot_be_set(method: Method, path: str, permission: str, world: World) -> None:
    await masking.test_without_the_permission_a_field_cannot_be_set(method, path, permission, world)


@masking.pairs(masking.searched)
async def test_without_the_permission_a_field_cannot_be_searched_by(
    method: Method, path: str, permission: str, world: World
) -> None:
    await masking.test_without_the_permission_a_field_cannot_be_searched_by(method, path, permission, world)


@each(guarded)
async def test_whoever_lacks_the_permission_is_refused(method: Method, world: World) -> None:
    await methods.test_whoever_lacks_the_permission_is_refused_before_shape_and_existence(method, world)


@each(routed(lambda method: method.policy.edition > options.EDITION_FREE))
async def test_a_lower_edition_is_refused_and_told_which_it_needs(method: Method, world: World) -> None:
    await methods.test_a_lower_edition_is_refused_and_told_which_it_needs(method, world)


def test_every_method_with_a_route_is_proven_over_http(capsys: pytest.CaptureFixture[str]) -> None:
    """What is proven of a method in the other files is proven over HTTP, too, if it has a route; who has none is internal."""
    has_route = {method.full_name for method in METHODS if bindings(descriptor(method.full_name))}
    assert has_route == {method.full_name for method in METHODS if public(method)}
    fields = [masking.shown, masking.taken, masking.searched]
    proofs: dict[str, Callable[[Method], Any]] = {
        "isolation": isolation.isolated,
        "partners": lambda method: partners.scoped(method) and not partners.creates(method),
        "masking": lambda method: any(of(method) for of in fields),
        "permissions": guarded,
        "editions": lambda method: method.policy.edition > options.EDITION_FREE,
    }
    told = []
    for proof, holds in proofs.items():
        everywhere = {method.full_name for method in METHODS if holds(method)}
        internal = {method.full_name for method in METHODS if method.internal} & everywhere
        told.append(f"{proof} {len(everywhere & has_route)} of {len(everywhere)}")
        assert everywhere - internal <= has_route
    with capsys.disabled():
        print(f"\nproven over HTTP, of {len(has_route)} methods with a route:", "; ".join(told), "(the others are internal)")
    unproven = [method for method in METHODS if public(method) and not any(holds(method) for holds in proofs.values())]
    assert all(map(rowless, unproven)), "neither guarded nor about the caller or for all"
