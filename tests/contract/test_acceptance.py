"""What the quick check accepts is sound by the general one, for requests drawn from the rules and from their borders."""

from functools import cache
from typing import Any

import pytest
from buf.validate import validate_pb2
from google.api import field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from revops.platform.v1 import reference_pb2
from revops.quoting.v1 import quotes_pb2

from revops_mesh import member
from revops_mesh.acceptance import accepts
from revops_mesh.kernel import shape, walk
from revops_mesh.kernel.contract import Method, described, message_class, methods_of, patterns_of
from tests.contract.test_round_trip import RANGES, WELL_KNOWN

METHODS = [m for module in member.MODULES for m in methods_of(module.service) if not m.internal]
PATTERNS = patterns_of(METHODS)
EXAMPLES = {"c9b1f3a4-6f0e-4d7b-9a34-1f2e3d4c5b6a", "C9B1F3A4-6F0E-4D7B-9A34-1F2E3D4C5B6A", "c9b1f3a46f0e4d7b9a341f2e3d4c5b6a"}
DEPTH = 4

thoroughly = settings(max_examples=40, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))


def texts(field: FieldDescriptor, rules: Any) -> st.SearchStrategy[str]:
    """Texts near the rules: most obey them, some end in a line break, are too long by one, or anything."""
    resource = field.GetOptions().Extensions[resource_pb2.resource_reference].type
    near = [st.text(max_size=3), st.sampled_from(["", "\n", "a\n", "é" * 3])]
    if resource in PATTERNS:
        name = PATTERNS[resource].name("a-1", "x/y" if PATTERNS[resource].nested else "")
        near += [st.just(name), st.just(name.replace("x/y", PATTERNS[resource].text.split("/{")[0] + "/p")), st.just(name + "\n")]
    if rules.pattern:
        near += [st.from_regex(rules.pattern, fullmatch=True), st.from_regex(rules.pattern)] * 3
    if rules.uuid:
        near += [st.sampled_from(sorted(EXAMPLES))]
    for bound in {rules.min_len, rules.max_len} - {0}:
        near += [st.just("é" * bound), st.just("a" * (bound + 1)), st.just("a" * (bound - 1))]
    return st.one_of(near)


def values(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    if field.message_type is not None:
        return near(field.message_type, depth - 1)
    if field.type == FieldDescriptor.TYPE_STRING:
        return texts(field, rules.repeated.items.string if field.is_repeated else rules.string)
    if field.enum_type is not None:
        return st.sampled_from([*(value.number for value in field.enum_type.values), 99])
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=4)
    low, high = RANGES[field.type]
    own = getattr(rules, rules.WhichOneof("type") or "int32")
    borders = [n + d for n in (getattr(own, "gte", 0), getattr(own, "lte", 0)) for d in (-1, 0, 1)]
    return st.sampled_from([n for n in (*borders, 0, 1) if low <= n <= high])


def fields(descriptor: Descriptor, depth: int) -> list[tuple[FieldDescriptor, bool, st.SearchStrategy[Any]]]:
    """The fields that are reached at a depth, whether they are required, and what may be in them."""
    found = []
    for field in descriptor.fields:
        if depth or field.message_type is None:
            required = field_behavior_pb2.REQUIRED in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
            held = values(field, depth)
            found.append((field, required, st.lists(held, max_size=2) if field.is_repeated else held))
    return found


@cache  # for making a strategy takes longer than drawing from it
def near(descriptor: Descriptor, depth: int = DEPTH) -> st.SearchStrategy[Message]:
    """Messages that mostly obey the rules; required fields are mostly set."""
    if descriptor.full_name in WELL_KNOWN:
        return WELL_KNOWN[descriptor.full_name]
    kind, reached = message_class(descriptor.full_name), fields(descriptor, depth)

    @st.composite
    def build(draw: st.DrawFn) -> Message:
        message: Any = kind()
        for field, required, held in reached:
            if draw(st.integers(0, 9)) < (1 if required else 7):
                continue
            if field.is_repeated:
                getattr(message, field.name).extend(draw(held))
            elif field.message_type is not None:
                getattr(message, field.name).CopyFrom(draw(held))
            else:
                setattr(message, field.name, draw(held))
        return message

    return build()


def general(method: Method, request: Message) -> list[tuple[str, str]]:
    """What the general check finds."""
    if (clear := walk.without_output_only(method.request)) is not None:
        clear(request)
    violations = shape._violations(request)
    rules = shape._rules(described(method.request), PATTERNS, frozenset())
    if rules is not None:
        rules(request, "", violations)
    return violations


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.full_name)
def test_what_is_accepted_is_sound_and_cleared_alike(method: Method) -> None:
    quick, seen = accepts(described(method.request), PATTERNS), {True: 0, False: 0}

    @thoroughly
    @given(near(described(method.request)))
    def holds(request: Message) -> None:
        other = type(request)()
        other.CopyFrom(request)
        accepted = quick(request)
        seen[accepted] += 1
        if accepted:
            assert general(method, other) == []
            assert request == other

    holds()


def test_an_ordinary_offer_is_accepted() -> None:
    request = quotes_pb2.CreateQuoteRequest(request_id="c9b1f3a4-6f0e-4d7b-9a34-1f2e3d4c5b6a")
    request.quote.account, request.quote.currency_code = "accounts/acme", "EUR"
    request.quote.lines.add(rate_plan="products/a/ratePlans/b", quantity="2", discount_rate="0.1")
    assert accepts(described(request), PATTERNS)(request)
    request.quote.lines[0].quantity = "0.0"
    assert not accepts(described(request), PATTERNS)(request)


def test_an_example_forbids_nothing() -> None:
    entity = reference_pb2.LegalEntity(display_name="Cloud GmbH", currency_code="EUR", time_zone="Asia/Tokyo")
    request = reference_pb2.CreateLegalEntityRequest(legal_entity=entity)
    assert accepts(described(request), PATTERNS)(request)
    entity.time_zone = "x" * 61
    request.legal_entity.CopyFrom(entity)
    assert not accepts(described(request), PATTERNS)(request)
