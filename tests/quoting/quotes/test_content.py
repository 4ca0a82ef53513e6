"""The content hash: it changes with every promise and with nothing else."""

import json
from collections.abc import Iterator
from hashlib import sha256

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from revops.quoting.v1 import quotes_pb2 as pb
from revops.type.v1 import money_pb2

from revops_mesh.quoting.quotes.content import content_hash
from tests.quoting.quotes.offers import line, submitted

PROMISES_NOTHING = {
    # bookkeeping
    "etag", "state", "stale_price_entry", "superseded_by", "close_reason", "content_hash", "last_line_number",
    "approval.state", "approval.approval_request", "approval.asked_state", "approval.asked_request",
    "approval.requests.approval_request", "approval.requests.outcome",
    # instants
    "create_time", "update_time", "price_time", "expire_time", "present_time", "lines.charges.known_time",
    # what readers may not see
    "lines.cost", "totals.cost", "totals.margin",
    # personal data, which may be erased
    "contact_email", "parties.address_lines",
}  # fmt: skip
"""Written by hand: a new field of the contract must be put on one side or the other."""


def quoted() -> pb.Quote:
    state = submitted(line(discount_rate="0.1"), price_scope={"segment": "enterprise"}).state
    state.parties.add(role=money_pb2.Party.ROLE_SOLD_TO, display_name="Acme", address_lines=["1 Main Street"])
    state.approval.requests.add(approval_request="approvalRequests/r")
    state.lines[0].charges[0].pricing.tiers.add(up_to="10", unit_amount="4")
    return state


def leaves(message: Message, path: str = "") -> Iterator[tuple[str, Message, FieldDescriptor]]:
    """Every field at any depth in the first element of each list, as in `lines.charges.net_amount`."""
    descriptor: Descriptor = message.DESCRIPTOR  # type: ignore[assignment]
    for field in descriptor.fields:
        nested = field.message_type
        if nested is None or nested.full_name == "google.protobuf.Timestamp":
            yield path + field.name, message, field
        else:
            value = getattr(message, field.name)
            yield from leaves(value[0] if field.is_repeated else value, f"{path}{field.name}.")


def change(message: Message, field: FieldDescriptor) -> None:
    """Gives a field another value."""
    value = getattr(message, field.name)
    if field.message_type is not None:
        value.seconds += 1
    elif field.is_repeated:
        value.append("another")
    elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        setattr(message, field.name, value + "0")
    else:
        setattr(message, field.name, value + 1)


@pytest.mark.parametrize("path", sorted(path for path, _, _ in leaves(quoted())))
def test_the_hash_changes_with_every_promise_and_with_nothing_else(path: str) -> None:
    quote = quoted()
    before = content_hash(quote)
    holder, field = next((message, field) for found, message, field in leaves(quote) if found == path)
    change(holder, field)
    assert (content_hash(quote) == before) == (path in PROMISES_NOTHING)


def test_every_exemption_is_a_field_of_the_contract() -> None:
    assert {path for path, _, _ in leaves(quoted())} >= PROMISES_NOTHING


def test_equal_promises_have_equal_hashes_however_they_were_written() -> None:
    quote = quoted()
    other = pb.Quote.FromString(quote.SerializeToString(deterministic=True))
    assert content_hash(other) == content_hash(quote)


def test_lines_in_another_order_are_another_promise() -> None:
    first, second = line(line_id="a"), line("disk", line_id="b")
    assert submitted(first, second).state.content_hash != submitted(second, first).state.content_hash


def test_any_language_can_recompute_the_hash() -> None:
    quote = pb.Quote(name="quotes/q", account="accounts/ä", lines=[pb.QuoteLine(line_id="1", quantity="2.5")], etag="7")
    canonical = json.dumps(
        [[1, "quotes/q"], [5, "accounts/ä"], [15, [[[1, "1"], [3, "2.5"]]]]], ensure_ascii=False, separators=(",", ":")
    )
    assert content_hash(quote) == sha256(canonical.encode()).hexdigest()
