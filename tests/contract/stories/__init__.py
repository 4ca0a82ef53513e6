"""For every method, what has to be there before it can succeed, and a request that then succeeds.

A story is a function of a world and a caller: it prepares in the caller's tenant and gives the request. A new module adds a
line for each of its methods to its capability's file; `test_stories.py` says which are missing.
"""

from collections.abc import Mapping

from tests.contract.stories import catalog, platform, quoting
from tests.contract.stories.telling import Story

STORIES: Mapping[str, Story] = {
    f"revops.{capability}.v1.{method}": story
    for capability, stories in {"catalog": catalog.STORIES, "platform": platform.STORIES, "quoting": quoting.STORIES}.items()
    for method, story in stories.items()
}
"""By full name of the method."""
