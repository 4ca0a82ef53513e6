"""A shop of its own for each test."""

import pytest

from tests.catalog.shop import Shop
from tests.world import World


@pytest.fixture
async def shop(world: World) -> Shop:
    """Somebody who may do everything in a new tenant."""
    return Shop(await world.caller())
