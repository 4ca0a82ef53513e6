"""The reference pages in `docs/reference/`, from descriptors and comments; the same contract gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from google.rpc import code_pb2

from revops_mesh.contracts.model import AIP_RESOURCE, CODE, FIELD, RESOURCE, Contract, Field, Message, Method, constant
from revops_mesh.contracts.state_checks import storage

EDITIONS = ("FREE", "TEAM", "BUSINESS", "ENTERPRISE")
NOTE = "Made from the contracts by `make proto`; do not edit."


def pages(contract: Contract) -> dict[str, bytes]:
    """Every page by file name, UTF-8 Markdown."""
    made: dict[str, Callable[[Contract], list[str]]] = {
        "methods.md": _methods,
        "permissions.md": _permissions,
        "editions.md": _editions,
        "events.md": _events,
        "errors.md": _errors,
        "resources.md": _resources,
    }
    return {name: ("\n".join(page(contract)) + "\n").encode() for name, page in made.items()}


def _methods(contract: Contract) -> list[str]:
    lines = _title("Methods", f"{len(contract.methods)} methods in {len(contract.services)} services.")
    for service in sorted(contract.services, key=lambda service: service.full_name):
        rows = [
            (f"`{method.name}`", _routes(method), _access(method), _edition(method), _notes(method), method.comment)
            for method in service.methods
        ]
        lines += [f"## {service.full_name}", "", service.comment, ""]
        lines += [*_table(("Method", "Route", "Who may call", "Edition", "Notes", "What it does"), rows), ""]
    return lines[:-1]


def _permissions(contract: Contract) -> list[str]:
    methods: dict[str, list[Method]] = {}
    fields: dict[str, list[Field]] = {}
    for method in contract.methods:
        if method.access == "permission":
            methods.setdefault(method.policy.permission, []).append(method)
    for message in contract.messages.values():
        for field in message.fields:
            if FIELD in field.options and (needed := field.options[FIELD].read_permission):
                fields.setdefault(needed, []).append(field)
    rows = [
        (f"`{permission}`", _codes(_short(m) for m in methods.get(permission, [])), _codes(_short(f) for f in read))
        for permission in sorted({*methods, *fields})
        for read in [fields.get(permission, [])]
    ]
    text = "What each permission lets its holder call, and which fields it lets them read and write."
    return [*_title("Permissions", text), *_table(("Permission", "Methods", "Fields"), rows)]


def _editions(contract: Contract) -> list[str]:
    lines = _title("Editions", "Each edition includes those before it; a method that is not listed is in every one.")
    for edition in EDITIONS[1:]:
        gated = [(f"`{_short(m)}`", m.comment) for m in contract.methods if _edition(m) == edition]
        lines += [f"## Methods from {edition} on", "", *(_table(("Method", "What it does"), gated)), ""]
    capped = [message for message in contract.messages.values() if _caps(message)]
    rows = [(f"`{m.full_name}`", *(_caps(m).get(edition, "no cap") for edition in EDITIONS)) for m in capped]
    lines += ["## Most live resources of a tenant", "", *_table(("Resource", *EDITIONS), rows)]
    return lines


def _events(contract: Contract) -> list[str]:
    text = "The subject is `revops.{tenant}.{capability}.v1.{Event}`; the body is the message, in protobuf."
    lines = _title("Events", text)
    for name, emitters in contract.events.items():
        if (event := contract.messages.get(name)) is None:
            continue
        heard = [_short(m) for m in contract.methods if m.request == name and m.access == "internal"]
        lines += [f"## {name}", "", event.comment, "", f"Recorded by {_codes(_short(m) for m in emitters)}."]
        lines += [f"Heard by {_codes(heard)}."] if heard else []
        rows = [(f"`{field.name}`", _type(contract, field), field.comment) for field in event.fields]
        lines += ["", *_table(("Field", "Type", "Meaning"), rows), ""]
    return lines[:-1]


def _errors(contract: Contract) -> list[str]:
    text = "A refusal carries one `google.rpc.ErrorInfo`: a reason below, the package as domain, and the metadata."
    lines = _title("Errors", text)
    for enum in sorted(contract.enums.values(), key=lambda enum: enum.full_name):
        if not enum.is_reason:
            continue
        rows = []
        for value in enum.values:
            if value.number:
                meaning, _, metadata = value.comment.partition("Metadata:")
                keys = re.findall(r"`[^`]+`", metadata)
                code = code_pb2.Code.Name(value.options.get(CODE, 0))
                rows.append((f"`{value.name}`", code, ", ".join(keys), meaning))
        lines += [f"## {enum.full_name}", "", enum.comment, ""]
        lines += [*_table(("Reason", "Status", "Metadata", "Meaning"), rows), ""]
    return lines[:-1]


def _resources(contract: Contract) -> list[str]:
    lines = _title("Resources", "What is stored, under which names, and what is special about its fields.")
    stored = [message for message in contract.messages.values() if storage(message)]
    for message in sorted(stored, key=lambda message: message.full_name):
        lines += [f"## {message.full_name}", "", message.comment, ""]
        named = message.options.get(AIP_RESOURCE)
        patterns = f" Named {_codes(named.pattern)}." if named is not None else ""
        lines += [f"Stored as {storage(message).removeprefix('KIND_').lower()}.{patterns}", ""]
        rows = [(f"`{f.name}`", _type(contract, f), _storage_notes(f), f.comment) for f in message.fields]
        lines += [*_table(("Field", "Type", "Storage", "Meaning"), rows), ""]
    return lines[:-1]


def _title(title: str, text: str) -> list[str]:
    return [f"# {title}", "", NOTE, "", text, ""]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table, or the word "None." when there is nothing to list."""
    written = [_row(row) for row in rows]
    return [_row(header), _row(["---"] * len(header)), *written] if written else ["None."]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.strip().replace("|", "\\|") or "–" for cell in cells) + " |"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _short(element: Method | Field) -> str:
    """The last two parts of a full name, as in `QuoteService.GetQuote`."""
    return ".".join(element.full_name.split(".")[-2:])


