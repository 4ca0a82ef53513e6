"""Messages of any type with anything in them, and JSON that is nearly right."""

import json
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
CPP_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
NANOS = st.sampled_from([0, 1, 1_000, 1_000_000, 123_456_789, 999_999_999])
FREE = st.recursive(
    st.none() | st.booleans() | TEXTS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
MASKS = st.lists(st.sampled_from(["name", "display_name", "lines.rate_plan"]), max_size=3)

briefly = settings(max_examples=8, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
long = settings(briefly, max_examples=60)


def scalars(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.enum_type is not None:
        if field.enum_type.full_name == "google.protobuf.NullValue":
            return st.just(0)
        return st.sampled_from([value.number for value in field.enum_type.values]) | st.just(4711)
    if field.cpp_type in CPP_RANGES:
        return st.integers(*CPP_RANGES[field.cpp_type])
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=9)
    if field.type == FieldDescriptor.TYPE_FLOAT:  # the oracle does not read the largest float that it writes
        return st.floats(-(2.0**127), 2.0**127, width=32) | st.sampled_from([float("inf"), float("-inf"), float("nan")])
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return st.floats()
    return TEXTS


def free_value(held: Any) -> Value:
    """A free-form value as a message."""
    value = Value()
    struct = Struct()
    struct.update({"held": held})
    value.CopyFrom(struct.fields["held"])
    return value


@st.composite
def instances(draw: st.DrawFn, of: Descriptor, depth: int = 3, few: int = 1) -> Message:
    """Messages of a type that JSON can say; of `few` + 1 fields, about one is set."""
    kind: Any = GetMessageClass(of)
    match of.full_name.removeprefix("google.protobuf."):
        case "Timestamp":
            return Timestamp(seconds=draw(st.integers(-62_135_596_800, 253_402_300_799)), nanos=draw(NANOS))
        case "Duration":
            return _duration(kind, draw(st.integers(-315_576_000_000, 315_576_000_000)), draw(NANOS))
        case "FieldMask":
            return kind(paths=draw(MASKS))
        case "Value":
            return free_value(draw(FREE))
        case "ListValue":
            return kind(values=[free_value(each) for each in draw(st.lists(FREE, max_size=3))])
        case "Struct":
            return kind(fields={key: free_value(each) for key, each in draw(st.dictionaries(TEXTS, FREE, max_size=3)).items()})
        case "Any":
            return _any(kind, draw(instances(Timestamp.DESCRIPTOR) | instances(Struct.DESCRIPTOR)), draw(st.booleans()))
    message = kind()
    for field in of.fields:
        alternatives = len(field.containing_oneof.fields) if field.containing_oneof else 0
        if draw(st.integers(0, few + alternatives)) == 0:
            _fill(draw, message, field, depth)
    return message


def _duration(kind: Any, seconds: int, nanos: int) -> Message:
    if abs(seconds) == 315_576_000_000:
        nanos = 0
    return kind(seconds=seconds, nanos=-nanos if seconds < 0 else nanos)  # type: ignore[no-any-return]


def _any(kind: Any, held: Message, empty: bool) -> Message:
    message = kind()
    if not empty:
        message.Pack(held)
    return message  # type: ignore[no-any-return]


def _fill(draw: st.DrawFn, message: Any, field: FieldDescriptor, depth: int) -> None:
    nested = field.message_type
    if nested is not None and depth == 0:
        return
    entry = nested if nested is not None and nested.GetOptions().map_entry else None
    value_field = entry.fields_by_name["value"] if entry else field
    inner = value_field.message_type
    values = (
        instances(inner, depth - 1 if inner is not None and inner.full_name != nested else 0) if inner else scalars(value_field)
    )
    if entry:
        for key, value in draw(st.dictionaries(scalars(entry.fields_by_name["key"]), values, max_size=2)).items():
            if inner:
                getattr(message, field.name)[key].CopyFrom(value)
            else:
                getattr(message, field.name)[key] = value
    elif field.is_repeated:
        getattr(message, field.name).extend(draw(st.lists(values, max_size=2)))
    elif inner:
        getattr(message, field.name).CopyFrom(draw(values))
        getattr(message, field.name).SetInParent()
    else:
        setattr(message, field.name, draw(values))


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, -1, 1.5, 1e300, 2**31, -(2**31) - 1, 2**63, 2**64, 10**30, "", "1", "-1", "1.0", "1e3", "x", "NaN",
     "Infinity", "nan", "true", "AAE", "AAE=", "-_8=", "a", "2026-03-01T08:00:00Z", "2026-02-30T08:00:00Z", "1.5s", "-0.5s", "s",
     "a,b", "a_b", "STATE_DRAFT", "4711", [], {}, [None], [[]], {"": 1}, {"@type": "x"}, {"a": [{}]}]
)  # fmt: skip


@st.composite
def nearly(draw: st.DrawFn, document: Any) -> Any:
    """A JSON document with one value somewhere replaced, removed, or one added."""
    document = json.loads(json.dumps(document))
    holders = list(_holders(document))
    if not holders:
        return {draw(TEXTS): draw(ODD)}
    holder = draw(st.sampled_from(holders))
    if isinstance(holder, list):
        holder.insert(draw(st.integers(0, len(holder))), draw(ODD))
    elif holder and draw(st.integers(0, 4)):
        holder[draw(st.sampled_from(sorted(holder)))] = draw(ODD)
    else:
        holder[draw(TEXTS)] = draw(ODD)
    return document


def _holders(value: Any) -> Any:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)
