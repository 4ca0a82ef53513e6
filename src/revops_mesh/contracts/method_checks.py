"""What every rpc has to state: policy, permission id, route, idempotency, and names that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

from google.api.field_behavior_pb2 import REQUIRED

from revops_mesh.contracts.model import (
    AIP_RESOURCE,
    BEHAVIOR,
    FIELD,
    OPERATION_INFO,
    REFERENCE,
    RULES,
    Contract,
    Field,
    Problems,
    constant,
)

READING = re.compile(r"(Get|List|Resolve|Explain|BatchGet|Search|Stream|Watch|Count|Preview)(?![a-z])")
"""First words of rpc names that promise to change nothing."""

OPERATION = "google.longrunning.Operation"
PERMISSION = re.compile(r"([a-z][a-z0-9]*)\.([a-z][A-Za-z0-9]*)\.([a-z][A-Za-z0-9]*)")
SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
ANY_EVENT = "google.protobuf.Any"
"""What an internal rpc takes that hears every event."""
COLLECTION = re.compile(r"(?<=[/=])[a-z][A-Za-z0-9]*")


def policy_is_stated(contract: Contract) -> Problems:
    """Without access and audit the member does not start."""
    for method in contract.methods:
        if method.policy is None:
            yield method, "has no policy (revops.options.v1.policy)"
            continue
        if method.access is None or not getattr(method.policy, method.access):
            yield method, "policy says no access: set `permission`, or one of `authenticated`, `anonymous` and `internal` to true"
        if constant(method.policy, "audit") == "AUDIT_UNSPECIFIED":
            yield method, "policy says no `audit`"


def permission_ids_follow_the_method(contract: Contract) -> Problems:
    """`<capability>.<collection>.<verb>`: a permission can be read off a method and a method off a permission."""
    for method in contract.methods:
        if method.access != "permission":
            continue
        permission = method.policy.permission
        parts = PERMISSION.fullmatch(permission)
        if parts is None:
            yield method, f'permission "{permission}" is not `<capability>.<collection>.<verb>` in lowerCamel'
            continue
        capability, collection, verb = parts.groups()
        if capability != method.capability:
            yield method, f'permission "{permission}" does not begin with the capability `{method.capability}`'
        if collection not in (known := _collections(contract, method.capability)):
            yield method, f'permission "{permission}": `{collection}` is none of the collections {_listed(known)}'
        if not _begins_with(method.name, verb):
            yield method, f'permission "{permission}": the rpc name does not begin with the verb `{verb}`'


def _collections(contract: Contract, capability: str) -> set[str]:
    """Collection ids in the routes of a capability, and the plurals of its resources."""
    found: set[str] = set()
    for method in contract.methods:
        if method.capability == capability:
            found.update(*(COLLECTION.findall(path.removeprefix("/v1")) for _, path in method.routes))
    for message in contract.messages.values():
        if message.capability == capability and (stated := message.options.get(AIP_RESOURCE)):
            found.add(stated.plural)
    return found - {""}


def _begins_with(name: str, verb: str) -> bool:
    """Whether the rpc name's first words are the verb; a batch of a verb counts as the verb."""
    first = verb[0].upper() + verb[1:]
    return re.match(rf"(Batch)?{first}(?![a-z])", name) is not None


def named_events_and_methods_exist(contract: Contract) -> Problems:
    """`emits`, `asks` and `reserves` are strings: nothing else would notice a misspelt one."""
    methods = {method.full_name: method for method in contract.methods}
    for method in contract.methods:
        if method.policy is None:
            continue
        for event in method.policy.emits:
            if event not in contract.messages:
                yield method, f'emits "{event}", which is no message'
        for asked in method.policy.asks:
            if asked not in methods:
                yield method, f'asks "{asked}", which is no method'
            elif not methods[asked].no_side_effects:
                yield method, f'asks "{asked}", which is not NO_SIDE_EFFECTS'
        for reserved in method.policy.reserves:
            if reserved not in methods:
                yield method, f'reserves "{reserved}", which is no method'
            elif methods[reserved].no_side_effects:
                yield method, f'reserves "{reserved}", which is NO_SIDE_EFFECTS and so holds nothing'


