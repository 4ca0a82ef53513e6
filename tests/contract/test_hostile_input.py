"""Whatever is sent in whichever field, the answer is an answer or a documented refusal: no fault, no words of the driver."""

import re
from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from revops_mesh.kernel.errors import Failure
from tests.contract import hostile
from tests.contract.methods import Method, attempt, each, owner_of, public, refusal, settable
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


def lists(method: Method) -> list[tuple[str, FieldDescriptor]]:
    """The lists of a request that are reached without passing another one, and have a cap."""
    repeated = {path for path, field in settable(method.request) if field.is_repeated}
    return [
        (path, field)
        for path, field in settable(method.request)
        if field.is_repeated
        and not any(path.startswith(f"{outer}.") for outer in repeated)
        and field.GetOptions().Extensions[validate_pb2.field].repeated.max_items
    ]


@each(lambda method: public(method) and bool(lists(method)))
async def test_of_a_list_far_beyond_its_cap_no_element_is_judged(method: Method, world: World) -> None:
    """For judging each would hold up everybody: a body of the largest size has a million elements."""
    owner = await owner_of(world, method)
    for path, field in lists(method):
        request: Any = method.request()
        *above, name = path.split(".")
        holder = request
        for part in above:
            holder = getattr(holder, part)
        several = getattr(holder, name)
        for _ in range(field.GetOptions().Extensions[validate_pb2.field].repeated.max_items + 1):
            several.add() if field.message_type is not None else several.append("" if field.type == field.TYPE_STRING else 0)
        refused = await refusal(owner, method, request)
        assert [where for where, _ in refused.violations] == [path]
