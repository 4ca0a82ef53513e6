"""Of every event of the contract a subscriber of webhooks is shown what it may read, and a partner what is its own.

The way to the receiver is tested in tests/platform/webhooks, with every event, too; that no other tenant's endpoint hears of
an event is proven in `test_isolation.py`, by the method that hears every event.
"""

from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options

from revops_mesh import member
from revops_mesh.kernel.errors import Failure
from revops_mesh.platform.webhooks.subscriptions import Subscriber
from tests.contract import events
from tests.contract.events import EVENTS, guards, partners, without
from tests.contract.methods import values
from tests.world import ENTERPRISE, TEAM

EVERYTHING = member.permissions()
OWN, OTHER = "partners/x", "partners/y"

each = pytest.mark.parametrize("name", sorted(EVENTS))


def full(name: str) -> Any:
    return events.full(name, OWN)


def shown(event: Message, permissions: frozenset[str], partner: str = "") -> Any:
    return Subscriber(permissions, partner, ENTERPRISE).shown(event, EVENTS)


@each
def test_a_subscriber_that_may_read_everything_is_shown_everything(name: str) -> None:
    event = full(name)
    assert shown(event, EVERYTHING) == event


@each
def test_without_the_right_to_get_the_resource_nothing_is_shown(name: str) -> None:
    assert shown(full(name), EVERYTHING - {EVENTS[name].policy.permission}) is None


@each
def test_without_its_permission_a_field_is_shown_empty_and_the_others_as_they_are(name: str) -> None:
    event = full(name)
    for permission in set(guards(name).values()):
        assert all(any(values(event, path)) for path in guards(name))
        seen = shown(event, EVERYTHING - {permission} | {EVENTS[name].policy.permission})
        assert seen == without(event, permission) != event
    assert shown(event, EVERYTHING) == event, "the event itself stays as it is"


@each
def test_a_partner_is_shown_its_own_and_nothing_else(name: str) -> None:
    event = full(name)
    own = bool(list(partners(event)))
    assert (shown(event, EVERYTHING, OWN) is not None) == own
    assert shown(event, EVERYTHING, OTHER) is None


@each
def test_an_edition_that_may_not_get_the_resource_is_shown_nothing_and_cannot_subscribe(name: str) -> None:
    """No method that gets a resource needs an edition so far: as if each did."""
    policy = options.Policy()
    policy.CopyFrom(EVENTS[name].policy)
    policy.edition = options.EDITION_BUSINESS
    known = {**EVENTS, name: replace(EVENTS[name], policy=policy)}
    rich, poor = (Subscriber(EVERYTHING, "", edition) for edition in (ENTERPRISE, TEAM))
    assert rich.shown(full(name), known) == full(name)
    rich.must_get([name], known)
    assert poor.shown(full(name), known) is None
    with pytest.raises(Failure) as refused:
        poor.must_get([name], known)
    assert (refused.value.reason, refused.value.metadata) == ("EDITION_REQUIRED", {"required": "BUSINESS", "edition": "TEAM"})
    poor.must_get([name], EVENTS)


def test_some_events_are_guarded_and_some_are_of_partners() -> None:
    assert any(map(guards, EVENTS))
    assert any(list(partners(full(name))) for name in EVENTS)
