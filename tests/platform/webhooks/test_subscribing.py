"""Who may subscribe to what, as whom, and what they are shown of it; secrets are kept sealed."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from hypothesis import strategies as st
from revops.platform.v1 import access_pb2 as access
from revops.platform.v1 import tenants_pb2 as tenants
from revops.platform.v1 import webhooks_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes
from revops.type.v1.money_pb2 import Money

from revops_mesh import member
from revops_mesh.kernel.call import Event
from revops_mesh.kernel.names import new_uuid
from revops_mesh.platform.webhooks import signing
from revops_mesh.platform.webhooks.subscriptions import Subscriber, body, events_of, matches
from tests.contract import people, receiving
from tests.world import FREE, TEAM, Caller, World

EVENTS = events_of(member.methods())
MARGINS = "quoting.margins.read"
GET = "quoting.quotes.get"
SUBMITTED = quotes.QuoteSubmitted(
    quote="quotes/q", version=1, partner="partners/x", net_amount=Money(amount="10.00", currency_code="EUR"),
    margin=Money(amount="3.00", currency_code="EUR"),
)  # fmt: skip


def offer(*types: str, roles: tuple[str, ...] = ("viewer",), **fields: Any) -> pb.CreateWebhookEndpointRequest:
    wanted = pb.WebhookEndpoint(display_name="x", url="https://a.example/", event_types=types, roles=roles, **fields)
    return pb.CreateWebhookEndpointRequest(webhook_endpoint=wanted)


def test_every_event_of_the_contract_can_be_subscribed_to() -> None:
    """Else its resource has no Get method: give it one, or leave the event out here with the reason."""
    emitted = {event for method in member.methods() for event in method.emits}
    assert set(EVENTS) == emitted
    assert EVENTS["revops.quoting.v1.QuoteSubmitted"].policy.permission == GET
    assert EVENTS["revops.catalog.v1.PriceEntryCreated"].policy.permission == "catalog.priceEntries.get"


@pytest.mark.parametrize(
    ("wanted", "event", "found"),
    [
        ("revops.quoting.v1.*", "revops.quoting.v1.QuoteSubmitted", True),
        ("revops.quoting.v1.QuoteSubmitted", "revops.quoting.v1.QuoteSubmitted", True),
        ("revops.quoting.v1.Quote", "revops.quoting.v1.QuoteSubmitted", False),
        ("revops.quot.v1.*", "revops.quoting.v1.QuoteSubmitted", False),
        ("revops.quoting.v2.*", "revops.quoting.v1.QuoteSubmitted", False),
    ],
)
def test_wildcards_stand_for_a_capability_s_version(wanted: str, event: str, found: bool) -> None:
    assert matches([wanted], event) is found


@pytest.mark.parametrize(
    ("permissions", "partner", "margin"),
    [
        ({GET, MARGINS}, "", "3.00"),
        ({GET, MARGINS}, "partners/x", "3.00"),
        ({GET}, "", ""),
        ({MARGINS}, "", None),
        (set(), "", None),
        ({GET}, "partners/y", None),
        ({GET}, "partners/", None),
    ],
)
def test_a_subscriber_sees_what_its_permissions_and_its_partner_allow(
    permissions: set[str], partner: str, margin: str | None
) -> None:
    shown: Any = Subscriber(frozenset(permissions), partner, FREE).shown(SUBMITTED, EVENTS)
    assert (shown.margin.amount if shown is not None else None) == margin
    assert SUBMITTED.margin.amount == "3.00", "the event itself stays as it is"


def test_a_partner_is_not_shown_what_names_no_partner() -> None:
    event = tenants.TenantCreated(tenant="tenants/x")
    everything = frozenset(method.policy.permission for method in EVENTS.values())
    assert Subscriber(everything, "", FREE).shown(event, EVENTS) is not None
    assert Subscriber(everything, "partners/x", FREE).shown(event, EVENTS) is None
    assert Subscriber(everything, "partners/x", FREE).shown(quotes.QuoteSubmitted(quote="quotes/q"), EVENTS) is None


def test_the_body_says_what_happened_when_to_what() -> None:
    happened = Event(new_uuid(), "quotes/q", (12, 3), datetime(2026, 3, 1, 12, 0, 0, 5000, tzinfo=UTC))
    assert json.loads(body(happened, SUBMITTED)) == {
        "id": happened.id.hex,
        "type": "revops.quoting.v1.QuoteSubmitted",
        "timestamp": "2026-03-01T12:00:00.005Z",
        "subject": "quotes/q",
        "sequence": "12.3",
        "data": {
            "quote": "quotes/q", "version": 1, "partner": "partners/x", "netAmount": {"amount": "10.00", "currencyCode": "EUR"},
            "margin": {"amount": "3.00", "currencyCode": "EUR"},
        },
    }  # fmt: skip


@pytest.mark.parametrize("unknown", ["revops.quoting.v1.QuoteImagined", "revops.quoting.v2.*", "revops.imagined.v1.*"])
async def test_what_there_is_not_cannot_be_subscribed_to(unknown: str, world: World) -> None:
    anna = await world.caller()
    refused = await anna.refusal(offer("revops.quoting.v1.*", unknown))
    assert (refused.reason, refused.metadata) == ("WEBHOOK_EVENT_TYPE_UNKNOWN", {"event_type": unknown})


async def test_what_would_never_be_sent_cannot_be_subscribed_to(world: World) -> None:
    anna = await world.caller()
    for wanted in ("revops.platform.v1.*", "revops.platform.v1.WebhookEndpointDisabled"):
        refused = await anna.refusal(offer(wanted, roles=("seller",)))
        assert refused.reason == "WEBHOOK_EVENT_TYPE_HIDDEN"
        assert refused.metadata["event_type"] == wanted
        assert refused.metadata["permission"].startswith("platform.")
    refused = await anna.refusal(offer("revops.catalog.v1.*", roles=("admin",), partner="partners/x"))
    assert (refused.reason, refused.metadata) == ("WEBHOOK_EVENT_TYPE_HIDDEN", {"event_type": "revops.catalog.v1.*"})
    endpoint = await anna(offer("revops.quoting.v1.*"))
    change = pb.WebhookEndpoint(name=endpoint.name, event_types=["revops.platform.v1.*"])
    refused = await anna.refusal(pb.UpdateWebhookEndpointRequest(webhook_endpoint=change))
    assert refused.reason == "WEBHOOK_EVENT_TYPE_HIDDEN"


async def keeper_of(world: World, tenant: Any) -> Caller:
    """Somebody who administers webhooks and may do nothing else."""
    held = [p for p in people.permissions() if p.startswith(("platform.webhookEndpoints.", "platform.webhookDeliveries."))]
    return await people.holding(world, tenant, held)


async def test_nobody_learns_by_an_endpoint_what_they_may_not_read(world: World) -> None:
    """Neither by its roles, nor by leading another's endpoint to themselves, nor by its secret."""
    anna = await world.caller()
    keeper = await keeper_of(world, anna.tenant)
    endpoint = await anna(offer("revops.quoting.v1.*"))
    mine = pb.WebhookEndpoint(name=endpoint.name, url="https://keeper.example/")
    narrower = pb.WebhookEndpoint(name=endpoint.name, url="https://keeper.example/", roles=["partner-admin"])
    for request in (
        offer("revops.quoting.v1.*"),
        pb.UpdateWebhookEndpointRequest(webhook_endpoint=mine),
        pb.UpdateWebhookEndpointRequest(webhook_endpoint=narrower, update_mask=FieldMask(paths=["url", "roles"])),
        pb.RotateWebhookSecretRequest(name=endpoint.name),
    ):
        assert (await keeper.refusal(request)).reason == "ROLE_EXCEEDS_CALLER"
    assert (await anna.refusal(offer("revops.quoting.v1.*", roles=("nobody",)))).metadata == {"role": "nobody"}
    await keeper(pb.DeleteWebhookEndpointRequest(name=endpoint.name))


