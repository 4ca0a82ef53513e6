"""Every method has a story, and every story is true: its request succeeds, and does what its contract says it does."""

from revops_mesh import member
from tests.contract.methods import Method, changed, contract, each, owner_of, rowless, send, snapshot
from tests.contract.stories import STORIES, TOLD
from tests.world import World


def test_every_service_of_the_contracts_is_served() -> None:
    served = {module.service for module in member.MODULES}
    missing = sorted({service.full_name for service in contract().services} - served)
    assert not missing, "add a Module for each to MODULES in src/revops_mesh/<capability>/__init__.py:\n" + "\n".join(missing)


def test_no_story_is_about_a_method_that_is_gone() -> None:
    assert set(TOLD) <= {method.full_name for method in contract().methods}


@each()
async def test_the_request_of_a_story_succeeds(method: Method, world: World) -> None:
    owner = await owner_of(world, method)
    request = await STORIES[method.full_name](world, owner)
    before = await snapshot(world, owner.tenant)
    answers = await send(owner, method, request)
    written = changed(before, await snapshot(world, owner.tenant))
    if method.reads:
        assert not written
        assert any(answer.ListFields() for answer in answers), "it answers nothing: prepare something to be read"
    elif rowless(method):
        assert written == ["kernel.audit"]
    else:
        assert set(written) - {"kernel.audit", "kernel.replay"}, "it changes nothing: prepare something to be changed"
