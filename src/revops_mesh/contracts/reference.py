"""The reference pages in `docs/reference/`, from descriptors and comments; the same contract gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from revops_mesh.contracts.markdown import codes, short, table
from revops_mesh.contracts.model import AIP_RESOURCE, FIELD, RESOURCE, Contract, Field, Message, Method, constant
from revops_mesh.contracts.reasons import methods_by_reason, reasons_of
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
        lines += [*table(("Method", "Route", "Who may call", "Edition", "Notes", "What it does"), rows), ""]
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
    text = "What each permission lets its holder call, and which fields it lets them read and write."
    lines = _title("Permissions", text)
    ids = sorted({*methods, *fields})
    for capability in sorted({permission.partition(".")[0] for permission in ids}):
        rows = [
            (
                f"`{permission}`",
                codes(short(m.full_name) for m in opened),
                codes(short(f.full_name) for f in fields.get(permission, [])),
                _whats(opened),
            )
            for permission in ids
            if permission.partition(".")[0] == capability
            for opened in [methods.get(permission, [])]
        ]
        lines += [f"## {capability}", "", *table(("Permission", "Methods", "Fields", "What its holder may do"), rows), ""]
    return lines[:-1]


def _editions(contract: Contract) -> list[str]:
    lines = _title("Editions", "Each edition includes those before it; a method that is not listed is in every one.")
    for edition in EDITIONS[1:]:
        gated = [(f"`{short(m.full_name)}`", m.comment) for m in contract.methods if _edition(m) == edition]
        lines += [f"## Methods from {edition} on", "", *(table(("Method", "What it does"), gated)), ""]
    capped = [message for message in contract.messages.values() if _caps(message)]
    rows = [(f"`{m.full_name}`", *(_caps(m).get(edition, "no cap") for edition in EDITIONS)) for m in capped]
    lines += ["## Most live resources of a tenant", "", *table(("Resource", *EDITIONS), rows)]
    return lines


def _events(contract: Contract) -> list[str]:
    text = "The body is the message, in protobuf; `{tenant}` is the tenant's id in hex. Who else hears is their business."
    lines = _title("Events", text)
    known = {name: message for name in contract.events if (message := contract.messages.get(name))}
    index = [(f"[`{name}`](#{name.replace('.', '').lower()})", event.comment) for name, event in known.items()]
    lines += [*table(("Event", "What happened"), index), ""]
    for name, event in known.items():
        heard = [short(method.full_name) for method in contract.heard(name)]
        lines += [f"## {name}", "", event.comment, "", f"Subject `{_subject(name)}`."]
        lines += [f"Recorded by {codes(short(m.full_name) for m in contract.events[name])}."]
        lines += [f"Heard by {codes(heard)}."] if heard else []
        rows = [(f"`{field.name}`", _type(contract, field), field.comment) for field in event.fields]
        lines += ["", *table(("Field", "Type", "Meaning"), rows), ""]
    return lines[:-1]


def _errors(contract: Contract) -> list[str]:
    text = "A refusal carries one `google.rpc.ErrorInfo`: a reason below, the package as domain, and the metadata."
    lines = _title("Errors", text)
    named_by = methods_by_reason(contract)
    for enum in sorted(contract.enums.values(), key=lambda enum: enum.full_name):
        if not enum.is_reason:
            continue
        rows = [
            (
                f"`{reason.name}`",
                reason.code,
                str(reason.http_status),
                codes(reason.metadata),
                reason.meaning,
                "every method" if reason.platform else codes(short(m.full_name) for m in named_by.get(reason.name, [])),
            )
            for reason in reasons_of(enum)
        ]
        lines += [f"## {enum.full_name}", "", enum.comment, ""]
        lines += [*table(("Reason", "Status", "HTTP", "Metadata", "Meaning and what to do", "Methods"), rows), ""]
    return lines[:-1]


def _resources(contract: Contract) -> list[str]:
    lines = _title("Resources", "What is stored, under which names, and what is special about its fields.")
    stored = [message for message in contract.messages.values() if storage(message)]
    for message in sorted(stored, key=lambda message: message.full_name):
        lines += [f"## {message.full_name}", "", message.comment, ""]
        named = message.options.get(AIP_RESOURCE)
        patterns = f" Named {codes(named.pattern)}." if named is not None else ""
        lines += [f"Stored as {storage(message).removeprefix('KIND_').lower()}.{patterns}", ""]
        rows = [(f"`{f.name}`", _type(contract, f), _storage_notes(f), f.comment) for f in message.fields]
        lines += [*table(("Field", "Type", "Storage", "Meaning"), rows), ""]
    return lines[:-1]


def _title(title: str, text: str) -> list[str]:
    return [f"# {title}", "", NOTE, "", text, ""]


def _whats(methods: Iterable[Method]) -> str:
    """First sentences of what methods do."""
    return " ".join(method.comment.partition(". ")[0].rstrip(".") + "." for method in methods)


def _subject(event: str) -> str:
    """The subject on which an event is published."""
    product, _, rest = event.partition(".")
    return f"{product}.{{tenant}}.{rest}"


def _routes(method: Method) -> str:
    return ", ".join(f"`{verb} {path}`" for verb, path in method.routes)


def _access(method: Method) -> str:
    match method.access:
        case "permission":
            return f"`{method.policy.permission}`"
        case "authenticated":
            return "every caller"
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
        notes += [f"{word} {codes(name.rpartition('.')[2] for name in names)}" if names else ""]
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
