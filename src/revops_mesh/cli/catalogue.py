"""`revops catalogue`: the methods that a member serves, with what one needs to call them, read from its contracts."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import grpc
import typer
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from revops.options.v1 import options_pb2 as options

from revops_mesh import member
from revops_mesh.kernel.contract import methods_of

from .nearness import meant
from .options import DATA, Address, Data, Json, Surroundings
from .output import show
from .problems import CommandError

Offline = Annotated[bool, typer.Option("--offline", help="Those of this installation, without asking a member.")]
Capability = Annotated[str, typer.Option("--capability", help="Only those of one capability, as in quoting.", show_default=False)]


def catalogue(
    capability: Capability = "", offline: Offline = False, json: Json = False, data: Data = DATA, address: Address = ""
) -> None:
    """Print the methods that a running member serves, with permission, edition and events."""
    known = [module.service for module in member.MODULES]
    served = known if offline else asyncio.run(_served(Surroundings(data, address)))
    if strange := [service for service in served if service.startswith("revops.") and service not in known]:
        raise CommandError(f"the member serves {', '.join(strange)}, which this installation does not know: upgrade it")
    capabilities = {service.split(".")[1] for service in known}
    if capability and capability not in capabilities:
        all_of_them = f"; there are {', '.join(sorted(capabilities))}"
        raise CommandError(f"no capability is called {capability}{meant(capability, capabilities, all_of_them)}")
    rows = list(_rows([service for service in known if service in served]))
    show([row for row in rows if not capability or row["capability"] == capability], as_json=json)


_ACCESS = {"authenticated": "every caller", "anonymous": "anyone", "internal": "events and timers"}


def _rows(services: Sequence[str]) -> Iterator[dict[str, object]]:
    for service in services:
        for method in methods_of(service):
            policy = method.policy
            access = policy.permission or _ACCESS[policy.WhichOneof("access") or "internal"]
            edition = options.Edition.Name(policy.edition or options.EDITION_FREE).removeprefix("EDITION_")
            emits = " ".join(sorted(event.rpartition(".")[2] for event in method.emits))
            module = service.rpartition(".")[2].removesuffix("Service")
            yield {
                "capability": method.capability,
                "module": module,
                "method": method.name,
                "access": access,
                "edition": edition,
                "emits": emits,
            }


async def _served(surroundings: Surroundings) -> list[str]:
    """The services that a member lists by reflection. Raises `CommandError` when none answers."""
    address = surroundings.where
    host = address.removeprefix("https://")
    secure = grpc.aio.secure_channel(host, grpc.ssl_channel_credentials()) if host != address else None
    async with secure or grpc.aio.insecure_channel(host) as channel:
        question = reflection_pb2.ServerReflectionRequest(list_services="")
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type]  # its stub knows no asyncio
        try:
            async for answer in stub.ServerReflectionInfo(iter([question]), timeout=10):
                return [service.name for service in answer.list_services_response.service]
        except grpc.aio.AioRpcError as error:
            raise CommandError(
                f"no member answers at {address}, {surroundings.found}: start one with revops up, name another with --address or"
                f" --data, or pass --offline ({error.details()})"
            ) from None
    return []
