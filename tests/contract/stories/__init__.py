"""For every method, what has to be there before it can succeed, and a request that then succeeds.

A story is a function of a world and a caller: it prepares in the caller's tenant and gives the request. Most follow from the
contract (`deriving.py`); the others are told in the file of their capability.
"""

from collections.abc import Mapping

from tests.contract.methods import METHODS
from tests.contract.stories import catalog, platform, quoting
from tests.contract.stories.deriving import derived
from tests.contract.stories.telling import Story

TOLD: Mapping[str, Story] = {
    f"revops.{capability}.v1.{method}": story
    for capability, stories in {"catalog": catalog.STORIES, "platform": platform.STORIES, "quoting": quoting.STORIES}.items()
    for method, story in stories.items()
}
"""By full name of the method."""

STORIES: dict[str, Story] = {}
"""The story of every method."""
STORIES.update({method.full_name: TOLD.get(method.full_name) or derived(method, STORIES) for method in METHODS})
