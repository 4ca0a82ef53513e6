"""The context map's tables are what the contracts say, and its prose is left alone."""

from pathlib import Path

import pytest

from revops_mesh.contracts.__main__ import main
from revops_mesh.contracts.context_map import filled, relations
from tests.contract.methods import ROOT, contract
from tests.contract.sample import edit, write_checkout

MAP = ROOT / "docs" / "context-map.md"


def test_the_map_is_current() -> None:
    assert filled(MAP.read_text(), contract()) == MAP.read_text()


def test_who_asks_or_listens_is_downstream() -> None:
    found = relations(contract())[("catalog", "quoting")]
    assert found.asks == ["PriceBookService.ResolvePrices", "ProductService.ListProducts"]
    assert found.events == ["PriceEntrySuperseded"]
    assert "PriceScope" in found.types
    assert ("quoting", "catalog") not in relations(contract())


def test_every_question_and_every_event_is_on_the_map() -> None:
    text = MAP.read_text()
    for method in contract().methods:
        for asked in method.policy.asks:
            assert any(method.name in line and asked.rpartition(".")[2] in line for line in text.splitlines())
    for event, emitters in contract().events.items():
        _, capability, _, name = event.split(".")
        (line,) = [line for line in text.splitlines() if f"| {capability} | `{name}` |" in line]
        assert all(method.name in line for method in emitters)


def test_a_stale_table_is_refused_and_the_prose_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checkout(tmp_path)
    page = tmp_path / "docs" / "context-map.md"
    page.parent.mkdir()
    page.write_text(MAP.read_text())
    assert main(["generate", "docs", "current"], tmp_path) == 0
    assert "Around the context" in page.read_text()
    assert "DealService.OnDealWon" in page.read_text()
    assert "QuoteService" not in page.read_text()
    edit(tmp_path, 'asks: "revops.sales.v1.DealService.GetDeal"', "")
    assert main(["current"], tmp_path) == 1
    assert "context-map.md: not what the contract says" in capsys.readouterr().err
    assert main(["generate", "docs", "current"], tmp_path) == 0


def test_a_page_that_lost_a_table_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checkout(tmp_path)
    page = tmp_path / "docs" / "context-map.md"
    page.parent.mkdir()
    page.write_text(MAP.read_text().replace("<!-- from the contracts: asks -->", ""))
    assert main(["docs"], tmp_path) == 1
    assert "needs each table once" in capsys.readouterr().err
