"""The REST door, for promises that are proven over gRPC's pipeline: the same requests and answers, written as JSON on the way."""

import re
from functools import cache
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2

from revops_mesh.gateway.rest.bridge import Bridge
from revops_mesh.gateway.rest.in_process import KernelDoor
from revops_mesh.kernel.contract import Method
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.pipeline import Kernel
from tests.contract.hostile import put
from tests.contract.methods import values
from tests.gateway.rest.calling import Answer, Rest, binding, bridged, transcoded
from tests.world import Caller

VARIABLE = re.compile(r"\{([a-z_.]+)=([^}]+)\}")
"""Of a route, as in `{name=quotes/*}`."""


async def over_http(caller: Caller, method: Method, request: Message) -> list[Message]:
    """The answers of a method as its route gives them; a refusal is raised as `Failure`."""
    content: Any = getattr(request, "content", None)
    media = {"content_type": content.content_type or "text/plain"} if isinstance(content, HttpBody) else {}
    _named(request, method)
    rest = Rest(_bridge(caller.world.kernel), {"authorization": f"Bearer {caller.token}", **caller.metadata})
    answer = await rest(*transcoded(binding(method.full_name), request), **media)
    if answer.status >= 400:
        raise _refusal(answer)
    if method.response is HttpBody:
        return [HttpBody(content_type=answer.headers["content-type"], data=answer.raw)]
    return [json_format.ParseDict(each, method.response()) for each in (answer.lines if method.streams else [answer.json])]


def _named(request: Message, method: Method) -> None:
    """A path always names something: where a request does not, something that is not there."""
    for path, pattern in VARIABLE.findall(binding(method.full_name).template):
        if not any(values(request, path)):
            put(request, path, pattern.replace("*", "none"), 1)


@cache
def _bridge(kernel: Kernel) -> Bridge:
    return bridged(KernelDoor(kernel, _never))


async def _never(failure: Failure) -> bool:
    return False


def _refusal(answer: Answer) -> Failure:
    error = answer.error
    status = status_pb2.Status(code=code_pb2.Code.Value(error["status"]), message=error["message"])
    for detail in error["details"]:
        json_format.ParseDict(detail, status.details.add())
    failure = Failure.told(status)
    assert failure is not None, error
    return failure
