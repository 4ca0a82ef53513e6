"""How Acme Cloud's deals went: whom it quoted what, at which discount, and what came of it."""

from typing import NamedTuple


class Line(NamedTuple):
    """A plan in a quantity; the discount is a share of the list amount, or an amount off the line."""

    plan: str
    """Product and plan, as in "compute/yearly"."""
    quantity: str
    rate: str = ""
    amount: str = ""


class Step(NamedTuple):
    """What happened to a quote: "submit", "accept", "reject", "withdraw", "revise", or "replace" another."""

    verb: str
    note: str = ""
    """Why it was rejected or withdrawn; the quote that it replaces."""
    lines: tuple[Line, ...] = ()
    """Those of the next version."""


class Customer(NamedTuple):
    """Who buys; the account itself is another system's."""

    name: str
    street: str
    city: str
    region: str
    segment: str


class Deal(NamedTuple):
    """One quote and its way."""

    id: str
    customer: str
    title: str
    lines: tuple[Line, ...]
    steps: tuple[Step, ...] = ()
    currency: str = "EUR"
    seller: str = "users/sofia"
    partner: str = ""
    months: int = 12
    entity: str = "acme-de"
    """Legal entity that offers; "" for none."""


SUBMIT, ACCEPT = Step("submit"), Step("accept")
ENDS = frozenset({"accept", "reject", "withdraw"})


def revise(*lines: Line) -> Step:
    return Step("revise", lines=lines)


CUSTOMERS = {
    "helix": Customer("Helix Biotech GmbH", "Robert-Koch-Straße 12", "82152 Planegg", "DE", "enterprise"),
    "brenner": Customer("Brenner Logistik AG", "Innrain 40", "6020 Innsbruck", "AT", "mid-market"),
    "lumen": Customer("Lumen Games", "Rue de Rivoli 88", "75004 Paris", "FR", "mid-market"),
    "fjord": Customer("Fjord Seafood AS", "Bryggen 7", "5003 Bergen", "NO", "mid-market"),
    "atlas": Customer("Atlas Analytics Inc.", "200 Congress Avenue", "Austin, TX 78701", "US", "enterprise"),
    "kestrel": Customer("Kestrel Robotics Inc.", "1 Innovation Drive", "Pittsburgh, PA 15219", "US", "mid-market"),
    "marigold": Customer("Marigold Health", "14 Fenian Street", "Dublin 2", "IE", "enterprise"),
    "stadtwerk": Customer("Stadtwerk Nord", "Hafenstraße 3", "24103 Kiel", "DE", "public"),
    "orchid": Customer("Orchid Fashion", "Keizersgracht 210", "1016 Amsterdam", "NL", "small"),
    "tessera": Customer("Tessera Studio", "Via Torino 51", "20123 Milano", "IT", "small"),
}

