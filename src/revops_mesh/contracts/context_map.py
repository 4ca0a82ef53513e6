"""The tables of the context map: capabilities, and who depends on whom by what, read from the contracts.

The page is written by hand around them; each table stands between its two markers. Upstream and downstream are those of a DDD
context map: the downstream one knows the upstream one's contract.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from revops_mesh.contracts.markdown import codes, short, table
from revops_mesh.contracts.model import AIP_RESOURCE, REFERENCE, Contract
from revops_mesh.contracts.state_checks import storage
from revops_mesh.contracts.workspace import Refused

_SECTION = re.compile(r"<!-- from the contracts: (?P<name>[a-z ]+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(text: str, contract: Contract) -> str:
    """The page with every table made anew. A marker of a table that is not known, or a table without a marker, is refused."""
    made: dict[str, Callable[[Contract], list[str]]] = {
        "capabilities": _capabilities,
        "map": _map,
        "relations": _relations,
        "asks": _asks,
        "events": _events,
    }
    found = [match["name"] for match in _SECTION.finditer(text)]
    if sorted(found) != sorted(made):
        raise Refused("the context map needs each table once", [f"it has {sorted(found)}, the tables are {sorted(made)}"])

    def section(match: re.Match[str]) -> str:
        lines = "\n".join(made[match["name"]](contract))
        return f"<!-- from the contracts: {match['name']} -->\n\n{lines}\n\n<!-- end -->"

    return _SECTION.sub(section, text)


@dataclass
class Relation:
    """What a downstream capability knows of an upstream one."""

    asks: list[str] = field(default_factory=list)
    reserves: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)


def relations(contract: Contract) -> dict[tuple[str, str], Relation]:
    """By upstream and downstream capability; each name once, in the order of the contracts."""
    found: dict[tuple[str, str], Relation] = {}
    for downstream, kind, name, upstream in _dependencies(contract):
        if downstream != upstream:
            names: list[str] = getattr(found.setdefault((upstream, downstream), Relation()), kind)
            if name not in names:
                names.append(name)
    return dict(sorted(found.items()))


def _dependencies(contract: Contract) -> Iterator[tuple[str, str, str, str]]:
    """Who depends, by which kind of thing, on what, of whom."""
    for method in contract.methods:
        for kind, names in (("asks", method.policy.asks), ("reserves", method.policy.reserves)):
            for name in names:
                yield method.capability, kind, short(name), _capability(name)
        if method.access == "internal" and method.request in contract.events:
            yield method.capability, "events", short(method.request, 1), _capability(method.request)
    owners = {stated.type: m.capability for m in contract.messages.values() if (stated := m.options.get(AIP_RESOURCE))}
    for message in contract.messages.values():
        for each in message.fields:
            if each.type_name.startswith("revops.") and _capability(each.type_name) not in SHARED:
                yield message.capability, "types", each.type_name.split(".", 3)[3], _capability(each.type_name)
            referred = each.options[REFERENCE].type if REFERENCE in each.options else ""
            if referred in owners:
                yield message.capability, "resources", referred.partition("/")[2], owners[referred]


SHARED = ("type", "options")
"""Packages that belong to no capability."""


def _capability(full_name: str) -> str:
    return full_name.split(".")[1]


def _capabilities(contract: Contract) -> list[str]:
    rows = []
    for capability in sorted({service.capability for service in contract.services}):
        services = [service for service in contract.services if service.capability == capability]
        resources = [m.name for m in contract.messages.values() if m.capability == capability and storage(m)]
        events = [name for name in contract.events if _capability(name) == capability]
        modules = "; ".join(
            f"`{service.name}`: {service.comment[0].lower()}{service.comment[1:].rstrip('.')}" for service in services
        )
        count = sum(len(service.methods) for service in services)
        rows.append((f"**{capability}**", modules, codes(resources), str(count), str(len(events))))
    return table(("Capability", "Modules", "What it owns", "Methods", "Events"), rows)


def _map(contract: Contract) -> list[str]:
    lines = ["```mermaid", "flowchart LR"]
    lines += [f"  {capability}" for capability in sorted({service.capability for service in contract.services})]
    for (upstream, downstream), relation in relations(contract).items():
        if relation.asks or relation.reserves:
            lines.append(f'  {downstream} -- "asks" --> {upstream}')
        if relation.events:
            lines.append(
                f'  {upstream} -. "{len(relation.events)} event{"s" if len(relation.events) > 1 else ""}" .-> {downstream}'
            )
    return [*lines, "```"]


def _relations(contract: Contract) -> list[str]:
    rows = [
        (upstream, downstream, *map(codes, (r.asks + r.reserves, r.events, r.types, r.resources)))
        for (upstream, downstream), r in relations(contract).items()
    ]
    return table(("Upstream", "Downstream", "Asked", "Heard", "Types used", "Resources named"), rows)


def _asks(contract: Contract) -> list[str]:
    rows = [
        (f"`{short(m.full_name)}`", codes(map(short, m.policy.asks)), codes(map(short, m.policy.reserves)))
        for m in contract.methods
        if m.policy.asks or m.policy.reserves
    ]
    return table(("Who", "Asks", "Reserves with"), sorted(rows))


def _events(contract: Contract) -> list[str]:
    rows = [
        (
            _capability(name),
            f"`{short(name, 1)}`",
            codes(short(method.full_name) for method in emitters),
            codes(short(method.full_name) for method in contract.heard(name)),
        )
        for name, emitters in contract.events.items()
    ]
    return table(("Capability", "Event", "Recorded by", "Heard by"), rows)
