"""`revops tenant`, `revops token`, `revops seed`: who uses the installation, and as whom one calls it."""

import uuid
from enum import StrEnum
from typing import Annotated

import typer
from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import tenants_pb2 as pb

from revops_mesh.local.calls import Member
from revops_mesh.local.demo import story

from .options import DATA, Address, Data, Json, Surroundings, Token, listed_tenants
from .output import say, show

tenant = typer.Typer(help="Create and list tenants.", no_args_is_help=True, add_completion=False)


class Edition(StrEnum):
    """What a tenant has bought."""

    FREE = "FREE"
    TEAM = "TEAM"
    BUSINESS = "BUSINESS"
    ENTERPRISE = "ENTERPRISE"


Slug = Annotated[str, typer.Argument(help="1 to 63 of a–z, 0–9 and '-'.", show_default=False)]
Name = Annotated[str, typer.Option("--name", help="Name of the organisation. Default: the slug.", show_default=False)]
RequestId = Annotated[str, typer.Option("--request-id", help="UUID that makes a repetition harmless.", show_default=False)]
Role = Annotated[list[str], typer.Option("--role", help="Role it has; may be given several times.")]
Subject = Annotated[str, typer.Option("--subject", help="Whom it is for.")]
Partner = Annotated[str, typer.Option("--partner", help="Id of the partner it acts for, as in nordlicht.", show_default=False)]
Hours = Annotated[float, typer.Option("--hours", min=0.01, max=24 * 365, help="Hours that it is good for.")]
Of = Annotated[str, typer.Option("--tenant", help="Slug of the tenant, as in acme.", show_default=False)]


@tenant.command("create")
def create(
    slug: Slug, edition: Annotated[Edition, typer.Option("--edition")] = Edition.FREE, name: Name = "",
    request_id: RequestId = "", json: Json = False, data: Data = DATA, address: Address = "", token: Token = "",
) -> None:  # fmt: skip
    """Create a tenant."""
    request = pb.CreateTenantRequest(
        tenant_id=slug,
        tenant=pb.Tenant(display_name=name or slug, edition=options.Edition.Value(f"EDITION_{edition}")),
        request_id=request_id or str(uuid.uuid4()),
    )

    async def ask(member: Member) -> pb.Tenant:
        answer: pb.Tenant = await member(request)
        return answer

    show([_row(Surroundings(data, address, token).call(ask))], as_json=json)


@tenant.command("list")
def listed(json: Json = False, data: Data = DATA, address: Address = "", token: Token = "") -> None:
    """List all tenants."""
    show([_row(each) for each in Surroundings(data, address, token).call(listed_tenants)], as_json=json)


def _row(found: pb.Tenant) -> dict[str, object]:
    return {
        "slug": found.name.removeprefix("tenants/"),
        "name": found.display_name,
        "edition": options.Edition.Name(found.edition).removeprefix("EDITION_"),
        "state": pb.Tenant.State.Name(found.state).removeprefix("STATE_"),
        "uid": found.uid,
    }


def token(
    tenant: Of, role: Role = ["admin"], subject: Subject = "users/anna", partner: Partner = "", hours: Hours = 24.0,  # noqa: B006
    json: Json = False, data: Data = DATA, address: Address = "",
) -> None:  # fmt: skip
    """Print a development token for somebody of a tenant; the installation's own is called platform."""
    surroundings = Surroundings(data, address)
    acts_for = f"partners/{partner.removeprefix('partners/')}" if partner else ""
    slug = "" if tenant == "platform" else tenant
    issued = surroundings.run(surroundings.issued(slug, tuple(role), subject, acts_for, hours * 3600))
    say(issued, {"token": issued, "tenant": tenant, "subject": subject, "roles": role}, as_json=json)


def seed(json: Json = False, data: Data = DATA, address: Address = "") -> None:
    """Tell a running member the demo's story; what it knows already stays as it is."""
    surroundings = Surroundings(data, address)

    async def talk(member: Member) -> None:
        await story.tell(member, surroundings.issuer)

    surroundings.call(talk)
    told = [slug for slug, _, _ in story.TENANTS]
    say(f"told the story of {' and '.join(told)}", {"tenants": told}, as_json=json)
