"""Who a program is follows from its certificate or a token of the issuer, never from what an unproven caller says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from google.rpc import error_details_pb2 as details
from joserfc.jwk import ECKey

from revops_mesh.kernel.peers import PROOF
from tests.mesh.authorities import Authority, spiffe
from tests.mesh.network import OWN_PATH, channel, door, sent
from tests.mesh.split import Parts
from tests.probe import boxes
from tests.probe.contract import pb
from tests.runtime.calling import Refused
from tests.world import World

INSPECT, STORE = "revops.probe.v1.RoomService.InspectBox", "revops.probe.v1.BoxService.StoreBox"
GET, LIST, RESERVE = "GetBox", "ListBoxes", "ReserveSpace"
SYNC = "ns/erp/sa/sync"


@dataclass
class Doors:
    """Boxes behind mutual TLS and behind a plain door."""

    world: World
    parts: Parts
    authority: Authority
    secure: str
    plain: str

    def channel(self, path: str = "", trust_domain: str = "acme.example") -> grpc.aio.Channel:
        """A channel with a certificate for a program, or the plain one."""
        if not path:
            return channel(self.plain)
        return channel(self.secure, self.authority, "client", spiffe(path, trust_domain))

    async def outcome(self, to: grpc.aio.Channel, name: str, request: object, **metadata: str) -> str:
        """OK or the reason of the refusal."""
        method = self.world.kernel.methods[f"/revops.probe.v1.BoxService/{name}"]
        async with to:
            try:
                await sent(to, method, request, **metadata)  # type: ignore[arg-type]
            except grpc.aio.AioRpcError as error:
                return str(Refused(error).details(details.ErrorInfo)[0].reason)
        return "OK"


@pytest.fixture
async def doors(parts: Parts, tmp_path: Path) -> AsyncIterator[Doors]:
    kernel, authority = parts.kernel(boxes.module()[1]), Authority(tmp_path, "authority")
    authority.issue("server")
    async with door(kernel, tmp_path) as secure, door(kernel) as plain:
        yield Doors(parts.world(kernel), parts, authority, secure, plain)


async def box_of(doors: Doors) -> tuple[str, str, str]:
    """A box, its tenant, and the `authorization` of somebody without permissions."""
    anna = await doors.world.caller()
    box = await anna(pb.CreateBoxRequest(box=pb.Box()))
    return box.name, anna.tenant.hex, f"Bearer {doors.world.token(anna.tenant)}"


@pytest.mark.parametrize(
    ("path", "asking", "name", "outcome"),
    [
        (OWN_PATH, INSPECT, GET, "OK"),
        (OWN_PATH, INSPECT, LIST, "ASK_REFUSED"),  # not declared
        (OWN_PATH, INSPECT, RESERVE, "ASK_REFUSED"),  # a question is no reservation
        (OWN_PATH, STORE, RESERVE, "OK"),
        (OWN_PATH, "revops.probe.v1.RoomService.Nothing", GET, "ASK_REFUSED"),
        (OWN_PATH, "revops.probe.v1.RoomService", GET, "ASK_REFUSED"),
        (OWN_PATH, "", GET, "PERMISSION_REQUIRED"),  # a capability alone permits nothing
        ("ns/revops/sa/catalog", INSPECT, GET, "ASK_REFUSED"),  # another capability
        (SYNC, INSPECT, GET, "ASK_REFUSED"),  # no capability
        ("ns/revops/sa/stranger", INSPECT, GET, "ASK_REFUSED"),
        ("", INSPECT, GET, "ASK_REFUSED"),  # nothing is proven
    ],
)
@pytest.mark.parametrize("proof", ["certificate", "token"])
async def test_a_question_is_admitted_by_proof_and_contract(
    doors: Doors, proof: str, path: str, asking: str, name: str, outcome: str
) -> None:
    box, _, authorization = await box_of(doors)
    requests = {GET: pb.GetBoxRequest(name=box), LIST: pb.ListBoxesRequest(), RESERVE: pb.ReserveSpaceRequest(room="rooms/r")}
    metadata = {"authorization": authorization, **({"x_revops_asking": asking} if asking else {})}
    if proof == "token" and path:
        metadata[PROOF] = doors.parts.service_token(path)
    to = doors.channel(path if proof == "certificate" else "")
    assert await doors.outcome(to, name, requests[name], **metadata) == outcome


async def test_a_program_with_a_role_calls_for_the_tenant_that_it_names(doors: Doors) -> None:
    box, tenant, _ = await box_of(doors)
    _, stranger, _ = await box_of(doors)
    request = pb.GetBoxRequest(name=box)
    assert await doors.outcome(doors.channel(SYNC), GET, request, x_revops_tenant=tenant) == "OK"
    assert (
        await doors.outcome(doors.channel(), GET, request, x_revops_tenant=tenant, **{PROOF: doors.parts.service_token(SYNC)})
        == "OK"
    )
    assert await doors.outcome(doors.channel(SYNC), GET, request, x_revops_tenant=stranger) == "RESOURCE_NOT_FOUND"
    fill = pb.FillBoxRequest(name=box, portions=[1])
    assert await doors.outcome(doors.channel(SYNC), "FillBox", fill, x_revops_tenant=tenant) == "PERMISSION_REQUIRED"
    await doors.world.kernel.refusals.flush()
    (row,) = await doors.world.owner.fetch(
        "SELECT principal FROM kernel.audit WHERE outcome='PERMISSION_REQUIRED' AND tenant_id=$1::text::uuid", tenant
    )
    assert row["principal"] == spiffe(SYNC)


@pytest.mark.parametrize("path", ["", "ns/revops/sa/stranger", "ns/erp/sa/sync/", "ns/erp/sa"])
async def test_nobody_else_names_a_tenant(doors: Doors, path: str) -> None:
    box, tenant, _ = await box_of(doors)
    outcome = await doors.outcome(doors.channel(path), GET, pb.GetBoxRequest(name=box), x_revops_tenant=tenant)
    assert outcome == "CREDENTIALS_INVALID"


async def test_a_certificate_of_another_trust_domain_is_nobodys(doors: Doors) -> None:
    box, tenant, _ = await box_of(doors)
    to = doors.channel(SYNC, "evil.example")
    assert await doors.outcome(to, GET, pb.GetBoxRequest(name=box), x_revops_tenant=tenant) == "CREDENTIALS_INVALID"


@pytest.mark.parametrize(
    "names",
    [
        [x509.DNSName(spiffe(SYNC))],
        [x509.UniformResourceIdentifier(spiffe(SYNC)), x509.UniformResourceIdentifier(spiffe(OWN_PATH))],
        [x509.UniformResourceIdentifier("https://erp.example"), x509.UniformResourceIdentifier(spiffe(SYNC))],
    ],
)
async def test_only_the_one_uri_of_a_certificate_is_an_identity(
    doors: Doors, names: list[x509.GeneralName], monkeypatch: pytest.MonkeyPatch
) -> None:
    """X.509-SVID, 2: exactly one URI."""
    box, tenant, _ = await box_of(doors)
    sound = x509.SubjectAlternativeName
    monkeypatch.setattr(x509, "SubjectAlternativeName", lambda _: sound(names))
    to = channel(doors.secure, doors.authority, "client")
    assert await doors.outcome(to, GET, pb.GetBoxRequest(name=box), x_revops_tenant=tenant) == "CREDENTIALS_INVALID"


@pytest.mark.parametrize(
    "metadata",
    [
        {"x_revops_tenant": "acme"},
        {"x_revops_tenant": "0" * 32},
        {"x_revops_tenant": "{tenant}", "authorization": "{anna}"},
        {"x_revops_tenant": "{tenant}", PROOF: "nonsense"},
        {"x_revops_tenant": "{tenant}", PROOF: "{anna}"},
        {"x_revops_tenant": "{tenant}", PROOF: "{forged}"},
        {"x_revops_tenant": "{tenant}", PROOF: "{foreign}"},
        {"authorization": "Bearer {own}"},
    ],
)
async def test_what_does_not_fit_together_is_refused(doors: Doors, metadata: dict[str, str]) -> None:
    box, tenant, anna = await box_of(doors)
    parts, key = doors.parts, doors.parts.key
    known = {"tenant": tenant, "anna": anna, "own": parts.service_token(SYNC), "foreign": parts.service_token(SYNC, aud="others")}
    try:
        parts.key = ECKey.generate_key("P-256")
        known["forged"] = parts.service_token(SYNC)
    finally:
        parts.key = key
    told = {name: text.format(**known) for name, text in metadata.items()}
    assert await doors.outcome(doors.channel(SYNC), GET, pb.GetBoxRequest(name=box), **told) == "CREDENTIALS_INVALID"


async def test_an_expired_proof_is_told_so(doors: Doors) -> None:
    box, tenant, _ = await box_of(doors)
    expired = {PROOF: doors.parts.service_token(SYNC, exp=1)}
    outcome = await doors.outcome(doors.channel(), GET, pb.GetBoxRequest(name=box), x_revops_tenant=tenant, **expired)
    assert outcome == "CREDENTIALS_EXPIRED"


async def test_a_proof_without_a_tenant_or_a_token_is_no_credential(doors: Doors) -> None:
    box, *_ = await box_of(doors)
    assert await doors.outcome(doors.channel(SYNC), GET, pb.GetBoxRequest(name=box)) == "CREDENTIALS_MISSING"


async def test_a_capability_asks_in_the_name_of_programs_but_never_of_people(doors: Doors) -> None:
    box, tenant, _ = await box_of(doors)
    request, asking = pb.GetBoxRequest(name=box), {"x_revops_tenant": tenant, "x_revops_asking": INSPECT}
    for principal, outcome in (("services/probe", "OK"), (spiffe(SYNC), "OK"), ("users/anna", "CREDENTIALS_INVALID")):
        assert await doors.outcome(doors.channel(OWN_PATH), GET, request, x_revops_principal=principal, **asking) == outcome
    reserve = pb.ReserveSpaceRequest(room="rooms/r", quantity=1)
    asking["x_revops_asking"] = STORE
    assert await doors.outcome(doors.channel(OWN_PATH), RESERVE, reserve, x_revops_principal=spiffe(SYNC), **asking) == "OK"
    rows = await doors.world.owner.fetch(
        "SELECT principal FROM kernel.audit WHERE tenant_id=$1::text::uuid AND method LIKE '%Reserve%'", tenant
    )
    assert [row["principal"] for row in rows] == [spiffe(SYNC)]


async def test_events_cannot_be_forged_by_a_capability(doors: Doors) -> None:
    _, tenant, _ = await box_of(doors)
    request = pb.EmptyBoxRequest(box="boxes/b")
    metadata = {"x_revops_tenant": tenant, "x_revops_principal": "services/probe"}
    assert await doors.outcome(doors.channel(OWN_PATH), "EmptyBox", request, **metadata) == "METHOD_INTERNAL"
    asking = {**metadata, "x_revops_asking": INSPECT}
    assert await doors.outcome(doors.channel(OWN_PATH), "EmptyBox", request, **asking) == "ASK_REFUSED"
