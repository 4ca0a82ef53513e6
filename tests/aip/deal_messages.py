"""A resource with every shape that a mask can meet, compiled from its contract when the tests start."""

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

CONTRACT = """
syntax = "proto3";
package aip.tests;
import "google/api/field_behavior.proto";
message Amount { string amount = 1; string currency_code = 2; }
message Geo { double latitude = 1; double longitude = 2; }
message Address {
  string city = 1;
  string country = 2 [(google.api.field_behavior) = IMMUTABLE];
  int32 score = 3 [(google.api.field_behavior) = OUTPUT_ONLY];
  Geo geo = 4;
}
message Line {
  string id = 1;
  string sku = 2 [(google.api.field_behavior) = REQUIRED, (google.api.field_behavior) = IMMUTABLE];
  string note = 3;
  Amount amount = 4 [(google.api.field_behavior) = OUTPUT_ONLY];
  string cost = 5;
}
message Deal {
  string name = 1 [(google.api.field_behavior) = IDENTIFIER];
  string title = 2 [(google.api.field_behavior) = REQUIRED];
  string state = 3 [(google.api.field_behavior) = OUTPUT_ONLY];
  string account = 4 [(google.api.field_behavior) = IMMUTABLE, (google.api.field_behavior) = REQUIRED];
  optional int32 seats = 5;
  Amount margin = 6;
  Address billing = 7;
  repeated Line lines = 8;
  repeated string tags = 9;
  map<string, string> labels = 10;
  map<string, Line> spare_lines = 11;
  oneof terms { int32 net_days = 12; string custom_terms = 13; }
  Deal renewal_of = 14;
  Amount floor = 15 [(google.api.field_behavior) = IMMUTABLE];
}
"""


def _compiled() -> descriptor_pb2.FileDescriptorProto:
    spec = importlib.util.find_spec("google.api")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    installed = Path(next(iter(spec.submodule_search_locations))).parents[1]
    bundled = Path(protoc.__file__).parent / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "deal.proto").write_text(CONTRACT)
        out = f"{folder}/deal.binpb"
        places = [f"-I{folder}", f"-I{installed}", f"-I{bundled}"]
        assert protoc.main(["protoc", *places, f"--descriptor_set_out={out}", "deal.proto"]) == 0
        return descriptor_pb2.FileDescriptorSet.FromString(Path(out).read_bytes()).file[0]


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"aip.tests.{name}"))


assert field_behavior_pb2.DESCRIPTOR  # its option must be known before the pool reads the contract
_POOL = descriptor_pool.Default()
_POOL.AddSerializedFile(_compiled().SerializeToString())
Amount, Geo, Address, Line, Deal = (_message(name) for name in ("Amount", "Geo", "Address", "Line", "Deal"))
