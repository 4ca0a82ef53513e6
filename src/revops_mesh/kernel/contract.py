"""What the contracts say of methods, read once from descriptors: policies, events, permissions.

Everything the kernel enforces comes from here; a contract that leaves access or audit unsaid stops the start.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import ParamSpec, TypeVar, cast

from google.api import resource_pb2
from google.longrunning import operations_pb2
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from .errors import Broken
from .names import Pattern

P = ParamSpec("P")
R = TypeVar("R")


def memo(function: Callable[P, R]) -> Callable[P, R]:
    """`functools.cache` for functions of message classes, which the stubs do not call hashable."""
    return cache(function)  # type: ignore[return-value]


def described(message: type[Message] | Message) -> Descriptor:
    """The descriptor of a message; the stubs know two types for it."""
    return cast(Descriptor, message.DESCRIPTOR)


def facts(of: FieldDescriptor) -> options.Field:
    """What the contract says of a field beside its type."""
    return of.GetOptions().Extensions[options.field]


def message_class(full_name: str) -> type[Message]:
    """The generated class of a message of the contract; `Broken` if there is none."""
    try:
        return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(full_name))
    except KeyError:
        raise Broken(f"the contract names {full_name}, which does not exist") from None


@dataclass(frozen=True, slots=True)
class Method:
    """One rpc: where it is, what it takes and answers, and its policy."""

    path: str
    full_name: str
    name: str
    capability: str
    policy: options.Policy
    request: type[Message]
    response: type[Message]
    reads: bool
    streams: bool
    """Answers with a stream."""
    intake: bool
    """Takes a stream."""
    long_running: bool
    """Answers with an operation, whose work begins afterwards."""
    has_request_id: bool
    has_validate_only: bool
    emits: frozenset[str]
    asks: frozenset[str]
    partner_scoped: bool
    """Every stored resource that it takes or answers is scoped to partners."""

    @property
    def internal(self) -> bool:
        """Called by events and timers only."""
        return self.policy.internal


def method_of(rpc: MethodDescriptor) -> Method:
    """The method of a descriptor; `Broken` when its policy leaves access or audit unsaid."""
    full_name, policy = rpc.full_name, rpc.GetOptions().Extensions[options.policy]
    if policy.WhichOneof("access") is None:
        raise Broken(f"{full_name} declares no access")
    if policy.audit == options.AUDIT_UNSPECIFIED:
        raise Broken(f"{full_name} declares no audit")
    if rpc.client_streaming and rpc.server_streaming:
        raise Broken(f"{full_name} streams both ways")
    for event in policy.emits:
        message_class(event)
    fields = rpc.input_type.fields_by_name
    return Method(
        path=f"/{rpc.containing_service.full_name}/{rpc.name}",
        full_name=full_name,
        name=rpc.name,
        capability=full_name.split(".")[1],
        policy=policy,
        request=message_factory.GetMessageClass(rpc.input_type),
        response=message_factory.GetMessageClass(rpc.output_type),
        reads=rpc.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS,
        streams=rpc.server_streaming,
        intake=rpc.client_streaming,
        long_running=rpc.GetOptions().HasExtension(operations_pb2.operation_info),
        has_request_id="request_id" in fields and not policy.internal,
        has_validate_only="validate_only" in fields,
        emits=frozenset(policy.emits),
        asks=frozenset(policy.asks),
        partner_scoped=_partner_scoped(rpc),
    )


def _partner_scoped(rpc: MethodDescriptor) -> bool:
    """Looks at the stored resources in request and answer, and at the one that `name` or `parent` refers to."""
    answer, request = rpc.output_type, rpc.input_type
    found = [d for d in (answer, *_inside(answer), *_inside(request)) if is_stored(d)]
    referred = {
        f.GetOptions().Extensions[resource_pb2.resource_reference].type for f in request.fields if f.name in ("name", "parent")
    }
    for descriptor in request.file.message_types_by_name.values():
        if descriptor.GetOptions().Extensions[resource_pb2.resource].type in referred - {""}:
            found.append(descriptor)
    return bool(found) and all(
        any(facts(f).scoping == options.Field.SCOPING_PARTNER for f in descriptor.fields) for descriptor in found
    )


def _inside(descriptor: Descriptor) -> Iterator[Descriptor]:
    return (f.message_type for f in descriptor.fields if f.message_type is not None)


@memo
def method_taking(request: type[Message]) -> Method | None:
    """The public method of the contract that takes a request, wherever it is served; it stands in the request's own file."""
    of = described(request)
    rpcs = (rpc for service in of.file.services_by_name.values() for rpc in service.methods)
    found = (method_of(rpc) for rpc in rpcs if rpc.input_type.full_name == of.full_name)
    return next((method for method in found if not method.internal), None)


@memo
def method_named(full_name: str) -> Method | None:
    """The method of the contract with a full name, None if there is none."""
    try:
        return method_of(descriptor_pool.Default().FindMethodByName(full_name))
    except KeyError:
        return None


def methods_of(service: str) -> tuple[Method, ...]:
    """The methods of a service by its full name; `Broken` if there is none."""
    try:
        found = descriptor_pool.Default().FindServiceByName(service)
    except KeyError:
        raise Broken(f"no contract that is imported here declares the service {service}") from None
    return tuple(map(method_of, found.methods))


def is_stored(descriptor: Descriptor) -> bool:
    """Whether a message declares storage."""
    return bool(descriptor.GetOptions().Extensions[options.resource].kind)


def patterns_of(methods: Iterable[Method]) -> dict[str, Pattern]:
    """The name patterns of all resource types in the files of some methods, as in {"revops/Quote": quotes/{quote}}."""
    files = {method.request.DESCRIPTOR.file.name: method.request.DESCRIPTOR.file for method in methods}
    found: dict[str, Pattern] = {}
    for file in files.values():
        for descriptor in file.message_types_by_name.values():
            resource = descriptor.GetOptions().Extensions[resource_pb2.resource]
            if resource.type and resource.pattern:
                found[resource.type] = Pattern(resource.pattern[0])
    return found
