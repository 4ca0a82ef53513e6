"""Two callers read the same state and both write: the second to commit is refused, and nothing of its call is left."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message

from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.modules import Module
from revops_mesh.kernel.pipeline import Kernel
from tests.contract.making import house
from tests.contract.methods import Method, Snapshot, attempt, each, owner_of, snapshot, writes
from tests.contract.stories import STORIES
from tests.world import Caller, World

HELD = 0.5
"""Seconds after which a call counts as held up by another's lock."""


class Overtaken:
    """An implementation that is slow: when it has decided what to write, a colleague has already made the same call."""

    def __init__(self, implementation: object, colleague: "Colleague") -> None:
        self._implementation, self._colleague = implementation, colleague

    def __getattr__(self, name: str) -> Any:
        handler = getattr(self._implementation, name)

        async def slow(request: Message, call: Any, *cursor: Any) -> Any:
            answer = await handler(request, call, *cursor)
            if any(write.seen for _, write in call.unit.writes.values()):
                await self._colleague.overtakes()
            return answer

        return handler if name.startswith("Prepare") else slow


class Colleague:
    """Makes the same call through the real pipeline, and notes what was stored then."""

    def __init__(self, caller: Caller, method: Method, request: Any) -> None:
        self.caller, self.method, self.request = caller, method, request
        self.outcome: list[Message] | Failure | None = None
        """None as long as it was not made, or was held up by the other."""
        self.after: Snapshot | Mapping[str, Any] = {}

    async def overtakes(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HELD):
                self.outcome = await attempt(self.caller, self.method, self.request)
        self.after = await snapshot(self.caller.world, self.caller.tenant)


@each(writes)
async def test_a_write_that_is_overtaken_is_refused_and_leaves_nothing(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request: Any = await STORIES[method.full_name](world, owner)
    colleague = Colleague(house(world, owner), method, request)
    modules = [Module(m.service, Overtaken(m.implementation, colleague), m.aggregates) for m in world.kernel.modules]
    known = {"secrets": world.kernel.secrets, "permissions": world.kernel.permissions, "events": world.kernel.events}
    kernel = Kernel(modules, world.pools, world.kernel.authenticator, **known)  # type: ignore[arg-type]
    mine: Any = type(request)()
    mine.CopyFrom(request)
    mine.request_id = str(uuid4())
    outcome = await attempt(owner, method, mine, kernel)
    if colleague.outcome is None:  # it only adds, or holds what it changes from the start
        assert not isinstance(outcome, Failure)
        return
    assert not isinstance(colleague.outcome, Failure)
    assert isinstance(outcome, Failure)
    assert outcome.reason == "ETAG_MISMATCH", outcome
    assert await snapshot(world, owner.tenant) == colleague.after
