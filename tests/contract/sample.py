"""A small contract that keeps every rule, on a checkout of its own, for tests that break one rule at a time."""

import json
import shutil
from pathlib import Path
from typing import Any

from revops_mesh.contracts import openapi
from revops_mesh.contracts.model import descriptors, read
from revops_mesh.contracts.protoc import compile_image
from revops_mesh.contracts.workspace import Workspace

ROOT = Path(__file__).parents[2]
PATH = "protos/revops/sales/v1/deals.proto"

CONTRACT = """\
// Deals.
syntax = "proto3";

package revops.sales.v1;

import "buf/validate/validate.proto";
import "google/api/annotations.proto";
import "google/api/field_behavior.proto";
import "google/api/resource.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/timestamp.proto";
import "revops/options/v1/options.proto";

// Deals, from open to closed.
service DealService {
  // Gets a deal.
  rpc GetDeal(GetDealRequest) returns (Deal) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (google.api.http) = {get: "/v1/{name=deals/*}"};
    option (revops.options.v1.policy) = {
      permission: "sales.deals.get"
      audit: AUDIT_NONE
    };
  }
  // Closes a deal. Fails with DEAL_CLOSED. Idempotent by `request_id`.
  rpc CloseDeal(CloseDealRequest) returns (Deal) {
    option (google.api.http) = {
      post: "/v1/{name=deals/*}:close"
      body: "*"
    };
    option (revops.options.v1.policy) = {
      permission: "sales.deals.close"
      edition: EDITION_TEAM
      audit: AUDIT_WRITE
      emits: "revops.sales.v1.DealWon"
      asks: "revops.sales.v1.DealService.GetDeal"
    };
  }
  // Celebrates. Idempotent by event.
  rpc OnDealWon(DealWon) returns (google.protobuf.Empty) {
    option (revops.options.v1.policy) = {
      internal: true
      audit: AUDIT_NONE
    };
  }
}

// Why a deal verb is refused.
enum DealReason {
  // Not a reason.
  DEAL_REASON_UNSPECIFIED = 0;
  // It is closed already. Metadata: `deal`, `state`.
  DEAL_CLOSED = 1 [(revops.options.v1.code) = FAILED_PRECONDITION];
}

// How warm a deal is.
enum Warmth {
  // Not stated.
  WARMTH_UNSPECIFIED = 0;
  // Warm.
  WARMTH_WARM = 1;
}

// One chance to sell.
message Deal {
  option (google.api.resource) = {
    type: "revops/Deal"
    pattern: "deals/{deal}"
  };
  option (revops.options.v1.resource) = {
    kind: KIND_AGGREGATE
    limits: {
      edition: EDITION_FREE
      max: 1000
    }
  };
  // Resource name.
  string name = 1;
  // Revision.
  string etag = 2;
  // When it was created.
  google.protobuf.Timestamp create_time = 3;
  // When it last changed.
  google.protobuf.Timestamp update_time = 4;
  // Who buys.
  repeated Buyer buyers = 5 [(buf.validate.field).repeated.max_items = 20];
  // What it costs us.
  string cost = 6 [(revops.options.v1.field).read_permission = "sales.costs.read"];
  // How warm it is.
  Warmth warmth = 7 [(revops.options.v1.field).indexed = true];
}

// A person who buys.
message Buyer {
  // Mail address.
  string mail = 1 [(revops.options.v1.field).data_class = DATA_CLASS_PERSONAL];
}

// A deal was won.
message DealWon {
  // The deal.
  string deal = 1;
}

// Request of GetDeal.
message GetDealRequest {
  // Resource name.
  string name = 1 [
    (google.api.field_behavior) = REQUIRED,
    (google.api.resource_reference).type = "revops/Deal"
  ];
}

// Request of CloseDeal.
message CloseDealRequest {
  // Resource name.
  string name = 1 [
    (google.api.field_behavior) = REQUIRED,
    (google.api.resource_reference).type = "revops/Deal"
  ];
  // Makes the call idempotent.
  string request_id = 2 [(buf.validate.field) = {
    string: {uuid: true}
    ignore: IGNORE_IF_ZERO_VALUE
  }];
  // Checks everything and writes nothing.
  bool validate_only = 3;
}
"""


def write_checkout(root: Path) -> None:
    """Makes `root` a checkout with the real vocabulary, the real rules of buf and the sample contract."""
    vocabulary = root / "protos/revops/options/v1/options.proto"
    vocabulary.parent.mkdir(parents=True)
    shutil.copy(ROOT / "protos/revops/options/v1/options.proto", vocabulary)
    shutil.copy(ROOT / "buf.yaml", root)
    (root / PATH).parent.mkdir(parents=True)
    (root / PATH).write_text(CONTRACT)


def edit(root: Path, before: str, after: str) -> None:
    """Replaces the one place in the sample contract that reads `before`."""
    text = (root / PATH).read_text()
    assert text.count(before) == 1, f"{text.count(before)} places read {before!r}"
    (root / PATH).write_text(text.replace(before, after))


def documented(root: Path) -> dict[str, Any]:
    """The OpenAPI document of the sample contract as it stands."""
    image = compile_image(Workspace(root)).image
    found: dict[str, Any] = json.loads(openapi.document(read(image), descriptors(image)))
    return found
