"""The probe's two modules, together in one kernel or each in its own with a wire between them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from revops_mesh.identity import Authenticator, Programs, Tokens
from revops_mesh.kernel import clock
from revops_mesh.kernel.contract import methods_of
from revops_mesh.kernel.peers import Peers
from revops_mesh.kernel.pipeline import Kernel, Module
from revops_mesh.kernel.pools import LoginPools
from revops_mesh.migrations import walls
from revops_mesh.platform.directory import StoredDirectory
from revops_mesh.platform.roles import declared
from revops_mesh.runtime.peers import Peers as WirePeers
from tests.mesh.authorities import TRUST_DOMAIN, Authority, spiffe
from tests.mesh.network import OWN_PATH, SERVICES, door, own_credentials
from tests.probe import boxes, rooms
from tests.world import AUDIENCE, ISSUER, Caller, World

TOGETHER, CERTIFICATES, TOKENS = MODES = ("together", "certificates", "tokens")
SERVED = ("revops.probe.v1.BoxService", "revops.probe.v1.RoomService")


@dataclass
class Split:
    """Two worlds over one database: `rooms` ask and reserve, `boxes` answer. Together they are one world."""

    rooms: World
    boxes: World
    room_service: rooms.RoomService
    box_service: boxes.BoxService
    address: str = ""
    """Where boxes answer; "" if there is no wire."""

    def in_rooms(self, caller: Caller) -> Caller:
        """The same caller, who calls the other member."""
        return replace(caller, world=self.rooms)


class Parts:
    """What kernels over one database share."""

    def __init__(self, pools: LoginPools, owner: asyncpg.Connection, dsn: str) -> None:
        self.pools, self.owner, self.dsn, self.key = pools, owner, dsn, ECKey.generate_key("P-256")
        self.methods = [method for service in SERVED for method in methods_of(service)]

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str) -> AsyncIterator["Parts"]:
        """Over the probe's database."""
        pools, owner = await LoginPools.open(dsn, 16), await asyncpg.connect(dsn, user=walls.OWNER)
        try:
            yield cls(pools, owner, dsn)
        finally:
            await owner.close()
            await pools.close()

    def kernel(self, *modules: Module, peers: Peers | None = None) -> Kernel:
        """A kernel of its own."""
        tokens, permissions = Tokens(KeySet([self.key]), ISSUER, AUDIENCE), declared(self.methods)
        directory = StoredDirectory(self.pools.app, permissions)
        authenticator = Authenticator(tokens, directory, Programs(TRUST_DOMAIN, SERVICES, tokens))
        secrets = [b"page tokens of tests" * 2]
        return Kernel(
            modules, self.pools, authenticator, secrets=secrets, permissions=permissions, contract=self.methods, peers=peers
        )

    def world(self, kernel: Kernel) -> World:
        """The world of a kernel."""
        return World(kernel, self.pools, self.key, self.owner, self.dsn)

    def service_token(self, path: str = OWN_PATH, **claims: Any) -> str:
        """A token that proves which program somebody is, for an hour."""
        known = {"iss": ISSUER, "aud": AUDIENCE, "sub": spiffe(path), "exp": int(clock.unix() + 3600)}
        return jwt.encode({"alg": "ES256"}, {**known, **claims}, self.key)


@asynccontextmanager
async def split(parts: Parts, mode: str, folder: Path) -> AsyncIterator[Split]:
    """Both modules in one of the `MODES`."""
    (box_service, box_module), (room_service, room_module) = boxes.module(), rooms.module()
    if mode == TOGETHER:
        world = parts.world(parts.kernel(box_module, room_module))
        yield Split(world, world, room_service, box_service)
        return
    async with AsyncExitStack() as stack:
        kernel, authority, token = parts.kernel(box_module), Authority(folder, "authority"), None
        if mode == TOKENS:
            token = folder / "token"
            token.write_text(parts.service_token())
        else:
            authority.issue("server", spiffe(OWN_PATH))
        address = await stack.enter_async_context(door(kernel, folder if mode == CERTIFICATES else None))
        peers = WirePeers({"probe": address}, own_credentials(authority) if mode == CERTIFICATES else None, token)
        stack.push_async_callback(peers.close)
        asking = parts.kernel(room_module, peers=peers)
        yield Split(parts.world(asking), parts.world(kernel), room_service, box_service, address)