async def test_the_tenant_s_own_roles_count_as_they_are(world: World) -> None:
    anna = await world.caller()
    role = access.Role(display_name="Reader", permissions=[GET])
    await anna(access.CreateRoleRequest(role_id="reader", role=role))
    people.forget(world)
    await anna(offer("revops.quoting.v1.*", roles=("reader",)))
    refused = await anna.refusal(offer("revops.catalog.v1.*", roles=("reader",)))
    assert refused.metadata["permission"].startswith("catalog.")


async def test_a_partner_registers_for_itself_alone(world: World) -> None:
    north = await world.caller("partner", "partner-admin", partner="partners/north")
    endpoint = await north(offer("revops.quoting.v1.*", roles=("partner",), partner="partners/south"))
    assert endpoint.partner == "partners/north"
    assert (await north.refusal(offer("revops.quoting.v1.*", roles=("seller",)))).reason == "ROLE_EXCEEDS_CALLER"
    anna = await world.caller("admin", tenant=north.tenant)
    assert (await anna(pb.GetWebhookEndpointRequest(name=endpoint.name))).partner == "partners/north"
    south = await world.caller("admin", tenant=north.tenant, partner="partners/south")
    assert (await south.refusal(pb.VerifyWebhookEndpointRequest(name=endpoint.name))).reason == "RESOURCE_NOT_FOUND"


