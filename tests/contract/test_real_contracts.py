"""The contracts of the product itself, as they lie in `protos/` and `generated/`."""

from pathlib import Path

import protovalidate
from revops.type.v1 import money_pb2

ROOT = Path(__file__).parents[2]


def test_messages_of_the_real_contracts_are_validated() -> None:
    protovalidate.validate(money_pb2.Money(amount="12.50", currency_code="EUR"))
    violations = protovalidate.collect_violations(money_pb2.Money(amount="12,50", currency_code="eur"))
    assert [violation.proto.field.elements[0].field_name for violation in violations] == ["amount", "currency_code"]


def test_the_project_has_no_third_party_contract_and_no_generated_package() -> None:
    assert {path.relative_to(ROOT / "protos").parts[0] for path in (ROOT / "protos").rglob("*.proto")} == {"revops"}
    assert not [path for path in (ROOT / "generated").rglob("__init__.py") if "revops_client" not in path.parts]
