"""Whatever is sent in whichever field, the answer is an answer or a documented refusal: no fault, no words of the driver."""

import re

from google.protobuf.message import Message

from revops_mesh.kernel.errors import Failure
from tests.contract import hostile
from tests.contract.methods import Method, attempt, each, owner_of, public, settable
from tests.contract.stories import STORIES
from tests.world import Caller, World

NOT_THE_CALLERS = {"FAULT", "STORE_UNAVAILABLE", "DEADLINE_PASSED", "CONTENDED", "OVERLOADED"}
INTERNALS = re.compile(r"asyncpg|SQLSTATE|syntax error|query argument|relation \"|column \"|constraint|Traceback|0x[0-9a-f]{8}")
LARGEST_REFUSAL = 8 * 1024
"""Bytes of a status: gRPC sends it as metadata and clients refuse more than 8 KiB of that."""


@each(public)
async def test_no_value_of_any_field_makes_a_fault(method: Method, world: World) -> None:
    owner, request, problems = await owner_of(world, method), None, []
    for description, change in hostile.cases(settable(method.request)):
        request = request or await STORIES[method.full_name](world, owner)
        changed = type(request)()
        changed.CopyFrom(request)
        change(changed)
        problem = await outcome(owner, method, changed)
        if problem:
            problems.append(f"{description}: {problem}")
        if not method.reads and problem is None:
            request = None  # it was accepted: what it was about is no longer as the story left it
    assert not problems, "\n" + "\n".join(problems)


async def outcome(owner: Caller, method: Method, request: Message) -> str | None:
    """What is wrong with a refusal, "" if nothing; None if the request was accepted."""
    refused = await attempt(owner, method, request)
    if not isinstance(refused, Failure):
        return None
    size = refused.status().ByteSize()
    if refused.reason in NOT_THE_CALLERS or INTERNALS.search(str(refused)) or size > LARGEST_REFUSAL:
        return f"{refused.reason}, {size} bytes: {str(refused)[:150]}"
    return ""
