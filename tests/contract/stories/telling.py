"""How most stories are told: make something, then ask something of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.message import Message

from tests.contract.making import Making
from tests.world import Caller, World

Story = Callable[[World, Caller], Awaitable[Message]]
"""Prepares in the caller's tenant what a request needs, and gives the request."""


def plainly(request: type[Message], **fields: Any) -> Story:
    """A request that needs nothing beforehand."""

    async def story(world: World, caller: Caller) -> Message:
        return request(**fields)

    return story


def after(make: Making, request: type[Message], **fields: Any) -> Story:
    """A request that needs something to be there but does not say what."""

    async def story(world: World, caller: Caller) -> Message:
        await make(world, caller)
        return request(**fields)

    return story


def of(make: Making, request: type[Message], at: str = "name", **fields: Any) -> Story:
    """A request about something that was made: `at` is the field that holds its name."""

    async def story(world: World, caller: Caller) -> Message:
        return request(**{at: (await make(world, caller)).name}, **fields)

    return story


def beside(make: Making, request: type[Message], **fields: Any) -> Story:
    """A request about the parent of something that was made."""

    async def story(world: World, caller: Caller) -> Message:
        return request(parent=(await make(world, caller)).name.rsplit("/", 2)[0], **fields)

    return story


def changing(make: Making, request: type[Message], **fields: Any) -> Story:
    """An update of something that was made: the fields are those of the resource."""

    async def story(world: World, caller: Caller) -> Message:
        update: Any = request()
        resource: Any = getattr(update, update.DESCRIPTOR.fields[0].name)
        resource.MergeFrom(type(resource)(name=(await make(world, caller)).name, **fields))
        return update  # type: ignore[no-any-return]

    return story
