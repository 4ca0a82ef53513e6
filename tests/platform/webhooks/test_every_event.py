"""Every event of the contract on its real way to receivers: each gets what its tenant, partner and roles let it read, no more.

The endpoints subscribe to everything while their roles hold everything; then each role is narrowed.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import access_pb2 as access

from revops_mesh import member
from revops_mesh.kernel.names import PLATFORM_TENANT, new_id
from revops_mesh.platform.roles import grantable
from tests.contract.events import EVENTS, full, guards, partners, without
from tests.messaging.running import eventually
from tests.platform.webhooks.desk import Desk
from tests.platform.webhooks.receiver import Receiver
from tests.world import Caller

OWN, OTHER = "partners/x", "partners/y"
OF_INSTALLATION = {name for name in EVENTS if EVENTS[name].policy.scope == options.SCOPE_PLATFORM}
OF_PARTNERS = {name for name in EVENTS if list(partners(full(name, OWN)))}


@dataclass
class Subscribed:
    """A receiver, and the events it is to get as it is to get them."""

    receiver: Receiver
    expected: dict[str, Message] = field(default_factory=dict)

    def seen(self) -> dict[str, Any]:
        """What it got, by type; fails if it got something twice."""
        found = [(each.event["type"], each.event["data"]) for each in self.receiver.events()]
        assert len(dict(found)) == len(found)
        return dict(found)

    def must_have_got_no_more(self) -> None:
        assert self.seen() == {name: MessageToDict(event) for name, event in self.expected.items()}


class House:
    """A tenant whose endpoints subscribe to everything."""

    def __init__(self, desk: Desk, anna: Caller, stack: AsyncExitStack) -> None:
        self.desk, self.anna, self._stack = desk, anna, stack
        on_platform = anna.tenant == PLATFORM_TENANT
        self.permissions = grantable(member.permissions(), on_platform=on_platform)
        self.events = {name: full(name, OWN) for name in EVENTS if on_platform or name not in OF_INSTALLATION}

    async def subscribed(self, lacking: str = "", partner: str = "") -> Subscribed:
        """An endpoint whose roles hold all permissions but one."""
        wanted = OF_PARTNERS if partner else set(self.events)
        kinds = tuple(sorted({f"{name.rpartition('.')[0]}.*" for name in wanted}))
        subscribed = Subscribed(await self._stack.enter_async_context(Receiver.open()))
        role = access.Role(display_name="All", permissions=sorted(self.permissions))
        made = await self.anna(access.CreateRoleRequest(role=role, role_id=f"r{new_id()}"))
        await self.desk.registered(
            self.anna, subscribed.receiver, roles=(made.name.removeprefix("roles/"),), types=kinds, partner=partner
        )
        narrowed = access.Role(name=made.name, permissions=sorted(self.permissions - {lacking}))
        await self.anna(access.UpdateRoleRequest(role=narrowed, update_mask=FieldMask(paths=["permissions"])))
        subscribed.expected = {
            name: without(self.events[name], lacking)
            for name in wanted
            if EVENTS[name].policy.permission != lacking and partner in ("", OWN)
        }
        return subscribed

    async def everyone(self) -> list[Subscribed]:
        """One endpoint that may read everything, one for each permission that it may lack, one of each partner."""
        guarded = {permission for name in self.events for permission in guards(name).values()}
        missing = sorted({EVENTS[name].policy.permission for name in self.events} | guarded)
        places = [self.subscribed(), *map(self.subscribed, missing)]
        if self.anna.tenant != PLATFORM_TENANT:
            places += [self.subscribed(partner=partner) for partner in (OWN, OTHER)]
        return list(await asyncio.gather(*places))


async def test_every_event_reaches_whom_it_concerns_and_shows_what_they_may_read(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    async with AsyncExitStack() as stack, desk.working():
        ours, theirs = House(desk, await desk.caller(), stack), House(desk, await desk.caller(), stack)
        installation = House(desk, await desk.caller("admin", "platform-admin", tenant=PLATFORM_TENANT), stack)
        stranger = await theirs.subscribed()
        stranger.expected = {}
        subscribed = [stranger, *await ours.everyone(), *await installation.everyone()]
        for house, name in product((ours, installation), EVENTS):
            await desk.happens(house.anna.tenant, full(name, OWN), f"things/{new_id()}")
        await eventually(lambda: desk.counts.reacted >= 2 * len(EVENTS))
        await eventually(lambda: all(len(each.receiver.events()) >= len(each.expected) for each in subscribed))
        pending = "SELECT count(*) FROM platform.webhook_deliveries WHERE tenant_id=ANY($1) AND state=1"
        tenants = [house.anna.tenant for house in (ours, theirs, installation)]
        await eventually(lambda: _none(desk, pending, tenants))
    for each in subscribed:
        each.must_have_got_no_more()
    with capsys.disabled():
        print(f"\nwebhooks: {len(EVENTS)} events of the contract sent to {len(subscribed)} endpoints")
    assert set().union(*(each.expected for each in subscribed)) == set(EVENTS)


async def _none(desk: Desk, query: str, *arguments: Any) -> bool:
    return not await desk.world.owner.fetchval(query, *arguments)