async def test_editions_cap_endpoints(world: World) -> None:
    free = await world.caller(edition=FREE)
    assert (await free.refusal(offer("revops.quoting.v1.*"))).reason == "EDITION_REQUIRED"
    team = await world.caller(edition=TEAM)
    for _ in range(10):
        await team(offer("revops.quoting.v1.*"))
    refused = await team.refusal(offer("revops.quoting.v1.*"))
    assert (refused.reason, refused.metadata["lifted_by"]) == ("LIMIT_REACHED", "BUSINESS")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://a.example/", "https"),
        ("https://10.0.0.1/", "public"),
        ("https://u:p@a.example/", "password"),
        ("https://0x7f.1", "public"),
    ],
)
async def test_a_url_to_nowhere_is_refused_with_its_field(url: str, problem: str, world: World) -> None:
    anna = await world.caller()
    request = offer("revops.quoting.v1.*")
    request.webhook_endpoint.url = url
    refused = await anna.refusal(request)
    assert (refused.reason, refused.violations[0][0]) == ("FIELD_INVALID", "webhook_endpoint.url")
    assert problem in refused.violations[0][1]


async def test_a_secret_is_kept_sealed_with_the_installation_s(world: World) -> None:
    anna = await world.caller()
    request = pb.CreateWebhookEndpointRequest(webhook_endpoint=receiving.OFFER, request_id=str(uuid4()))
    made = await anna(request)
    assert made.secret.startswith("whsec_")
    assert (await anna(request)).secret == ""
    where = "SELECT body FROM platform.webhook_endpoints WHERE tenant_id=$1"
    kept = pb.WebhookEndpoint.FromString(await world.owner.fetchval(where, anna.tenant))
    assert kept.secret == ""
    assert signing.opened(kept.signing_secrets[0].sealed, world.kernel.secrets) == made.secret
    shown = await anna(pb.GetWebhookEndpointRequest(name=made.name))
    assert (shown.secret, shown.signing_secrets[0].sealed) == ("", b"")
    assert shown.signing_secrets[0].HasField("create_time")


@given(st.lists(st.binary(min_size=32, max_size=40), min_size=1, max_size=3, unique=True), st.data())
def test_what_one_secret_of_the_installation_sealed_every_list_with_it_opens(installation: list[bytes], data: Any) -> None:
    secret = signing.mint()
    kept = signing.sealed(secret, installation)
    assert secret.encode() not in kept
    exchanged = [b"new" * 12, *data.draw(st.permutations(installation))]
    assert signing.opened(kept, exchanged) == secret
    with pytest.raises(signing.Unopened, match="rotate it"):
        signing.opened(kept, [each + b"x" for each in installation])
