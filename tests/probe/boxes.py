"""The probe's module: boxes and rooms, with a reaction and a timer that enter a ledger, which shows what was applied twice."""

from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any, Self
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from revops_mesh.aip.listing import page
from revops_mesh.kernel.aggregate import Aggregate
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import Broken, Failure
from revops_mesh.kernel.modules import Module
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.operations import Job, start

from .contract import pb

MOST = 1_000_000
ROOM = 100


class Box(Aggregate[Any]):
    """A box."""

    state_type = pb.Box

    @classmethod
    def new(cls, name: str, wanted: Any) -> Self:
        """An empty box."""
        box = cls(pb.Box())
        box.state.CopyFrom(wanted)
        box.state.name = name
        return box

    def fill(self, quantity: int, padding: bytes = b"") -> None:
        """Puts things in."""
        if self.state.holds + quantity > MOST:
            raise Failure(pb.BoxReason, pb.BOX_FULL, "{box} holds {holds}.", box=self.name, holds=self.state.holds)
        self.state.holds += quantity
        self.record(pb.BoxFilled(box=self.name, quantity=quantity, padding=padding))

    def empty(self) -> int:
        """Takes everything out."""
        held: int = self.state.holds
        self.state.holds = 0
        self.record(pb.BoxEmptied(box=self.name))
        return held

    def check(self) -> None:
        """Holds something between nothing and what fits."""
        if not 0 <= self.state.holds <= MOST:
            raise Broken(f"{self.name} holds {self.state.holds}")


class Room(Aggregate[Any]):
    """A room."""

    state_type = pb.Room

    def reserve(self, quantity: int) -> None:
        """Sets space aside."""
        if self.state.reserved + quantity > ROOM:
            raise Failure(pb.BoxReason, pb.ROOM_FULL, "{room} is full.", room=self.name, reserved=self.state.reserved)
        self.state.reserved += quantity

    def check(self) -> None:
        """Never overbooked."""
        if not 0 <= self.state.reserved <= ROOM:
            raise Broken(f"{self.name} has {self.state.reserved} reserved")


async def weighed(request: Any, attempt: int) -> Any:
    """What a scale says that needs no box."""
    return pb.NoteWeightRequest(box=request.box, weight=7)


async def packed(request: Any, job: Job[Any]) -> None:
    """One batch of portions."""
    begin = int(job.cursor or b"0")
    end = min(begin + request.size, request.portions)
    for number in range(begin, end):
        await job.call(pb.FillBoxRequest(name=request.box, portions=[number + 1]), f"portion/{number}")
        job.metadata.done, job.cursor = number + 1, str(number + 1).encode()
    if end == request.portions:
        job.finish(pb.PackBoxResponse(portions=end))


class BoxService:
    """One method per rpc. `jammed` are boxes whose reactions and timers are refused, `faulty` those in which they crash."""

    def __init__(self) -> None:
        self.jammed: set[str] = set()
        self.faulty: set[str] = set()
        self.attempts: list[str] = []
        """Boxes for which a reaction, a timer or an errand ran, replays not included."""
        self.scale: Callable[[Any, int], Awaitable[Any]] = weighed
        self.packer: Callable[[Any, Job[Any]], Awaitable[None]] = packed

    async def CreateBox(self, request: Any, call: Call) -> Any:
        boxes = call.repo(Box)
        box = await boxes.add(Box.new(boxes.name(request.box_id), request.box))
        if request.box.HasField("empty_time"):
            call.schedule(request.box.empty_time.ToDatetime(tzinfo=UTC), pb.EmptyBoxRequest(box=box.name))
        return box.state

    async def GetBox(self, request: Any, call: Call) -> Any:
        return (await call.repo(Box).get(request.name)).state

    async def ListBoxes(self, request: Any, call: Call) -> Any:
        return await page(call, Box, request, pb.ListBoxesResponse)

    async def FillBox(self, request: Any, call: Call) -> Any:
        box = await call.repo(Box).get(request.name, request.etag)
        for quantity in request.portions:
            box.fill(quantity, request.padding)
        return (await call.repo(Box).save(box)).state

    async def PourBox(self, request: Any, call: Call) -> Any:
        assert call.answered is None or call.answered.name == request.name
        box = await call.repo(Box).get(request.name)
        box.fill(request.quantity)
        return (await call.repo(Box).save(box)).state

    async def FinishPourBox(self, request: Any, call: Call) -> Any:
        box = await call.repo(Box).get(request.name)
        box.state.streams += 1
        return (await call.repo(Box).save(box)).state

    async def WeighBox(self, request: Any, call: Call) -> Any:
        call.schedule(call.now, pb.NoteWeightRequest(box=request.name), lane=request.name)
        return (await call.repo(Box).get(request.name)).state

    async def ErrandNoteWeight(self, kernel: Kernel, tenant: UUID, request: Any, attempt: int) -> Any:
        self.attempts.append(request.box)
        return await self.scale(request, attempt)

    async def NoteWeight(self, request: Any, call: Call) -> Empty:
        box = await call.repo(Box).get(request.box, lock=True)
        box.state.weight += request.weight
        await call.repo(Box).save(box)
        return Empty()

    async def PackBox(self, request: Any, call: Call) -> Any:
        return await start(call, request, pb.PackBoxMetadata())

    async def RunPackBox(self, request: Any, job: Job[Any]) -> None:
        await self.packer(request, job)

    async def PrepareStoreBox(self, request: Any, call: Call) -> Any:
        return [pb.ReserveSpaceRequest(room=request.room, quantity=request.quantity)]

    async def StoreBox(self, request: Any, call: Call) -> Any:
        box = await call.repo(Box).get(request.name)
        box.fill(request.quantity)
        return (await call.repo(Box).save(box)).state

    async def ReserveSpace(self, request: Any, call: Call) -> Any:
        rooms = call.repo(Room)
        room = await rooms.find(request.room, lock=True) or Room(pb.Room(name=request.room))
        room.reserve(request.quantity)
        return (await (rooms.save(room) if room.revision else rooms.add(room))).state

    async def OnBoxFilled(self, request: Any, call: Call) -> Empty:
        self._may(request.box)
        revision, n = call.event.sequence
        assert call.event.subject == request.box
        call.append(pb.Movement(box=request.box, quantity=request.quantity, sequence=f"{revision}.{n}"))
        return Empty()

    async def EmptyBox(self, request: Any, call: Call) -> Empty:
        self._may(request.box)
        box = await call.repo(Box).get(request.box)
        call.append(pb.Movement(box=request.box, quantity=-box.empty()))
        await call.repo(Box).save(box)
        return Empty()

    def _may(self, box: str) -> None:
        self.attempts.append(box)
        if box in self.jammed:
            raise Failure(pb.BoxReason, pb.BOX_JAMMED, "{box} is jammed.", box=box)
        if box in self.faulty:
            raise RuntimeError("a fault with internals in its text")


def module() -> tuple[BoxService, Module]:
    """A fresh implementation and its module."""
    service = BoxService()
    return service, Module("revops.probe.v1.BoxService", service, (Box, Room), (pb.Movement,))
