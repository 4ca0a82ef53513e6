"""What Acme Cloud sells, with list prices in EUR before discounts and what a unit costs Acme itself."""

from typing import NamedTuple

from revops.catalog.v1.products_pb2 import Charge
from revops.type.v1.pricing_pb2 import Pricing

from .prices import flat, graduated, package, per_unit, volume

ONE_TIME, RECURRING, USAGE = Charge.TYPE_ONE_TIME, Charge.TYPE_RECURRING, Charge.TYPE_USAGE


class Item(NamedTuple):
    """One charge of a plan and its list price."""

    id: str
    name: str
    type: Charge.Type.ValueType
    price: Pricing
    unit: str = ""
    months: int = 1
    """Of a billing period; unused for a one-time charge."""
    cost: str = ""


class Plan(NamedTuple):
    """One way to buy a product."""

    id: str
    name: str
    items: tuple[Item, ...]


class Product(NamedTuple):
    """Something that is for sale, unless it still is a draft or was retired."""

    id: str
    name: str
    family: str
    description: str
    plans: tuple[Plan, ...]
    fate: str = "active"


class Book(NamedTuple):
    """A price list that follows from the EUR list by a factor."""

    id: str
    name: str
    currency: str
    factor: str
    channel: str = ""


class Change(NamedTuple):
    """A later price of one charge. `since` is the first instant it holds, "" for the moment the story is told."""

    charge: str
    """Product, plan and charge, as in "gpu/on-demand/hours"."""
    price: Pricing
    since: str


def monthly(*items: Item) -> Plan:
    return Plan("monthly", "Monthly", items)


def yearly(*items: Item) -> Plan:
    return Plan("yearly", "Yearly, in advance", items)


FIRST_PRICES = "2025-01-01T00:00:00Z"

BOOKS = (
    Book("eur-list", "List prices, EUR", "EUR", "1"),
    Book("usd-list", "List prices, USD", "USD", "1.08"),
    Book("eur-reseller", "Reseller prices, EUR", "EUR", "0.80", channel="reseller"),
)

PRODUCTS = (
    Product("compute", "Compute", "compute", "Virtual machines on shared cores, 4 GB of memory each.", (
        monthly(Item("vcpu", "vCPU", RECURRING, per_unit("24.00"), "vCPU", cost="9.10")),
        yearly(Item("vcpu", "vCPU", RECURRING, per_unit("244.80"), "vCPU", 12, "109.20")),
    )),
    Product("gpu", "GPU compute", "compute", "Accelerators by the hour, without commitment.", (
        Plan("on-demand", "On demand", (Item("hours", "GPU hour", USAGE, per_unit("3.40"), "hour", cost="1.95"),)),
    )),
    Product("block-storage", "Block storage", "storage", "Replicated volumes on NVMe.", (
        monthly(Item("gb", "Provisioned GB", RECURRING,
                     graduated(("1000", "0.120"), ("10000", "0.095"), ("", "0.070")), "GB", cost="0.031")),
    )),
    Product("object-storage", "Object storage", "storage", "S3-compatible buckets, eleven nines.", (
        Plan("metered", "By use", (
            Item("tb", "Stored TB", USAGE, volume(("50", "21.00"), ("500", "18.50"), ("", "15.00")), "TB", cost="7.40"),
        )),
    )),
    Product("egress", "Network egress", "network", "Traffic to the internet, in packages of 100 GB.", (
        Plan("metered", "By use", (Item("gb", "Egress GB", USAGE, package("4.50", "100", "500"), "GB", cost="0.012"),)),
    )),
    Product("cdn", "Content delivery", "network", "Caches in 40 cities.", (
        Plan("metered", "By use", (
            Item("tb", "Delivered TB", USAGE, graduated(("10", "38.00"), ("100", "29.00"), ("", "19.00")), "TB", cost="8.20"),
        )),
    )),
    Product("kubernetes", "Managed Kubernetes", "platform", "A control plane that somebody else upgrades.", (
        monthly(
            Item("control-plane", "Control plane", RECURRING, flat("69.00"), cost="22.00"),
            Item("nodes", "Worker node", RECURRING, per_unit("31.00"), "node", cost="14.60"),
        ),
    )),
    Product("postgres", "Managed PostgreSQL", "platform", "Primary and two replicas with point-in-time recovery.", (
        monthly(
            Item("setup", "Migration workshop", ONE_TIME, flat("1800.00"), cost="950.00"),
            Item("instances", "Instance", RECURRING, per_unit("310.00"), "instance", cost="118.00"),
        ),
        yearly(Item("instances", "Instance", RECURRING, per_unit("3162.00"), "instance", 12, "1416.00")),
    )),
    Product("backup", "Backup", "platform", "Daily, kept for 35 days, in packs of ten servers.", (
        monthly(Item("packs", "Protected server", RECURRING, package("55.00", "10"), "server", cost="2.10")),
    )),
    Product("identity", "Identity", "security", "Single sign-on and hardware keys for employees.", (
        monthly(Item("seats", "Seat", RECURRING, volume(("100", "4.20"), ("1000", "3.40"), ("", "2.60")), "seat", cost="0.85")),
    )),
    Product("support", "Support", "services", "Engineers who answer at night.", (
        Plan("business", "Business hours", (Item("fee", "Monthly fee", RECURRING, flat("450.00"), cost="260.00"),)),
        Plan("critical", "Around the clock", (Item("fee", "Monthly fee", RECURRING, flat("2900.00"), cost="1750.00"),)),
    )),
    Product("onboarding", "Onboarding", "services", "Two weeks with an architect.", (
        Plan("once", "Fixed price", (Item("fee", "Fixed price", ONE_TIME, flat("7500.00"), cost="4800.00"),)),
    )),
    Product("training", "Training", "services", "Three days in a small group.", (
        Plan("per-person", "Per person", (Item("people", "Person", ONE_TIME, per_unit("1290.00"), "person", cost="610.00"),)),
    )),
    Product("firewall", "Web application firewall", "security", "Not for sale before its certification.", (
        monthly(Item("sites", "Protected site", RECURRING, per_unit("85.00"), "site")),
    ), fate="draft"),
    Product("classic-vps", "Classic VPS", "compute", "The machines of the founding years.", (
        monthly(Item("servers", "Server", RECURRING, per_unit("12.00"), "server", cost="7.00")),
    ), fate="retired"),
)  # fmt: skip

CHANGES = (
    Change("object-storage/metered/tb", volume(("50", "19.50"), ("500", "16.80"), ("", "13.20")), "2026-01-01T00:00:00Z"),
    Change("support/critical/fee", flat("3150.00"), "2026-04-01T00:00:00Z"),
)
"""Prices that had changed before the deals were quoted."""

CUT = Change("gpu/on-demand/hours", per_unit("2.95"), "")
"""A price that changes while deals are on the table: drafts that used the old one go stale."""
