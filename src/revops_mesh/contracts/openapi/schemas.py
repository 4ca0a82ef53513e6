"""Messages and enums of the contract as JSON Schema 2020-12, in the form of the JSON mapping of proto3.

A message becomes a component under its full name. Comments become descriptions; `buf.validate` rules, field behaviour (AIP-203)
and resource references become keywords; what else the contract says of a field stands in `x-…` keywords.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, cast

import protovalidate
from google.api import field_behavior_pb2, resource_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from revops_mesh.contracts.model import AIP_RESOURCE, FIELD, RULES, Contract, constant
from revops_mesh.contracts.openapi.rules import Keywords, keywords, optional, untranslatable

MESSAGE_RULES = "buf.validate.message"
RESOURCE_ID = "[a-z0-9-]{1,63}"
"""An id in a resource name; `revops_mesh.kernel.names` refuses others."""

_INTEGER_TEXT = "^-?[0-9]+$"
_SCALARS: dict[str, Keywords] = {
    "double": {"type": "number", "format": "double"},
    "float": {"type": "number", "format": "float"},
    "int32": {"type": "integer", "format": "int32"},
    "sint32": {"type": "integer", "format": "int32"},
    "sfixed32": {"type": "integer", "format": "int32"},
    "uint32": {"type": "integer", "format": "int64", "minimum": 0},
    "fixed32": {"type": "integer", "format": "int64", "minimum": 0},
    "int64": {"type": "string", "format": "int64", "pattern": _INTEGER_TEXT},
    "sint64": {"type": "string", "format": "int64", "pattern": _INTEGER_TEXT},
    "sfixed64": {"type": "string", "format": "int64", "pattern": _INTEGER_TEXT},
    "uint64": {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"},
    "fixed64": {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"},
    "bool": {"type": "boolean"},
    "string": {"type": "string"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
}
_WRAPPED = {
    "DoubleValue": "double", "FloatValue": "float", "Int32Value": "int32", "Int64Value": "int64", "UInt32Value": "uint32",
    "UInt64Value": "uint64", "BoolValue": "bool", "StringValue": "string", "BytesValue": "bytes",
}  # fmt: skip
_WELL_KNOWN: dict[str, Keywords] = {
    "Timestamp": {"type": "string", "format": "date-time"},
    "Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "FieldMask": {"type": "string", "x-format": "field-mask"},
    "Empty": {"type": "object"},
    "Struct": {"type": "object"},
    "Value": {},
    "ListValue": {"type": "array"},
    "Any": {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]},
    **{name: {**_SCALARS[of], "type": [_SCALARS[of]["type"], "null"]} for name, of in _WRAPPED.items()},
}
"""Messages of `google.protobuf` with a JSON form of their own."""
_IMPORTED: dict[str, Keywords] = {
    "google.type.Date": {"description": "A day of the calendar, without a time zone."},
    "google.type.Date.year": {"description": "Year.", "minimum": 1, "maximum": 9999, "examples": [2030]},
    "google.type.Date.month": {"description": "Month.", "minimum": 1, "maximum": 12},
    "google.type.Date.day": {"description": "Day of the month.", "minimum": 1, "maximum": 31},
    "google.longrunning.Operation": {
        "description": "A job that goes on after the call; ask for it by its name until it is done."
    },
}
"""What is known of messages and fields from wheels, which hold neither comments nor our rules. Dates are whole here."""

_BEHAVIORS = {
    field_behavior_pb2.OUTPUT_ONLY: {"readOnly": True},
    field_behavior_pb2.INPUT_ONLY: {"writeOnly": True},
    field_behavior_pb2.IMMUTABLE: {"x-immutable": True},
    field_behavior_pb2.IDENTIFIER: {"x-identifier": True},
}


class Schemas:
    """Schemas by need: whatever is referred to becomes a component."""

    def __init__(self, contract: Contract) -> None:
        self.components: dict[str, Keywords] = {}
        self._contract = contract
        self._elements = {element.full_name: element for element in contract.elements()}
        self._patterns = {
            stated.type: stated.pattern[0]
            for message in contract.messages.values()
            if (stated := message.options.get(AIP_RESOURCE)) and stated.type and stated.pattern
        }
        self._updated = {
            field.type_name
            for method in contract.methods
            if (request := contract.messages.get(method.request)) and request.field("update_mask")
            for field in request.fields
            if field.type_name in contract.messages
        }

    def of(self, described: Descriptor | EnumDescriptor) -> Keywords:
        """The schema of a message or an enum: a reference, or the JSON form of a well-known type."""
        package, _, name = described.full_name.rpartition(".")
        if package == "google.protobuf" and name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[name])
        if described.full_name == "google.protobuf.NullValue":
            return {"type": "null"}
        if described.full_name not in self.components:
            self.components[described.full_name] = {}  # a message may hold itself
            made = self._enum(described) if isinstance(described, EnumDescriptor) else self._message(described)
            self.components[described.full_name] = made
        return {"$ref": f"#/components/schemas/{described.full_name}"}

    def created(self, described: Descriptor) -> Keywords:
        """The schema of a resource that is sent to be created: what an update may leave out is required here."""
        reference = self.of(described)
        needed = self.components.get(described.full_name, {}).get("x-required-on-create")
        return reference | ({"required": needed} if needed else {})

    def body(self, described: Descriptor, without: Collection[str] = ()) -> Keywords:
        """The schema of a message as an object, without the named fields."""
        fields = [field for field in described.fields if field.name not in without]
        schema: Keywords = {"type": "object", "description": self._comment(described.full_name)}
        schema["properties"] = {field.json_name: self.field(field) for field in fields}
        required = self._required(described)
        if needed := [field.json_name for field in fields if field.name in required]:
            schema["required"] = needed
        if clashes := _exclusive(described, {field.name for field in fields}):
            schema |= clashes[0] if len(clashes) == 1 else {"allOf": clashes}
        if (stated := self._options(described.full_name).get(MESSAGE_RULES)) is not None:
            schema |= untranslatable(stated)
        return {key: value for key, value in schema.items() if value != ""}

    def field(self, field: FieldDescriptor) -> Keywords:
        """The schema of a field with everything that the contract says of it."""
        said = keywords(field, self._options(field.full_name).get(RULES))
        schema = self._type(field, said)
        if comment := self._comment(field.full_name):
            schema["description"] = comment
        schema |= said | _IMPORTED.get(field.full_name, {})
        return schema | self._reference(field, schema) | _behavior(field) | self._facts(field)

    def required(self, field: FieldDescriptor) -> bool:
        """Whether a request without the field is refused."""
        return field.name in self._required(cast(Descriptor, field.containing_type))

    def pattern_of(self, segments: Collection[str]) -> list[str]:
        """The resource name pattern that has these segments, `*` for each id, by segment; empty if no resource has it."""
        shape = list(segments)
        for pattern in self._patterns.values():
            parts: list[str] = pattern.split("/")
            if ["*" if part.startswith("{") else part for part in parts] == shape:
                return parts
        return []

    def id_pattern(self, field: FieldDescriptor, collection: str) -> str:
        """The form of the id in a field that holds `{collection}/{id}`: that of the field's own rule if it has one."""
        stated = self._options(field.full_name).get(RULES)
        own = re.fullmatch(rf"\^{collection}/(.+)\$", stated.string.pattern) if stated is not None else None
        return f"^{own[1] if own else RESOURCE_ID}$"

    def _message(self, described: Descriptor) -> Keywords:
        schema = self.body(described)
        if described.full_name in self._updated and "required" in schema:
            schema["x-required-on-create"] = schema.pop("required")
        if stated := self._options(described.full_name).get(AIP_RESOURCE):
            schema |= {"x-resource": {"type": stated.type, "pattern": list(stated.pattern)}}
        return schema

    def _enum(self, described: EnumDescriptor) -> Keywords:
        known = self._contract.enums.get(described.full_name)
        schema: Keywords = {"type": "string", "description": known.comment if known else ""}
        schema["enum"] = [value.name for value in described.values]
        if known:
            schema["x-enumDescriptions"] = {value.name: value.comment for value in known.values}
        return {key: value for key, value in schema.items() if value}

    def _type(self, field: FieldDescriptor, said: Keywords) -> Keywords:
        """The type alone. Rules on elements are taken from `said` and merged into the types of the elements."""
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            values = self._single(inner.fields_by_name["value"]) | said.pop("additionalProperties", {})
            return {"type": "object", "additionalProperties": values}
        if field.is_repeated:
            items = self._single(field) | said.pop("items", {})
            return {"type": "array", "items": items | self._reference(field, items)}
        return self._single(field)

    def _single(self, field: FieldDescriptor) -> Keywords:
        of = field.message_type or field.enum_type
        return self.of(of) if of is not None else dict(_SCALARS[_scalar(field)])

    def _required(self, described: Descriptor) -> set[str]:
        """Fields that must be set: those that say so, and those whose rules refuse their zero, which the validator tells."""
        stated = {f.name for f in described.fields if field_behavior_pb2.REQUIRED in _behaviors(f)}
        stated |= {f.name for f in described.fields if "minimum" in _IMPORTED.get(f.full_name, {})}
        empty = message_factory.GetMessageClass(described)()
        places = [violation.proto.field for violation in protovalidate.collect_violations(empty)]
        refused = {place.elements[0].field_name for place in places if place is not None}
        settable = {f.name for f in described.fields if field_behavior_pb2.OUTPUT_ONLY not in _behaviors(f)}
        return (stated | refused) & settable

    def _reference(self, field: FieldDescriptor, schema: Keywords) -> Keywords:
        """The resource that a field names, and the form of its name unless a rule says one."""
        kind = field.GetOptions().Extensions[resource_pb2.resource_reference].type
        if not kind or schema.get("type") not in ("string", "array"):
            return {}
        if schema["type"] == "array" or "pattern" in schema or kind not in self._patterns:
            return {"x-resource": kind}
        whole = f"^{re.sub(r'{[a-z_]+}', RESOURCE_ID, self._patterns[kind])}$"
        return {"x-resource": kind, "pattern": whole if self.required(field) else optional(whole)}

    def _facts(self, field: FieldDescriptor) -> Keywords:
        """What `revops.options.v1.field` says that callers can notice."""
        oneof = field.containing_oneof
        facts: Keywords = {"x-oneof": oneof.name} if oneof is not None and len(oneof.fields) > 1 else {}
        if (stated := self._options(field.full_name).get(FIELD)) is None:
            return facts
        partner = constant(stated, "scoping") == "SCOPING_PARTNER"
        if stated.indexed or stated.unique or partner:
            facts["x-revops-filterable"] = True
        if stated.unique:
            facts["x-revops-unique"] = True
        if partner:
            facts["x-revops-scoping"] = "PARTNER"
        if stated.read_permission:
            facts["x-revops-read-permission"] = stated.read_permission
        if stated.data_class:
            facts["x-revops-data-class"] = constant(stated, "data_class").removeprefix("DATA_CLASS_")
        return facts

    def _options(self, full_name: str) -> Any:
        element = self._elements.get(full_name)
        return element.options if element is not None else {}

    def _comment(self, full_name: str) -> str:
        element = self._elements.get(full_name)
        return element.comment if element is not None else str(_IMPORTED.get(full_name, {}).get("description", ""))


def _scalar(field: FieldDescriptor) -> str:
    names = {getattr(FieldDescriptor, f"TYPE_{name.upper()}"): name for name in _SCALARS}
    return names[field.type]


def _behaviors(field: FieldDescriptor) -> Collection[int]:
    found: Collection[int] = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return found


def _behavior(field: FieldDescriptor) -> Keywords:
    found: Keywords = {}
    for behavior in _behaviors(field):
        found |= _BEHAVIORS.get(behavior, {})
    return found


def _exclusive(described: Descriptor, names: Collection[str]) -> list[Keywords]:
    """That no two fields of a oneof are set."""
    return [
        {"not": {"required": [first.json_name, second.json_name]}}
        for oneof in described.oneofs
        for i, first in enumerate(oneof.fields)
        for second in oneof.fields[i + 1 :]
        if first.name in names and second.name in names
    ]
