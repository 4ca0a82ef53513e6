"""Every method has a story, and every story is true: its request succeeds, and does what its contract says it does."""

from tests.contract.methods import METHODS, Method, changed, contract, each, owner_of, rowless, send, snapshot
from tests.contract.stories import STORIES
from tests.world import World


def test_every_method_has_a_story() -> None:
    missing = sorted({method.full_name for method in METHODS} - set(STORIES))
    assert not missing, "tell in tests/contract/stories what these need to succeed:\n" + "\n".join(missing)


def test_no_story_is_about_a_method_that_is_gone() -> None:
    assert set(STORIES) <= {method.full_name for method in contract().methods}


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
