"""What the contract of a method that starts a long job has to say, on the sample contract."""

from pathlib import Path

import pytest

from revops_mesh.contracts.__main__ import main
from tests.contract.sample import edit, write_checkout

INFO = '    option (google.longrunning.operation_info) = {response_type: "%s" metadata_type: "%s"};\n'


@pytest.mark.parametrize(
    ("info", "sentence"),
    [
        ("", "CloseDeal: answers google.longrunning.Operation exactly if it states google.longrunning.operation_info"),
        (INFO % ("DealLost", "DealWon"), 'CloseDeal: operation_info names "DealLost", which is no message of revops.sales.v1'),
        (INFO % ("DealWon", "Buyer"), "Buyer: is told by an operation, so no field of it can be guarded or sensitive"),
        (INFO % ("DealWon", "DealWon"), ""),
    ],
)
def test_an_operation_says_what_it_tells_and_that_anybody_may_read_it(
    info: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkout(tmp_path)
    edit(
        tmp_path,
        'import "google/protobuf/empty.proto";\n',
        'import "google/longrunning/operations.proto";\nimport "google/protobuf/empty.proto";\n',
    )
    edit(
        tmp_path,
        "CloseDeal(CloseDealRequest) returns (Deal) {\n",
        "CloseDeal(CloseDealRequest) returns (google.longrunning.Operation) {\n" + info,
    )
    assert main(["check-contract"], tmp_path) == (1 if sentence else 0)
    assert sentence in capsys.readouterr().err
