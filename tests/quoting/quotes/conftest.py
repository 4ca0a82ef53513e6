"""A shop of its own for each test."""

import pytest

from tests.quoting.quotes.deals import Deals
from tests.world import World


@pytest.fixture
async def deals(world: World) -> Deals:
    """Somebody who may do everything in a new tenant that sells two plans."""
    return await Deals.opened(await world.caller(), plans=2)
