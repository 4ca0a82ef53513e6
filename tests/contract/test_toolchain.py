"""The toolchain refuses each fault in a contract with a sentence that says where it is and what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from revops_mesh.contracts.__main__ import main
from revops_mesh.contracts.model import read
from tests.contract.sample import PATH, edit, write_checkout

CLOSE = 'permission: "sales.deals.close"'

FAULTS = {
    "an rpc without a policy": (
        "    option (revops.options.v1.policy) = {\n      internal: true\n      audit: AUDIT_NONE\n    };\n",
        "",
        "DealService.OnDealWon: has no policy",
    ),
    "a policy without access": (CLOSE, "", "CloseDeal: policy says no access"),
    "a policy that denies its only access": ("internal: true", "internal: false", "OnDealWon: policy says no access"),
    "a policy without audit": ("audit: AUDIT_WRITE", "", "CloseDeal: policy says no `audit`"),
    "a permission of two parts": (CLOSE, 'permission: "deals.close"', "is not `<capability>.<collection>.<verb>`"),
    "a permission of another capability": (CLOSE, 'permission: "crm.deals.close"', "with the capability `sales`"),
    "a permission of no collection": (CLOSE, 'permission: "sales.offers.close"', "`offers` is none of the collections"),
    "a permission of another verb": (CLOSE, 'permission: "sales.deals.update"', "not begin with the verb `update`"),
    "a permission of half a verb": (CLOSE, 'permission: "sales.deals.clo"', "not begin with the verb `clo`"),
    "an event that is no message": ('v1.DealWon"', 'v1.DealLost"', 'emits "revops.sales.v1.DealLost", which is no'),
    "an asked method that is none": ('Service.GetDeal"', 'Service.GetOffer"', 'GetOffer", which is no method'),
    "an asked method that changes": ('Service.GetDeal"', 'Service.CloseDeal"', "which is not NO_SIDE_EFFECTS"),
    "a reservation with a read": ("      asks: ", "      reserves: ", "which is NO_SIDE_EFFECTS and so holds nothing"),
    "a read with side effects": (
        "    option idempotency_level = NO_SIDE_EFFECTS;\n",
        "",
        "GetDeal: reads, so it needs",
    ),
    "a read that is audited": (
        'deals.get"\n      audit: AUDIT_NONE',
        'deals.get"\n      audit: AUDIT_WRITE',
        "AUDIT_NONE",
    ),
    "a change that is not audited": ("audit: AUDIT_WRITE", "audit: AUDIT_NONE", "so it needs `audit: AUDIT_WRITE`"),
    "a change without request_id": ("string request_id", "string token", "CloseDealRequest needs `string request_id`"),
    "a validate_only that is no bool": ("bool validate_only", "string validate_only", "must be `bool validate_only`"),
    "a public rpc without a route": (
        '    option (google.api.http) = {get: "/v1/{name=deals/*}"};\n',
        "",
        "GetDeal: has no route",
    ),
    "an internal rpc with a route": (
        "(google.protobuf.Empty) {",
        '(google.protobuf.Empty) {\n    option (google.api.http) = {get: "/v1/deals"};',
        "OnDealWon: is internal, so it must not have a route",
    ),
    "a request with a name of its own": ("CloseDeal(CloseDealRequest)", "CloseDeal(DealWon)", "must take CloseDealReq"),
    "a name that may be left out": (
        "GetDealRequest {\n  // Resource name.\n  string name = 1 [\n    (google.api.field_behavior) = REQUIRED,\n",
        "GetDealRequest {\n  // Resource name.\n  string name = 1 [\n",
        "GetDealRequest.name: needs `(google.api.field_behavior) = REQUIRED`",
    ),
    "a name of anything": (
        ',\n    (google.api.resource_reference).type = "revops/Deal"\n  ];\n  // Makes',
        "\n  ];\n  // Makes",
        "CloseDealRequest.name: needs `(google.api.resource_reference).type",
    ),
    "a request_id of any form": ("string: {uuid: true}\n", "", "CloseDealRequest.request_id: needs `(buf.validate.field) = "),
    "a resource without an etag": (
        "string etag = 2",
        "string revision = 2",
        "Deal: is a resource, so it needs `string etag`",
    ),
    "an aggregate that is no resource": (
        '  option (google.api.resource) = {\n    type: "revops/Deal"\n    pattern: "deals/{deal}"\n  };\n',
        "",
        "Deal: is an aggregate, so it needs `google.api.resource`",
    ),
    "a stored list without a bound": (
        " [(buf.validate.field).repeated.max_items = 20]",
        "",
        "Deal.buyers: is stored in",
    ),
    "a stored list with a large bound": ("max_items = 20", "max_items = 1001", "of 1 to 1,000"),
    "a stored map without a bound": (
        "string cost = 6",
        "map<string, string> costs = 8;\n// C.\nstring cost = 6",
        "max_pairs",
    ),
    "an event with personal data inside": (
        "string deal = 1;",
        "string deal = 1;\n  // Who.\n  Buyer buyer = 2;",
        "DealWon: is an event and carries the PERSONAL field `buyer.mail` (revops.sales.v1.Buyer.mail)",
    ),
    "an event of a partner's row that does not name the partner": (
        "  // How warm it is.\n",
        "  // Whose.\n  string partner = 8 [(revops.options.v1.field).scoping = SCOPING_PARTNER];\n  // How warm it is.\n",
        "DealWon: is about a `deal`, which may be a partner's: add its partner",
    ),
    "a read permission of another verb": ("sales.costs.read", "sales.costs.see", "is not `sales.<collection>.read`"),
    "a reason without a code": (" [(revops.options.v1.code) = FAILED_PRECONDITION]", "", "DEAL_CLOSED: is a reason"),
    "a reason without metadata": (" Metadata: `deal`, `state`.", "", "DEAL_CLOSED: comment must name its metadata"),
    "a promised reason that is none": (
        "with DEAL_CLOSED",
        "with DEAL_LOST",
        "promises DEAL_LOST, which no reason enum",
    ),
    "an enum value without its prefix": ("WARMTH_WARM", "WARM", "revops.sales.v1.WARM: must begin with WARMTH_"),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    write_checkout(tmp_path)
    return tmp_path


def test_a_contract_that_keeps_the_rules_passes(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "check-contract"], checkout) == 0, capsys.readouterr().err


@pytest.mark.parametrize(("before", "after", "sentence"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_refused_with_its_place_and_reason(
    before: str, after: str, sentence: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(checkout, before, after)
    assert main(["check-contract"], checkout) == 1
    refusal = capsys.readouterr().err
    assert sentence in refusal
    assert f"{PATH}:" in refusal


def test_what_is_created_is_required_and_its_id_has_a_form(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for before, after in {
        "rpc CloseDeal(CloseDealRequest)": "rpc CreateDeal(CreateDealRequest)",
        "message CloseDealRequest": "message CreateDealRequest",
        CLOSE: 'permission: "sales.deals.create"',
        "  bool validate_only = 3;": "  bool validate_only = 3;\n  // It.\n  Deal deal = 4;\n  // Its id.\n  string deal_id = 5;",
    }.items():
        edit(checkout, before, after)
    assert main(["check-contract"], checkout) == 1
    refusal = capsys.readouterr().err
    assert "CreateDealRequest.deal: needs `(google.api.field_behavior) = REQUIRED`" in refusal
    assert "CreateDealRequest.deal_id: needs `(buf.validate.field) = {string: {pattern:" in refusal


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("  string cost = 6", "  string   cost = 6", "not formatted"),
        ("  // Gets a deal.\n", "", "non-empty comment"),
        (
            'import "google/protobuf/empty.proto";\n',
            'import "google/protobuf/duration.proto";\nimport "google/protobuf/empty.proto";\n',
            "unused",
        ),
        ("string cost = 6", "string Cost = 6", "lower_snake_case"),
    ],
    ids=["format", "comment", "unused import", "name"],
)
def test_lint_refuses_what_buf_and_protoc_refuse(
    before: str, after: str, sentence: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(checkout, before, after)
    assert main(["lint"], checkout) == 1
    assert sentence in capsys.readouterr().err


def test_format_repairs_what_lint_calls_unformatted(checkout: Path) -> None:
    edit(checkout, "  string cost = 6", "  string   cost = 6")
    assert main(["format", "lint"], checkout) == 0


def test_an_unknown_import_is_named(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(checkout, "google/protobuf/empty.proto", "google/nowhere/empty.proto")
    assert main(["lint"], checkout) == 1
    assert '"google/nowhere/empty.proto" is neither in protos/ nor in an installed wheel' in capsys.readouterr().err


def test_without_a_release_there_is_nothing_to_compare_and_nothing_is_written(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["breaking", "policy-diff"], checkout) == 0
    assert capsys.readouterr().out.count("nothing released yet") == 2
    assert not (checkout / "generated").exists()


def test_a_released_field_cannot_be_removed(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", "breaking"], checkout) == 0
    edit(checkout, "  // How warm it is.\n  Warmth warmth = 7 [(revops.options.v1.field).indexed = true];\n", "")
    assert main(["breaking"], checkout) == 1
    assert '"7" with name "warmth" on message "Deal" was deleted' in capsys.readouterr().err
    assert main(["release"], checkout) == 1, "a breaking contract must not become the released one"


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        (CLOSE, 'permission: "sales.deals.win"', "revops.sales.v1.DealService.CloseDeal"),
        ("edition: EDITION_TEAM", "edition: EDITION_BUSINESS", "revops.sales.v1.DealService.CloseDeal"),
        ("deals/*}:close", "deals/*}:end", "revops.sales.v1.DealService.CloseDeal"),
        ("max: 1000", "max: 10", "revops.sales.v1.Deal"),
        (' [(revops.options.v1.field).read_permission = "sales.costs.read"]', "", "revops.sales.v1.Deal.cost"),
        ("= FAILED_PRECONDITION", "= ABORTED", "revops.sales.v1.DEAL_CLOSED"),
    ],
    ids=["permission", "edition", "route", "limit", "read permission", "code"],
)
def test_a_changed_option_needs_an_unreleased_line_that_names_it(
    before: str, after: str, name: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["release"], checkout) == 0
    edit(checkout, before, after)
    assert main(["breaking"], checkout) == 0, "buf sees no options; when it does, this comparison can go"
    for changelog in ("", f"## Unreleased\n\n- `{name}Later` and `{name}.more`.\n\n## 1.0\n\n- `{name}`.\n"):
        (checkout / "CHANGELOG.md").write_text(changelog)
        assert main(["policy-diff"], checkout) == 1
        assert f": {name}: " in capsys.readouterr().err
    (checkout / "CHANGELOG.md").write_text(f"# Changes\n\n## [Unreleased]\n\n- `{name}`: changed.\n\n## 1.0\n")
    assert main(["policy-diff"], checkout) == 0


def test_generated_code_reads_policies_and_is_validated(checkout: Path) -> None:
    """In a process of its own: one process cannot hold two vocabularies."""
    assert main(["generate"], checkout) == 0
    assert not list((checkout / "generated/revops").rglob("__init__.py"))
    assert not list((checkout / "generated").rglob("*_grpc*"))
    program = """
