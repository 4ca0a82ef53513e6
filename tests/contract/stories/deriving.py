"""Stories that nobody has to tell, because the contract says enough.

What a request names is made before, by the story of its `Create…`; the other fields get examples. A verb that does not fit what
is new follows another verb of the same resource that leads to where it fits, which is found by trying. A method for which all
this finds nothing has to be told.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message

from revops_mesh.kernel.contract import described
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.kinds import Kind
from revops_mesh.kernel.names import parent_of
from tests.contract.examples import fill, reference_of
from tests.contract.making import house
from tests.contract.methods import KINDS, METHODS, Method, attempt, changed, owner_of, snapshot, writes
from tests.contract.planting import listed_kind
from tests.contract.stories.telling import Story
from tests.world import Caller, World

Stories = Mapping[str, Story]
Way = Method | None
"""The verb after which a method succeeds, None if it does on what is new."""

SIDE_EFFECTS = {"kernel.audit", "kernel.replay"}

LONGEST = 3
"""Most verbs in a row."""

_found: dict[str, Way] = {}
_sought: list[str] = []
"""Methods whose ways are being looked for: one does not lead to itself."""


def derived(method: Method, stories: Stories) -> Story:
    """The story of a method by its contract. Telling it fails, and says what was tried, if no request succeeds."""

    async def story(world: World, caller: Caller) -> Message:
        if method.full_name not in _found:
            _sought.append(method.full_name)
            try:
                _found[method.full_name] = await _search(method, stories, world)
            finally:
                _sought.remove(method.full_name)
        return await _request(method, stories, _found[method.full_name], world, caller)

    return story


async def _search(method: Method, stories: Stories, world: World) -> Way:
    """Tries what is new and then what went through each verb, every time in a tenant of its own."""
    tried, subject = [], _subject(method)
    verbs = (v for v in METHODS if _moves(v, subject) and v.full_name not in _sought and len(_sought) <= LONGEST)
    for way in (None, *verbs):
        try:
            problem = await _problem(method, stories, way, world)
        except (Failure, LookupError, AssertionError) as error:
            problem = str(error).partition("\n")[0]
        if not problem:
            return way
        tried.append(f"  after {way.name if way else 'nothing'}: {problem}")
    file = f"tests/contract/stories/{method.capability}.py"
    raise AssertionError(
        "\n".join([f"how {method.full_name} succeeds does not follow from its contract: tell it in {file}", *tried])
    )


async def _problem(method: Method, stories: Stories, way: Way, world: World) -> str:
    """Why a derived request does not do what its method is for, "" if it does."""
    owner = await owner_of(world, method)
    request = await _request(method, stories, way, world, owner)
    before, known = await snapshot(world, owner.tenant), await world.events(owner.tenant)
    answers = await attempt(owner, method, request)
    if isinstance(answers, Failure):
        return f"{answers.reason}, {answers}"
    if method.reads:
        return "" if any(answer.ListFields() for answer in answers) else "it answers nothing"
    if not set(changed(before, await snapshot(world, owner.tenant))) - SIDE_EFFECTS:
        return "it changes nothing"
    recorded = {each[2].DESCRIPTOR.full_name for each in await world.events(owner.tenant) if each not in known}
    return f"it does not record {', '.join(method.emits - recorded)}" if method.emits - recorded else ""


async def _request(method: Method, stories: Stories, way: Way, world: World, caller: Caller) -> Message:
    """A request about something that is new, or that went through a verb."""

    async def made(kind: Kind, verb: Way = None) -> Any:
        creating = (m for m in METHODS if m.name == f"Create{kind.message.__name__}" and m.response is kind.message)
        making = verb or next(creating, None)
        if making is None:
            raise LookupError(f"no method creates {kind.full_name}")
        maker = caller if kind.partner is not None else house(world, caller)
        return await maker(await stories[making.full_name](world, caller))

    async def named(reference: str) -> str:
        kind = next((kind for kind in KINDS if kind.type == reference), None)
        return str((await made(kind)).name) if kind is not None else f"{reference.removeprefix('revops/').lower()}s/example"

    request: Any = method.request()
    subject = _subject(method)
    if subject is not None:
        _address(method, request, (await made(subject, way)).name)
    await fill(request, named)
    return request  # type: ignore[no-any-return]


def _subject(method: Method) -> Kind | None:
    """What a request is about: the resource that it names, changes or lists, or the parent of what it creates."""
    fields = described(method.request).fields_by_name
    if "update_mask" in fields:
        return next((kind for kind in KINDS if described(kind.message) is described(method.request).fields[0].message_type), None)
    if "page_token" in fields or method.streams:
        return listed_kind(method) or next((kind for kind in KINDS if kind.message is method.response), None)
    reference = next((reference_of(fields[name]) for name in ("name", "parent") if name in fields), "")
    return next((kind for kind in KINDS if reference and kind.type == reference), None)


def _address(method: Method, request: Any, name: str) -> None:
    """Has a request be about a resource; an update gives it another name to show."""
    fields = described(request).fields_by_name
    if "update_mask" in fields:
        resource = getattr(request, described(request).fields[0].name)
        resource.name = name
        if "display_name" in described(resource).fields_by_name:
            resource.display_name = "Changed"
    elif "name" in fields:
        request.name = name
    elif "parent" in fields:
        request.parent = name if method.name.startswith("Create") else parent_of(name)


def _moves(verb: Method, subject: Kind | None) -> bool:
    """Whether a verb changes what it is about and keeps it."""
    name = described(verb.request).fields_by_name.get("name")
    about = subject is not None and name is not None and reference_of(name) == subject.type
    return about and writes(verb) and verb.response is subject.message  # type: ignore[union-attr]
