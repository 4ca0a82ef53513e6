"""A message that has a field of every kind that protobuf knows, itself included: no contract has them all."""

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

SCALARS = [
    "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "bytes", "uint32", "sfixed32",
    "sfixed64", "sint32", "sint64",
]  # fmt: skip
KEYS = ["int64", "uint64", "int32", "bool", "string", "sint32", "fixed64"]
WELL_KNOWN = [
    "Any", "Duration", "Empty", "FieldMask", "ListValue", "Struct", "Timestamp", "Value", "BoolValue", "BytesValue",
    "DoubleValue", "FloatValue", "Int32Value", "Int64Value", "StringValue", "UInt32Value", "UInt64Value",
]  # fmt: skip
FILES = [any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2]
PACKAGE = "revops.everything.v1"


class _Layout:
    """Adds fields with growing numbers to a message."""

    def __init__(self, message: descriptor_pb2.DescriptorProto) -> None:
        self.message = message

    def add(self, name: str, kind: str, repeated: bool = False, oneof: int | None = None, optional: bool = False) -> None:
        field = self.message.field.add(name=name, number=len(self.message.field) + 1)
        field.label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
        if kind.startswith("."):
            field.type, field.type_name = (Field.TYPE_ENUM if kind.endswith(("Color", "NullValue")) else Field.TYPE_MESSAGE), kind
        else:
            field.type = Field.Type.Value(f"TYPE_{kind.upper()}")
        if oneof is not None:
            field.oneof_index = oneof
        if optional:
            field.proto3_optional = True
            field.oneof_index = len(self.message.oneof_decl)
            self.message.oneof_decl.add(name=f"_{name}")

    def add_map(self, name: str, key: str, kind: str) -> None:
        entry = self.message.nested_type.add(name="".join(part.title() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        inner = _Layout(entry)
        inner.add("key", key)
        inner.add("value", kind)
        self.add(name, f".{PACKAGE}.{self.message.name}.{entry.name}", repeated=True)


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="revops/everything/v1/everything.proto", package=PACKAGE, syntax="proto3")
    file.dependency.extend(module.DESCRIPTOR.name for module in FILES)
    color = file.enum_type.add(name="Color")
    for number, name in enumerate(["COLOR_UNSPECIFIED", "COLOR_RED", "COLOR_BLUE"]):
        color.value.add(name=name, number=number)
    color.value.add(name="COLOR_COLD", number=-5)
    everything = file.message_type.add(name="Everything")
    everything.oneof_decl.add(name="choice")
    layout = _Layout(everything)
    kinds = [*SCALARS, f".{PACKAGE}.Color", *(f".google.protobuf.{name}" for name in WELL_KNOWN), f".{PACKAGE}.Everything"]
    for kind in kinds:
        name = kind.rpartition(".")[2].lower()
        layout.add(f"one_{name}", kind)
        layout.add(f"many_{name}", kind, repeated=True)
        layout.add_map(f"by_name_{name}", "string", kind)
    for kind in SCALARS:
        layout.add(f"maybe_{kind}", kind, optional=True)
    for key in KEYS:
        layout.add_map(f"by_{key}", key, "string")
    for kind in ["string", "int64", f".{PACKAGE}.Color", ".google.protobuf.Timestamp", ".google.protobuf.Value"]:
        layout.add(f"either_{kind.rpartition('.')[2].lower()}", kind, oneof=0)
    layout.add("one_null", ".google.protobuf.NullValue")
    return file


def everything() -> type[Message]:
    """Its class; the file is put into the default pool once."""
    pool = descriptor_pool.Default()
    try:
        return GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Everything"))
    except KeyError:
        pool.AddSerializedFile(_file().SerializeToString())
        return GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Everything"))
