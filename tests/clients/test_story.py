"""The golden story is the same through every client, to the last field of the last refusal."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from revops_mesh.runtime.keys import DevelopmentIssuer
from tests.clients.drivers import Driver, grpc_driver, python_driver
from tests.clients.rest import rest_driver
from tests.clients.story import STORY, told
from tests.clients.typescript import typescript_driver
from tests.runtime.calling import Running
from tests.world import FREE, TEAM, World

DRIVERS: dict[str, Callable[[str, Path], AbstractAsyncContextManager[Driver]]] = {
    "python": lambda address, _: python_driver(address),
    "typescript": typescript_driver,
    "rest": lambda address, _: rest_driver(address),
}
"""Everything that is compared with gRPC itself. A driver gets the member's gRPC address and a folder of its own."""


async def people(world: World, issuer: DevelopmentIssuer) -> dict[str, str]:
    """The tokens of those who take part, of new tenants; nobody has none."""
    ours, other = await world.tenant(FREE), await world.tenant(FREE)
    return {
        "admin": issuer.issue("users/anna", ours, ["admin"]),
        "team": issuer.issue("users/tina", await world.tenant(TEAM), ["admin"]),
        "viewer": issuer.issue("users/vera", ours, ["viewer"]),
        "stranger": issuer.issue("users/sten", other, ["admin"]),
        "forger": issuer.issue("users/fred", ours, ["admin"])[:-8] + "AAAAAAAA",
    }


@pytest.mark.parametrize("kind", DRIVERS)
async def test_a_client_tells_the_story_as_grpc_does(
    kind: str, serving: Running, world: World, issuer: DevelopmentIssuer, tmp_path: Path
) -> None:
    async with DRIVERS[kind](serving.address, tmp_path) as driver:
        through_client = await told(driver, await people(world, issuer))
    async with grpc_driver(serving.address) as driver:
        through_grpc = await told(driver, await people(world, issuer))
    for title in STORY:
        assert through_client[title] == through_grpc[title], title
