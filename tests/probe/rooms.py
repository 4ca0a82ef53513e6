"""The probe's second module: rooms, which ask boxes and reserve with them."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.empty_pb2 import Empty

from revops_mesh.kernel.call import Call
from revops_mesh.kernel.pipeline import Module

from .contract import pb


class RoomService:
    """One method per rpc; `inspected` are the contents of the boxes that were looked at."""

    def __init__(self) -> None:
        self.inspected: list[str] = []

    async def InspectBox(self, request: Any, call: Call) -> Any:
        box = await call.ask(pb.GetBoxRequest(name=request.box), pb.Box)
        self.inspected.append(box.contents)
        return box

    async def PrepareFurnishRoom(self, request: Any, call: Call) -> Sequence[Any]:
        return [pb.ReserveSpaceRequest(room=request.room, quantity=request.quantity)]

    async def FurnishRoom(self, request: Any, call: Call) -> Any:
        return call.reserved[0]

    async def InspectFilledBox(self, request: Any, call: Call) -> Empty:
        self.inspected.append((await call.ask(pb.GetBoxRequest(name=request.box), pb.Box)).contents)
        return Empty()


def module() -> tuple[RoomService, Module]:
    """A fresh implementation and its module."""
    service = RoomService()
    return service, Module("revops.probe.v1.RoomService", service)
