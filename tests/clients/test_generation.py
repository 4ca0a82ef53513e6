"""What the toolchain makes of a contract for clients: names, kinds of methods, and refusals of what it cannot offer."""

from pathlib import Path

import pytest

from revops_mesh.contracts import node
from revops_mesh.contracts.__main__ import main
from tests.contract.sample import ROOT, edit, write_checkout

OPERATIONS = """\
  // Exports deals. Idempotent by `request_id`.
  rpc ExportDeals(ExportDealsRequest) returns (google.longrunning.Operation) {
    option (google.longrunning.operation_info) = {
      response_type: "Buyer"
      metadata_type: "revops.sales.v1.Deal"
    };
  }
  // Celebrates. Idempotent by event.
"""
SERVICE = """\
// Long-running operations.
service OperationService {
  // Gets an operation.
  rpc GetOperation(google.longrunning.GetOperationRequest) returns (google.longrunning.Operation);
  // Cancels an operation.
  rpc CancelOperation(CancelOperationRequest) returns (google.protobuf.Empty);
}

// Request of CancelOperation.
message CancelOperationRequest {
  // Resource name.
  string name = 1;
  // Makes the call idempotent.
  string request_id = 4;
}

// Request of ExportDeals.
message ExportDealsRequest {
  // Makes the call idempotent.
  string request_id = 7;
}

// Why a deal verb is refused.
"""
LIST = """\
  // Lists deals. Says "when" and c:\\\\where.
  rpc ListDeals(ListDealsRequest) returns (ListDealsResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  // Gets a deal.
"""
PAGES = """\
// Request of ListDeals.
message ListDealsRequest {
  // Token of the page.
  string page_token = 3;
}

// Response of ListDeals.
message ListDealsResponse {
  // The deals.
  repeated Deal deals = 1;
  // Token of the next page.
  string next_page_token = 2;
}

// One chance to sell.
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    write_checkout(tmp_path)
    return tmp_path


def generated(checkout: Path) -> str:
    """The module of the sample's package."""
    assert main(["generate", "docs", "current"], checkout) == 0
    return (checkout / "generated/revops_client/sales/v1.py").read_text()


def test_a_change_is_sent_once_and_what_only_events_call_is_left_out(checkout: Path) -> None:
    text = generated(checkout)
    assert 'self._get_deal = calls.unary(at + "GetDeal", Deal)\n' in text
    assert 'self._close_deal = calls.unary(at + "CloseDeal", Deal, request_id=2)\n' in text
    assert "on_deal_won" not in text
    # It lists no deals: its file is called so.
    assert "self.deals = DealService(calls)" in text


def test_a_list_is_paged_and_names_its_service(checkout: Path) -> None:
    edit(checkout, "  // Gets a deal.\n", LIST)
    edit(checkout, "// One chance to sell.\n", PAGES)
    text = generated(checkout)
    assert "lambda page: page.deals,\n            page_token=3,\n" in text
    assert "-> Pages[ListDealsResponse, Deal]:" in text
    assert "self.deals = DealService(calls)" in text
    compile(text, "v1.py", "exec")


def test_an_operation_is_typed_by_its_result_and_its_progress(checkout: Path) -> None:
    edit(checkout, "  // Celebrates. Idempotent by event.\n", OPERATIONS)
    edit(checkout, "// Why a deal verb is refused.\n", SERVICE)
    edit(
        checkout,
        'import "google/protobuf/empty.proto";\n',
        'import "google/longrunning/operations.proto";\nimport "google/protobuf/empty.proto";\n',
    )
    text = generated(checkout)
    assert 'operations = Operations(calls, "/revops.sales.v1.OperationService/", 4)' in text
    assert 'operations.starting(at + "ExportDeals", Buyer, Deal, request_id=7)' in text
    assert "-> Running[Buyer, Deal]:" in text
    assert 'calls.unary(at + "GetOperation", Operation)' in text
    compile(text, "v1.py", "exec")
    entry = (checkout / "generated/revops_client/client.py").read_text()
    assert 'return await Operations(self.calls, "/revops.sales.v1.OperationService/", 4).found(name, result, progress)' in entry
    compile(entry, "client.py", "exec")


def test_a_stream_of_requests_is_taken_as_one(checkout: Path) -> None:
    edit(checkout, "rpc CloseDeal(CloseDealRequest)", "rpc CloseDeal(stream CloseDealRequest)")
    text = generated(checkout)
    assert 'self._close_deal = calls.sending(at + "CloseDeal", Deal, request_id=2)' in text
    assert "self, requests: AsyncIterable[CloseDealRequest], *, timeout" in text
    compile(text, "v1.py", "exec")


def test_streams_both_ways_are_refused_with_their_place(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(
        checkout, "rpc CloseDeal(CloseDealRequest) returns (Deal)", "rpc CloseDeal(stream CloseDealRequest) returns (stream Deal)"
    )
    assert main(["generate"], checkout) == 1
    assert "deals.proto:26: revops.sales.v1.DealService.CloseDeal streams both ways" in capsys.readouterr().err


def test_without_node_typescript_stands_as_it_is_and_is_said_to_be_skipped(
    checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")
    (checkout / "src").mkdir()
    (checkout / "src/typescript").symlink_to(ROOT / "src/typescript")
    standing = checkout / "generated/typescript/services.ts"
    standing.parent.mkdir(parents=True)
    standing.write_text("// As it was.\n")
    assert main(["generate", "docs", "current"], checkout) == 0
    assert standing.read_text() == "// As it was.\n"
    assert capsys.readouterr().out.count("TypeScript was skipped: there is no node: install the extra `node`") == 2
