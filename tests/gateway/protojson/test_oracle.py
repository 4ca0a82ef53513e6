"""The walkers against `json_format`, over every message of the contracts and over one with every kind of field."""

import json
from typing import Any

import orjson
import pytest
from google.protobuf import any_pb2, json_format
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.gateway.protojson import Unreadable, parsed, reader, writer
from revops_mesh.kernel.contract import described, message_class
from tests.contract.methods import contract
from tests.gateway.protojson.drawing import briefly, instances, long, nearly
from tests.gateway.protojson.everything import everything

MESSAGES = sorted(name for name, message in contract().messages.items() if not message.map_entry)
GOOGLE = ["google.rpc.Status", "google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.RetryInfo", "google.type.Date"]
EVERYTHING = everything()


def read(kind: type[Message], text: str | bytes) -> Message:
    return kind(**reader(described(kind))(parsed(text.encode() if isinstance(text, str) else text)))


def written(message: Message) -> Any:
    return json.loads(orjson.dumps(writer(described(message))(message)))


def settled(message: Message) -> bytes:
    """Its bytes with all maps in order, also those inside of an Any, which holds bytes itself."""
    if isinstance(message, any_pb2.Any):
        if message.type_url:
            held = message_class(message.TypeName())()
            message.Unpack(held)
            return any_pb2.Any(type_url=message.type_url, value=settled(held)).SerializeToString(deterministic=True)
        return message.SerializeToString(deterministic=True)
    calm = type(message)()
    calm.CopyFrom(message)
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for n, each in enumerate(value if field.is_repeated else [value]):
                (getattr(calm, field.name)[n] if field.is_repeated else getattr(calm, field.name)).ParseFromString(settled(each))
    return calm.SerializeToString(deterministic=True)


def agree_on(message: Message) -> None:
    """Both write the same, and each reads what either wrote."""
    kind = type(message)
    theirs = json_format.MessageToJson(message, ensure_ascii=False)
    ours = written(message)
    assert ours == json.loads(theirs)
    back = json_format.Parse(theirs, kind())
    for text in (theirs, json_format.MessageToJson(message), json.dumps(ours)):
        assert settled(read(kind, text)) == settled(back)
    names = json_format.MessageToJson(message, preserving_proto_field_name=True, use_integers_for_enums=True)
    assert settled(read(kind, names)) == settled(back)


def agree_on_refusal(kind: type[Message], document: Any) -> None:
    """What the oracle refuses is refused; what is not refused is read alike. Strictness beyond the oracle's is tested by name."""
    text = json.dumps(document)
    try:
        ours = read(kind, text)
    except Unreadable:
        return
    try:
        theirs = json_format.Parse(text, kind())
    except json_format.ParseError as error:
        assert "has no attribute 'null_value'" in str(error), error  # the oracle stumbles over null for a list of Value
        return
    assert settled(ours) == settled(theirs)


@pytest.mark.parametrize("name", [*MESSAGES, *GOOGLE])
def test_every_message_is_written_and_read_as_the_oracle_does(name: str) -> None:
    kind = message_class(name)

    @briefly
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        message = data.draw(instances(described(kind)))
        agree_on(message)
        agree_on_refusal(kind, data.draw(nearly(json_format.MessageToDict(message))))

    holds()


@long
@given(instances(described(EVERYTHING), 1, 12))
def test_every_kind_of_field_is_written_and_read_as_the_oracle_does(message: Message) -> None:
    agree_on(message)


@long
@given(st.data())
def test_what_the_oracle_refuses_is_refused(data: st.DataObject) -> None:
    document = json_format.MessageToDict(data.draw(instances(described(EVERYTHING), 1, 40)))
    agree_on_refusal(EVERYTHING, data.draw(nearly(document)))


@long
@given(st.binary(max_size=30) | st.text('{}[]":,\\u003a0123abn \n', max_size=30).map(str.encode))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        value = parsed(text)
    except Unreadable:
        return
    assert value == json.loads(text) or value != value
