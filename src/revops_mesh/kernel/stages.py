"""The stages of the pipeline, outermost first; each wraps the next and says why it stands where it stands.

A stage that a method does not need returns the next one unchanged.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TYPE_CHECKING

from google.protobuf.message import Message
from opentelemetry.trace import SpanKind
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import reasons_pb2 as platform

from . import observe
from .call import Call
from .contract import Method
from .errors import edition_required, refuse
from .peers import ASKING, admit

if TYPE_CHECKING:
    from .pipeline import Kernel

Layer = Callable[[Message, Call], Awaitable[Message]]


def observed(method: Method, kernel: "Kernel", inner: Layer) -> Layer:
    """Outermost, so that it sees every outcome: span, counts, access line, audit of refusals, and errors made refusals."""
    observer, name = kernel.observer, method.full_name
    kind = SpanKind.CONSUMER if method.internal else SpanKind.SERVER

    async def layer(request: Message, call: Call) -> Message:
        started, outcome, problem = perf_counter(), "OK", ""
        span = observer.span(name, call.trace, kind)
        if span is not None:
            call.trace = observe.traceparent(span)
        try:
            return await inner(request, call)
        except Exception as error:
            failure = kernel.failure(error, call)
            outcome, problem = failure.reason, str(failure)
            asked = call.granted and method.reads  # then it is the asking call that is refused
            noted = call._principal or failure.suspect
            if noted is not None and not method.internal and not asked:
                kernel.refusals.note(noted, name, outcome, call.now, call.trace)
            raise failure from None
        except asyncio.CancelledError:
            outcome = "CANCELLED"
            raise
        finally:
            seconds = perf_counter() - started
            observer.count(name, outcome, seconds)
            who = call._principal
            tenant, principal = (who.tenant.hex, who.name) if who is not None else ("", "")
            if span is not None:
                observe.end(span, outcome, tenant)
            if observer.write is not None:
                observer.write(_line(call, outcome, problem, seconds, tenant, principal))

    return layer


def _line(call: Call, outcome: str, problem: str, seconds: float, tenant: str, principal: str) -> observe.AccessLine:
    level = "info" if outcome == "OK" else "error" if outcome == "FAULT" else "warning"
    who = (tenant, principal, call.arrival.peer, call.trace)
    return observe.AccessLine(call.now.isoformat(), level, "rpc", call.method.full_name, outcome, seconds, *who, problem)


def capped(method: Method, kernel: "Kernel", inner: Layer) -> Layer:
    """Before identity, because a verification costs: sheds what the process cannot carry."""
    limiter = kernel.limiter
    if method.streams or method.internal:
        return inner

    async def layer(request: Message, call: Call) -> Message:
        limiter.enter()
        try:
            return await inner(request, call)
        finally:
            limiter.leave()

    return layer


def identified(method: Method, kernel: "Kernel", inner: Layer) -> Layer:
    """Learns who calls, unless the caller is an event, a timer or another module of this process."""
    authenticator = kernel.authenticator
    if method.policy.anonymous:
        return inner

    async def layer(request: Message, call: Call) -> Message:
        if call._principal is None:
            call._principal = await authenticator.principal(call.arrival)
            if asking := call.arrival.metadata.get(ASKING):
                admit(asking, method, authenticator.proven(call.arrival))
                call.granted = True
        return await inner(request, call)

    return layer


def limited(method: Method, kernel: "Kernel", inner: Layer) -> Layer:
    """After identity, because it is per tenant: a noisy tenant is shed before a quiet one feels it."""
    limiter = kernel.limiter
    if method.policy.anonymous or method.streams or method.internal:
        return inner

    async def layer(request: Message, call: Call) -> Message:
        tenant = call.principal.tenant
        limiter.enter_tenant(tenant)
        try:
            return await inner(request, call)
        finally:
            limiter.leave_tenant(tenant)

    return layer


def authorized(method: Method, kernel: "Kernel", inner: Layer) -> Layer:
    """Permission before edition before shape before existence: who may not call learns nothing (AIP-211)."""
    if method.policy.anonymous:
        return inner

    async def layer(request: Message, call: Call) -> Message:
        permitted(method, call)
        return await inner(request, call)

    return layer


def permitted(method: Method, call: Call) -> None:
    """Refuses a caller that may not call the method, in the order permission, partner, edition."""
    policy, principal = method.policy, call.principal
    if method.internal:
        if call.arrival.principal is None:
            raise refuse(platform.METHOD_INTERNAL, "{method} is called by events only.", method=method.full_name)
        return
    if call.granted or policy.authenticated:
        return
    outside = policy.scope == options.SCOPE_PLATFORM and not principal.on_platform
    if outside or policy.permission not in principal.permissions:
        raise refuse(platform.PERMISSION_REQUIRED, "{permission} is required.", permission=policy.permission)
    if principal.partner and not (policy.partner_visible or method.partner_scoped):
        raise refuse(platform.CLOSED_TO_PARTNERS, "{method} is closed to partners.", method=method.full_name)
    if principal.edition < policy.edition:
        raise edition_required(policy.edition, principal.edition)  # type: ignore[arg-type]


def shaped(method: Method, kernel: "Kernel", inner: Layer) -> Layer:
    """After permission: a malformed request of somebody who may not call is still PERMISSION_DENIED."""
    check = kernel._checks[method.path]
    if method.internal:
        return inner

    async def layer(request: Message, call: Call) -> Message:
        check(request, call._principal.permissions if call._principal is not None else frozenset())
        return await inner(request, call)

    return layer


STAGES: tuple[Callable[[Method, "Kernel", Layer], Layer], ...] = (
    observed,
    capped,
    identified,
    limited,
    authorized,
    shaped,
)