import protovalidate
from revops.options.v1 import options_pb2
from revops.sales.v1 import deals_pb2
close = deals_pb2.DESCRIPTOR.services_by_name["DealService"].methods_by_name["CloseDeal"]
assert close.GetOptions().Extensions[options_pb2.policy].permission == "sales.deals.close"
deal = deals_pb2.Deal(buyers=[deals_pb2.Buyer()] * 20)
protovalidate.validate(deal)
deal.buyers.add()
[violation] = protovalidate.collect_violations(deal)
print(violation.proto.rule_id)
"""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "generated")}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "repeated.max_items"), done.stderr


def test_current_names_every_file_that_does_not_follow(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "docs", "current"], checkout) == 0
    edited = checkout / "generated/revops/sales/v1/deals_pb2.pyi"
    edited.write_text(edited.read_text() + "edited = True\n")
    removed = checkout / "docs/reference/methods.md"
    removed.unlink()
    added = checkout / "generated/revops/sales/v1/offers_pb2.py"
    added.write_text("")
    capsys.readouterr()
    assert main(["current"], checkout) == 1
    refusal = capsys.readouterr().err
    for sentence in (f"{edited}: not what", "edited = True", f"{removed}: missing", f"{added}: nothing produces it"):
        assert sentence in refusal
    assert main(["generate", "docs", "current"], checkout) == 0
    assert removed.exists()
    assert not added.exists()


def test_a_changed_comment_makes_the_pages_stale(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "docs"], checkout) == 0
    edit(checkout, "// Gets a deal.", "// Gets one deal.")
    assert main(["current"], checkout) == 1
    assert "Gets one deal." in capsys.readouterr().err


def test_the_image_holds_comments_and_the_released_one_does_not(checkout: Path) -> None:
    assert main(["generate", "release"], checkout) == 0
    image, released = (checkout / "generated" / name for name in ("contract.binpb", "released.binpb"))
    assert read(image.read_bytes()).methods[0].comment == "Gets a deal."
    files = descriptor_pb2.FileDescriptorSet.FromString(released.read_bytes()).file
    assert not any(file.HasField("source_code_info") for file in files)


def test_the_pages_say_who_may_call_what_and_why_not(checkout: Path) -> None:
    assert main(["docs"], checkout) == 0
    page = {path.stem: path.read_text() for path in (checkout / "docs/reference").iterdir()}
    assert sorted(page) == ["editions", "errors", "events", "methods", "permissions", "resources"]
    assert "| `GetDeal` | `GET /v1/{name=deals/*}` | `sales.deals.get` | FREE | reads only | Gets a deal. |" in page["methods"]
    assert "| `sales.costs.read` | – | `Deal.cost` | – |" in page["permissions"]
    assert "| `sales.deals.get` | `DealService.GetDeal` | – | Gets a deal. |" in page["permissions"]
    assert "| `revops.sales.v1.Deal` | 1,000 | no cap | no cap | no cap |" in page["editions"]
    assert "Heard by `DealService.OnDealWon`." in page["events"]
    assert "Subject `revops.{tenant}.sales.v1.DealWon`." in page["events"]
    closed = "| `DEAL_CLOSED` | FAILED_PRECONDITION | 400 | `deal`, `state` | It is closed already. | `DealService.CloseDeal` |"
    assert closed in page["errors"]
    assert "| `mail`" not in page["resources"]
    assert "| `buyers` | list of `revops.sales.v1.Buyer` | – | Who buys. |" in page["resources"]