DEALS = (
    Deal("helix-platform", "helix", "Genome pipeline", (
        Line("compute/yearly", "96", rate="0.12"), Line("block-storage/monthly", "24000"), Line("support/critical", "1"),
    ), (SUBMIT, ACCEPT)),
    Deal("helix-archive", "helix", "Sequence archive", (
        Line("object-storage/metered", "640", rate="0.05"), Line("egress/metered", "9000"),
    ), (SUBMIT,), months=36),
    Deal("helix-gpu", "helix", "Protein folding", (
        Line("gpu/on-demand", "4200"), Line("block-storage/monthly", "8000"),
    )),
    Deal("brenner-fleet", "brenner", "Fleet tracking", (
        Line("kubernetes/monthly", "12"), Line("postgres/monthly", "2"), Line("support/business", "1"),
    ), (SUBMIT, revise(
        Line("kubernetes/monthly", "12", rate="0.10"), Line("postgres/monthly", "2", amount="600.00"),
        Line("support/business", "1"),
    ), SUBMIT, ACCEPT)),
    Deal("brenner-backup", "brenner", "Backup of the depots", (Line("backup/monthly", "47"),), (SUBMIT, ACCEPT)),
    Deal("lumen-launch", "lumen", "Launch of a title", (
        Line("cdn/metered", "180", rate="0.15"), Line("compute/monthly", "64"), Line("egress/metered", "20000"),
    ), (SUBMIT, Step("reject", "The publisher brings its own network."))),
    Deal("lumen-studio", "lumen", "Build farm", (Line("compute/monthly", "40", rate="0.08"),), (SUBMIT,), seller="users/tomas"),
    Deal("lumen-render", "lumen", "Trailer rendering", (Line("gpu/on-demand", "900", rate="0.05"),), months=0),
    Deal("fjord-cold", "fjord", "Cold-chain telemetry", (
        Line("postgres/yearly", "3", rate="0.10"), Line("object-storage/metered", "38"),
    ), (SUBMIT, revise(
        Line("postgres/yearly", "2", rate="0.10"), Line("object-storage/metered", "38"),
    ), SUBMIT, revise(
        Line("postgres/yearly", "2", rate="0.14"), Line("object-storage/metered", "38"),
    ), SUBMIT)),
    Deal("atlas-warehouse", "atlas", "Analytics warehouse", (
        Line("compute/yearly", "220", rate="0.18"), Line("block-storage/monthly", "60000", rate="0.10"),
        Line("support/critical", "1"), Line("onboarding/once", "1"),
    ), (SUBMIT, ACCEPT), currency="USD", entity="acme-us", seller="users/tomas", months=36),
    Deal("atlas-burst", "atlas", "Burst capacity", (Line("compute/monthly", "128"),),
         (SUBMIT, Step("withdraw", "Folded into the renewal.")), currency="USD", entity="acme-us", seller="users/tomas"),
    Deal("kestrel-sim", "kestrel", "Simulation cluster", (
        Line("compute/monthly", "80", rate="0.06"), Line("kubernetes/monthly", "8"),
    ), (SUBMIT,), currency="USD", entity="acme-us"),
    Deal("kestrel-training", "kestrel", "Training for the platform team", (
        Line("training/per-person", "9", amount="1000.00"),
    ), (SUBMIT, ACCEPT), currency="USD", entity="acme-us", months=0),
    Deal("marigold-records", "marigold", "Patient records", (
        Line("postgres/yearly", "6", rate="0.08"), Line("backup/monthly", "120"), Line("identity/monthly", "850"),
        Line("support/critical", "1"),
    ), (SUBMIT,)),
    Deal("marigold-group", "marigold", "Patient records, whole group", (
        Line("postgres/yearly", "14", rate="0.15"), Line("backup/monthly", "300"), Line("identity/monthly", "2400", rate="0.05"),
        Line("support/critical", "1", rate="0.10"),
    ), (SUBMIT, Step("replace", "marigold-records")), months=24),
    Deal("stadtwerk-metering", "stadtwerk", "Smart metering", (
        Line("kubernetes/monthly", "24"), Line("object-storage/metered", "55"), Line("identity/monthly", "140"),
    ), (SUBMIT,), partner="partners/nordlicht", seller="users/petra", months=48),
    Deal("stadtwerk-portal", "stadtwerk", "Customer portal", (
        Line("compute/monthly", "16"), Line("cdn/metered", "6"),
    ), partner="partners/nordlicht", seller="users/petra"),
    Deal("orchid-shop", "orchid", "Shop", (Line("compute/monthly", "8"), Line("backup/monthly", "8")),
         (SUBMIT,), partner="partners/deltaworks", seller="users/daan"),
    Deal("orchid-seats", "orchid", "Single sign-on", (Line("identity/monthly", "60", rate="0.05"),)),
    Deal("tessera-start", "tessera", "First servers", (
        Line("compute/monthly", "4"), Line("block-storage/monthly", "250"),
    ), (SUBMIT, ACCEPT), months=0),
)  # fmt: skip
"""In the order in which they were written."""
