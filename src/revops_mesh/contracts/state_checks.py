"""What resources, events and reasons have to state: standard fields, bounded collections, no personal data, codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from revops_mesh.contracts.model import (
    AIP_RESOURCE,
    CODE,
    FIELD,
    RESOURCE,
    RULES,
    Contract,
    Field,
    Message,
    Problems,
    constant,
)

MAX_ITEMS = 1000
"""Largest collection inside a stored resource; more belong in rows of their own."""

STANDARD_FIELDS = {
    "name": "string",
    "etag": "string",
    "create_time": "google.protobuf.Timestamp",
    "update_time": "google.protobuf.Timestamp",
}
"""AIP-148 and AIP-154."""

METADATA = re.compile(r"Metadata: (none\b|`[a-z][a-z0-9_]*`)")
PROMISE = re.compile(r"Fails with ([^.]*)")
CONSTANT = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\b")
SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def storage(message: Message) -> str:
    """`KIND_AGGREGATE` or `KIND_LEDGER`; empty if the message has no table."""
    stated = message.options.get(RESOURCE)
    kind = constant(stated, "kind") if stated is not None else "KIND_UNSPECIFIED"
    return "" if kind == "KIND_UNSPECIFIED" else kind


def resources_have_the_standard_fields(contract: Contract) -> Problems:
    """Name, etag and times; ledgers are rows, not resources, and have none."""
    for message in contract.messages.values():
        if storage(message) == "KIND_LEDGER" or not (storage(message) or AIP_RESOURCE in message.options):
            continue
        if AIP_RESOURCE not in message.options:
            yield message, "is an aggregate, so it needs `google.api.resource` with type and pattern"
        for name, kind in STANDARD_FIELDS.items():
            field = message.field(name)
            if field is None or (field.type_name or field.kind) != kind or field.repeated:
                yield message, f"is a resource, so it needs `{kind} {name}`"


def stored_collections_are_bounded(contract: Contract) -> Problems:
    """A collection in a stored state is read and written whole, so it has a `max_items` (`max_pairs`) up to 1,000."""
    seen: set[str] = set()
    for message in contract.messages.values():
        if not storage(message):
            continue
        for _, field in _reachable(contract, message, lambda field: field.repeated):
            if field.full_name not in seen and not 0 < _bound(contract, field) <= MAX_ITEMS:
                seen.add(field.full_name)
                rule = "map.max_pairs" if _is_map(contract, field) else "repeated.max_items"
                where = f"is stored in {message.name}, so it needs "
                yield field, f"{where}`(buf.validate.field).{rule}` of 1 to {MAX_ITEMS:,}"


def events_and_ledgers_carry_no_personal_data(contract: Contract) -> Problems:
    """Events, copies of them and ledgers outlive an erasure: they name resources instead."""
    ledgers = [name for name, message in contract.messages.items() if storage(message) == "KIND_LEDGER"]
    for name in [*contract.events, *ledgers]:
        if (message := contract.messages.get(name)) is None:
            continue
        what = "a ledger" if storage(message) == "KIND_LEDGER" else "an event"
        for path, field in _reachable(contract, message, _is_sensitive):
            kind = constant(field.options[FIELD], "data_class").removeprefix("DATA_CLASS_")
            yield message, f"is {what} and carries the {kind} field `{path}` ({field.full_name})"


def events_of_partner_rows_name_the_partner(contract: Contract) -> Problems:
    """A partner gets the events of its own rows only: what an event is about says its first field, whose it is another."""
    scoped = {_first_field(m) for m in contract.messages.values() if storage(m) and any(map(_scopes_partners, m.fields))}
    for name in contract.events:
        if (event := contract.messages.get(name)) is None or not event.fields:
            continue
        if (event.capability, event.fields[0].name) in scoped and not any(map(_scopes_partners, event.fields)):
            yield event, f"is about a `{event.fields[0].name}`, which may be a partner's: add its partner, with SCOPING_PARTNER"


def _first_field(resource: Message) -> tuple[str, str]:
    """The capability of a resource and the name of the field with which its events begin."""
    stated = resource.options.get(AIP_RESOURCE)
    return resource.capability, SNAKE.sub("_", stated.singular or resource.name if stated else resource.name).lower()


def _scopes_partners(field: Field) -> bool:
    stated = field.options.get(FIELD)
    return stated is not None and constant(stated, "scoping") == "SCOPING_PARTNER"


def read_permissions_are_well_formed(contract: Contract) -> Problems:
    """A field is guarded by a permission of its own capability with the verb `read`."""
    for message in contract.messages.values():
        for field in message.fields:
            stated = field.options.get(FIELD)
            permission = stated.read_permission if stated is not None else ""
            if permission and not re.fullmatch(rf"{field.capability}\.[a-z][A-Za-z0-9]*\.read", permission):
                yield field, f'read_permission "{permission}" is not `{field.capability}.<collection>.read`'


def reasons_have_code_and_metadata(contract: Contract) -> Problems:
    """A reason is documented where it is declared: status as option, keys of `ErrorInfo.metadata` in words."""
    for enum in contract.enums.values():
        for value in enum.values if enum.is_reason else ():
            if value.number == 0:
                continue
            if value.options.get(CODE, 0) == 0:
                yield value, "is a reason, so it needs `(revops.options.v1.code)` other than OK"
            if METADATA.search(value.comment) is None:
                yield value, 'comment must name its metadata, as in "Metadata: `quote`." or "Metadata: none."'


def promised_reasons_exist(contract: Contract) -> Problems:
    """A reason that an rpc's comment promises after "Fails with" is declared in some `…Reason` enum."""
    known = {value.name for enum in contract.enums.values() if enum.is_reason for value in enum.values}
    for method in contract.methods:
        for promise in PROMISE.findall(method.comment):
            for reason in CONSTANT.findall(promise):
                if reason not in known:
                    yield method, f"comment promises {reason}, which no reason enum declares"