def reads_change_nothing(contract: Contract) -> Problems:
    """A read is NO_SIDE_EFFECTS and unaudited; a change by a caller is audited."""
    for method in contract.methods:
        if method.policy is None:
            continue
        audited = constant(method.policy, "audit") != "AUDIT_NONE"
        if READING.match(method.name) and not method.no_side_effects:
            yield method, "reads, so it needs `option idempotency_level = NO_SIDE_EFFECTS`"
        if method.no_side_effects and audited:
            yield method, "is NO_SIDE_EFFECTS, so it needs `audit: AUDIT_NONE`"
        if method.no_side_effects and (method.policy.emits or method.policy.reserves):
            yield method, "is NO_SIDE_EFFECTS, so it can neither emit nor reserve"
        if not method.no_side_effects and method.access != "internal" and not audited:
            yield method, "changes state, so it needs `audit: AUDIT_WRITE`"


def changes_are_idempotent(contract: Contract) -> Problems:
    """Every change that callers can make takes a `request_id` (AIP-155), and may take `validate_only` (AIP-163)."""
    for method in contract.methods:
        request = contract.messages.get(method.request)
        if method.access == "internal" or method.no_side_effects:
            continue
        field = request.field("request_id") if request else None
        if field is None or field.kind != "string" or field.repeated:
            yield method, f"changes state, so {method.request} needs `string request_id`"
        preview = request.field("validate_only") if request else None
        if preview is not None and (preview.kind != "bool" or preview.repeated):
            yield preview, "must be `bool validate_only`"


def routes_and_requests_are_named(contract: Contract) -> Problems:
    """A public rpc has a route and a request of its own name; an internal one has no route and may take one event or every."""
    for method in contract.methods:
        internal = method.access == "internal"
        if internal and method.routes:
            yield method, "is internal, so it must not have a route (google.api.http)"
        if not internal and not method.routes:
            yield method, "has no route (google.api.http)"
        own = f"{method.name}Request"
        if method.request.rpartition(".")[2] != own and not (internal and method.request in {*contract.events, ANY_EVENT}):
            yield method, f"takes {method.request}; it must take {own}" + (" or an event" if internal else "")


def operations_tell_what_anybody_may_read(contract: Contract) -> Problems:
    """An rpc that answers with an operation states what that tells; both are messages that are never masked."""
    for method in contract.methods:
        stated = method.options.get(OPERATION_INFO)
        if (method.response == OPERATION) is not (stated is not None):
            yield method, f"answers {OPERATION} exactly if it states google.longrunning.operation_info"
        package = method.service.rpartition(".")[0]
        for name in (stated.response_type, stated.metadata_type) if stated is not None else ():
            message = contract.messages.get(f"{package}.{name}")
            if message is None:
                yield method, f'operation_info names "{name}", which is no message of {package}'
            elif any(FIELD in field.options for field in message.fields):
                yield message, "is told by an operation, so no field of it can be guarded or sensitive"


def requests_are_checked_at_the_door(contract: Contract) -> Problems:
    """What every request has in common is refused before anything is read: no name, a malformed id, an empty resource."""
    for method in contract.methods:
        request = contract.messages.get(method.request)
        if request is None or method.access == "internal":
            continue
        for field in request.fields:
            for fault, wanted in _standard_rules(contract, method.name, field):
                if fault:
                    yield field, f"needs `{wanted}`"


def _standard_rules(contract: Contract, rpc: str, field: Field) -> Iterator[tuple[bool, str]]:
    """What a field of a request that has a standard meaning must state, and whether it does not."""
    rules, created = field.options.get(RULES), rpc.removeprefix("Create")
    inner = contract.messages.get(field.type_name)
    if field.name in ("name", "parent") and field.kind == "string":
        patterned = rules is not None and bool(rules.string.pattern)
        yield REFERENCE not in field.options and not patterned, '(google.api.resource_reference).type = "revops/…"'
    if field.name in ("name", "parent") or (inner is not None and AIP_RESOURCE in inner.options):
        yield REQUIRED not in field.options.get(BEHAVIOR, ()), "(google.api.field_behavior) = REQUIRED"
    if field.name == "request_id":
        yield rules is None or not rules.string.uuid, "(buf.validate.field) = {string: {uuid: true} ignore: IGNORE_IF_ZERO_VALUE}"
    if rpc != created and field.name == f"{SNAKE.sub('_', created).lower()}_id":
        pattern = '{string: {pattern: "^[a-z0-9-]{1,63}$"} ignore: IGNORE_IF_ZERO_VALUE}'
        yield rules is None or not rules.string.pattern, f"(buf.validate.field) = {pattern}"


def _listed(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


METHOD_CHECKS = (
    policy_is_stated,
    permission_ids_follow_the_method,
    named_events_and_methods_exist,
    reads_change_nothing,
    changes_are_idempotent,
    routes_and_requests_are_named,
    operations_tell_what_anybody_may_read,
    requests_are_checked_at_the_door,
)
