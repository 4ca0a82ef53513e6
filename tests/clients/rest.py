"""REST as a client: HTTP on a socket to a gateway before the member, by the verbs and paths that the contract states."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http.client import HTTPConnection

import grpc
from google.protobuf.json_format import ParseDict

from revops_mesh.gateway.rest.over_channel import OPTIONS, ChannelDoor
from revops_mesh.gateway.rest.server import RestServer
from tests.clients.drivers import BY_NAME, Driver, ErrorInfo, Json
from tests.gateway.rest.calling import Answer, binding, bridged, transcoded


class RestDriver:
    """One request after the other, each on a connection of its own."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def call(self, method: str, request: Json, headers: Mapping[str, str]) -> Json | ErrorInfo:
        verb, path, body = transcoded(binding(method), ParseDict(request, BY_NAME[method].request()))
        answer = await asyncio.to_thread(self._sent, verb, path, body, headers)
        if answer.status != 200:
            return _refused(answer)
        whole: Json = {"answers": answer.lines} if BY_NAME[method].streams else answer.json
        return whole

    def _sent(self, verb: str, path: str, body: object, headers: Mapping[str, str]) -> Answer:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            sent = b"" if body is None else json.dumps(body).encode()
            connection.request(verb, path, sent, {"content-type": "application/json", **headers})
            got = connection.getresponse()
            return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        finally:
            connection.close()


def _refused(answer: Answer) -> ErrorInfo:
    error, info = answer.error, answer.detail("ErrorInfo")
    kinds = {detail["@type"].rpartition(".")[2] for detail in error["details"]}
    bad = answer.detail("BadRequest")["fieldViolations"] if "BadRequest" in kinds else []
    violations = tuple((each["field"], each["description"]) for each in bad)
    return ErrorInfo(error["status"], error["message"], info["reason"], info["domain"], info.get("metadata", {}), violations)


@asynccontextmanager
async def rest_driver(address: str) -> AsyncIterator[Driver]:
    """A gateway before the member at that address, and its caller."""
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        server = RestServer(bridged(ChannelDoor(channel)), "127.0.0.1:0")
        await server.start()
        try:
            yield RestDriver(server.port)
        finally:
            await server.stop(1)