def enum_values_are_prefixed(contract: Contract) -> Problems:
    """Values carry the enum's name, because protobuf scopes them beside it. Reasons do not: they go over the wire."""
    for enum in contract.enums.values():
        prefix = SNAKE.sub("_", enum.name).upper() + "_"
        for value in enum.values:
            if not enum.is_reason and not value.name.startswith(prefix):
                yield value, f"must begin with {prefix}"


def _reachable(
    contract: Contract, message: Message, wanted: Callable[[Field], bool], path: str = "", above: tuple[str, ...] = ()
) -> Iterator[tuple[str, Field]]:
    """Wanted fields of a message and of the messages of ours inside it, each with its path as in `buyer.tax`."""
    if message.full_name in above:
        return
    for field in message.fields:
        here = f"{path}{field.name}"
        if wanted(field):
            yield here, field
        inner = contract.messages.get(field.type_name)
        if inner is not None:
            yield from _reachable(contract, inner, wanted, f"{here}.", (*above, message.full_name))


def _is_sensitive(field: Field) -> bool:
    stated = field.options.get(FIELD)
    return stated is not None and constant(stated, "data_class") != "DATA_CLASS_UNSPECIFIED"


def _is_map(contract: Contract, field: Field) -> bool:
    inner = contract.messages.get(field.type_name)
    return inner is not None and inner.map_entry


def _bound(contract: Contract, field: Field) -> int:
    rules = field.options.get(RULES)
    if rules is None:
        return 0
    bound: int = rules.map.max_pairs if _is_map(contract, field) else rules.repeated.max_items
    return bound


STATE_CHECKS = (
    resources_have_the_standard_fields,
    stored_collections_are_bounded,
    events_and_ledgers_carry_no_personal_data,
    events_of_partner_rows_name_the_partner,
    read_permissions_are_well_formed,
    reasons_have_code_and_metadata,
    promised_reasons_exist,
    enum_values_are_prefixed,
)
