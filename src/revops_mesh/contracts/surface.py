"""What clients see of the contract: public methods, and the names under which a client offers its services.

Shared by the clients of every language, so that `revops.quoting.quotes` is the same everywhere.
"""

from __future__ import annotations

import json
import re

from revops_mesh.contracts.model import Contract, Field, Method, Service
from revops_mesh.contracts.workspace import Refused

EMPTY = "google.protobuf.Empty"
OPERATION = "google.longrunning.Operation"
OPERATION_INFO = "google.longrunning.operation_info"

RETRIES = {
    "maxAttempts": 5,
    "initialBackoff": "0.2s",
    "maxBackoff": "3s",
    "backoffMultiplier": 3,
    # What the member did not begin, and what it says may be repeated: an ABORTED that may not comes with a negative pushback.
    "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED"],
}
"""Together some six seconds, in which a member restarts (gRFC A6)."""
THROTTLING = {"maxTokens": 100, "tokenRatio": 0.1}
"""After so many failed calls that successes did not make good, nothing is retried: a member that is down is left in peace."""


def public_services(contract: Contract) -> list[Service]:
    """Services with a method that a client may call."""
    return [service for service in contract.services if public_methods(service)]


def public_methods(service: Service) -> list[Method]:
    """Methods that are not for events and timers only. One that streams both ways is refused: clients have no calls for it."""
    methods = [method for method in service.methods if method.access != "internal"]
    both = [method for method in methods if method.streams_in and method.streams_out]
    if streaming := [f"{method.place}: {method.full_name} streams both ways" for method in both]:
        raise Refused("clients have no calls for this kind of method", streaming)
    return methods


def package_of(full_name: str) -> str:
    """Package of a service or a message that is not nested, as in `revops.quoting.v1`."""
    return full_name.rpartition(".")[0]


def capability_name(package: str) -> str:
    """As in `quoting` for `revops.quoting.v1`; a later version is told apart, as in `quoting_v2`."""
    _, capability, version = package.split(".")
    return capability if version == "v1" else f"{capability}_{version}"


def service_name(contract: Contract, service: Service) -> str:
    """As in `price_books`: what it lists of the message it is named after, or else its file or itself, if that begins so."""
    stem = service.full_name.removesuffix("Service")
    for method in public_methods(service):
        items = listed(contract, method)
        if items is not None and items.type_name == stem:
            return items.name
    own, file = snake(stem.rpartition(".")[2]), service.place.rpartition("/")[2].partition(".")[0]
    return file if file.startswith(own) else own


def snake(name: str) -> str:
    """As in `price_books` for `priceBooks` or `PriceBooks`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def listed(contract: Contract, method: Method) -> Field | None:
    """The field of the answer that holds the items, its first that is repeated, if the method gives pages (AIP-158)."""
    request, answer = contract.messages.get(method.request), contract.messages.get(method.response)
    if request is None or answer is None or not request.field("page_token") or not answer.field("next_page_token"):
        return None
    return next((field for field in answer.fields if field.repeated and field.kind == "message"), None)


def request_field(contract: Contract, method: Method, name: str) -> int:
    """Number of a field of the request; 0 if it has none of that name."""
    request = contract.messages.get(method.request)
    field = request.field(name) if request is not None else None
    return field.number if field is not None else 0


def service_config(contract: Contract) -> str:
    """gRPC's service config in JSON, for a client of any language that fills in `request_id`, for then a call may be repeated."""
    names: list[dict[str, str]] = []
    for service in public_services(contract):
        public = public_methods(service)
        repeatable = [m for m in public if m.no_side_effects or request_field(contract, m, "request_id")]
        whole = len(repeatable) == len(public)
        names += [{"service": service.full_name}] if whole else [{"service": m.service, "method": m.name} for m in repeatable]
    config = {"methodConfig": [{"name": names, "retryPolicy": RETRIES}], "retryThrottling": THROTTLING}
    return json.dumps(config, indent=1) + "\n"
