"""Every message of the contracts survives JSON and bytes unchanged, whatever its fields hold."""

from typing import Any

import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.status_pb2 import Status
from google.type.date_pb2 import Date
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revops_mesh.kernel.contract import described, message_class
from tests.contract.methods import contract

MESSAGES = sorted(name for name, message in contract().messages.items() if not message.map_entry)
DEPTH = 4
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PATHS = ["name", "display_name", "lines.rate_plan"]
INSTANTS = st.builds(
    Timestamp,
    seconds=st.integers(-62_135_596_800, 253_402_300_799),
    nanos=st.sampled_from([0, 1, 1_000, 1_000_000, 123_456_789, 999_999_999]),
)


def packed(message: Message) -> Any:
    """A message in an `Any`."""
    whole = AnyMessage()
    whole.Pack(message)
    return whole


WELL_KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "google.protobuf.Timestamp": INSTANTS,
    "google.type.Date": st.builds(Date, year=st.integers(0, 9999), month=st.integers(0, 12), day=st.integers(0, 31)),
    "google.protobuf.FieldMask": st.lists(st.sampled_from(PATHS)).map(lambda paths: FieldMask(paths=paths)),
    "google.protobuf.Duration": st.builds(Duration, seconds=st.integers(0, 60), nanos=st.sampled_from([0, 1, 999_999_999])),
    "google.protobuf.Any": INSTANTS.map(packed),
    "google.rpc.Status": st.builds(Status, code=st.integers(0, 16), message=TEXTS),
    "google.api.HttpBody": st.builds(HttpBody, content_type=TEXTS, data=st.binary(max_size=12)),
}
RANGES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}

briefly = settings(max_examples=6, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))


def scalars(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    if field.type == FieldDescriptor.TYPE_STRING:
        return TEXTS
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=12)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    return st.integers(*RANGES[field.type])


def instances(descriptor: Descriptor, depth: int = DEPTH) -> st.SearchStrategy[Message]:
    """Messages of a type with any of their fields set."""
    if descriptor.full_name in WELL_KNOWN:
        return WELL_KNOWN[descriptor.full_name]

    @st.composite
    def build(draw: st.DrawFn) -> Message:
        message: Any = message_class(descriptor.full_name)()
        for field in descriptor.fields:
            nested = field.message_type
            if (nested is not None and depth == 0) or not draw(st.integers(0, 3)):
                continue
            values = instances(nested, depth - 1) if nested is not None else scalars(field)
            if field.is_repeated:
                getattr(message, field.name).extend(draw(st.lists(values, max_size=2)))
            elif nested is not None:
                getattr(message, field.name).CopyFrom(draw(values))
            else:
                setattr(message, field.name, draw(values))
        return message

    return build()


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_survives_json_and_bytes(name: str) -> None:
    kind = message_class(name)

    @briefly
    @given(message=instances(described(kind)))
    def survives(message: Message) -> None:
        assert kind.FromString(message.SerializeToString()) == message
        for shape in ({}, {"preserving_proto_field_name": True}, {"always_print_fields_with_no_presence": True}):
            text = json_format.MessageToJson(message, **shape)
            assert json_format.Parse(text, kind()) == message
        assert json_format.ParseDict(json_format.MessageToDict(message), kind()) == message

    survives()


def test_no_two_fields_of_a_message_have_one_json_name() -> None:
    for name in MESSAGES:
        fields = described(message_class(name)).fields
        assert len({field.json_name for field in fields}) == len(fields)
        assert all(field.camelcase_name == field.json_name for field in fields), name
