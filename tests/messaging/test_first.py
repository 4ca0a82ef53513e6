from tests.probe.contract import pb
from tests.probe.world import ProbeWorld


async def test_x(probe: ProbeWorld):
    anna = await probe.caller()
    box = await anna(pb.CreateBoxRequest(box=pb.Box(code="a")))
    box = await anna(pb.FillBoxRequest(name=box.name, portions=[1, 2, 3]))
    print(box, await probe.events(anna.tenant))
    assert await anna(pb.StoreBoxRequest(name=box.name, quantity=5, room="rooms/a"))
    print(await anna(pb.ListBoxesRequest()))
