"""From events to deliveries: which endpoints want an event, and what each of them may see of it.

Most events are wanted by nobody, so each process remembers for a moment what a tenant wants: an event of another kind costs a
look into memory. Whether an endpoint still wants what was wanted a moment ago is read again with the event.
"""

from uuid import UUID

from google.protobuf.any_pb2 import Any as AnyEvent
from google.protobuf.empty_pb2 import Empty

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.contract import message_class
from revops_mesh.kernel.pipeline import Kernel

from ..access.holding import permitted
from . import attempts
from .deliveries import WebhookDelivery
from .domain import ENABLED, WebhookEndpoint
from .subscriptions import Subscriber, matches

KEPT_SECONDS = 3.0
"""With the time that reading takes, the contract's five seconds."""
MOST_KEPT = 50_000
_PATH = "/revops.platform.v1.WebhookService/OnEvent"


class Interests:
    """What the tenants of a process want, as it was a moment ago."""

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[float, frozenset[str]]] = {}

    async def include(self, kernel: Kernel, tenant: UUID, event: AnyEvent) -> bool:
        """Whether some enabled endpoint of a tenant wants an event."""
        now = clock.unix()
        kept = self._kept.get(tenant)
        if kept is None or kept[0] <= now:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            kept = self._kept[tenant] = (now + KEPT_SECONDS, await _wanted(kernel, tenant))
        return matches(kept[1], event_type(event))


async def _wanted(kernel: Kernel, tenant: UUID) -> frozenset[str]:
    async with kernel.reading(_PATH, tenant) as call:
        return frozenset(each for endpoint in await _enabled(call) for each in endpoint.state.event_types)


async def _enabled(call: Call) -> list[WebhookEndpoint]:
    return await call.repo(WebhookEndpoint).select("state=$2", [ENABLED])


def event_type(event: AnyEvent) -> str:
    """The full name of an event."""
    return event.type_url.rpartition("/")[2]


async def record(event: AnyEvent, call: Call) -> Empty:
    """Records a delivery for each enabled endpoint that wants an event, has it attempted, all in one transaction.

    An event of a type that this process does not know is `Broken`, and comes again: a member of the next version may know it.
    """
    wanting = [endpoint for endpoint in await _enabled(call) if endpoint.wants(event_type(event), call.event.time)]
    if not wanting:
        return Empty()
    happened = message_class(event_type(event)).FromString(event.value)
    edition = call.principal.edition
    subscribers = [Subscriber(await permitted(each.state.roles, call), each.state.partner, edition) for each in wanting]
    for endpoint, subscriber in zip(wanting, subscribers, strict=True):
        if (shown := subscriber.shown(happened, call.kernel.events)) is not None:
            delivery = await call.repo(WebhookDelivery).add(WebhookDelivery.of(endpoint, call.event, shown, call.now))
            attempts.schedule(delivery, call.now, call)
    return Empty()