def _routes(method: Method) -> str:
    return ", ".join(f"`{verb} {path}`" for verb, path in method.routes)


def _access(method: Method) -> str:
    match method.access:
        case "permission":
            return f"`{method.policy.permission}`"
        case "anonymous":
            return "anyone"
        case "internal":
            return "events and timers"
        case _:
            return ""


def _edition(method: Method) -> str:
    stated = constant(method.policy, "edition") if method.policy is not None else "EDITION_UNSPECIFIED"
    return "FREE" if stated == "EDITION_UNSPECIFIED" else stated.removeprefix("EDITION_")


def _notes(method: Method) -> str:
    policy = method.policy
    if policy is None:
        return ""
    notes = ["reads only" if method.no_side_effects else ""]
    notes += ["platform tenant only" if constant(policy, "scope") == "SCOPE_PLATFORM" else ""]
    notes += ["open to partners" if policy.partner_visible else ""]
    notes += ["streams" if method.streams_out or method.streams_in else ""]
    for word, names in (("emits", policy.emits), ("asks", policy.asks), ("reserves with", policy.reserves)):
        notes += [f"{word} {_codes(name.rpartition('.')[2] for name in names)}" if names else ""]
    return "; ".join(note for note in notes if note)


def _caps(message: Message) -> dict[str, str]:
    """Cap by edition, as in `{"FREE": "50"}`."""
    stated = message.options.get(RESOURCE)
    limits = stated.limits if stated is not None else ()
    return {constant(limit, "edition").removeprefix("EDITION_"): f"{limit.max:,}" for limit in limits}


def _type(contract: Contract, field: Field) -> str:
    inner = contract.messages.get(field.type_name)
    if inner is not None and inner.map_entry:
        key, value = inner.fields
        return f"map of `{key.kind}` to `{value.type_name or value.kind}`"
    name = f"`{field.type_name or field.kind}`"
    return f"list of {name}" if field.repeated else name


def _storage_notes(field: Field) -> str:
    stated = field.options.get(FIELD)
    if stated is None:
        return ""
    notes = ["unique" if stated.unique else "", "indexed" if stated.indexed and not stated.unique else ""]
    notes += ["a partner sees only its own" if constant(stated, "scoping") == "SCOPING_PARTNER" else ""]
    notes += [f"needs `{stated.read_permission}`" if stated.read_permission else ""]
    notes += [constant(stated, "data_class").removeprefix("DATA_CLASS_").lower().replace("unspecified", "")]
    return "; ".join(note for note in notes if note)
