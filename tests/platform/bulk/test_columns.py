"""Columns: every resource of the contracts survives a table, and what a field cannot hold is refused with its path."""

from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from hypothesis import HealthCheck, given, settings
from revops.catalog.v1 import price_books_pb2 as books
from revops.catalog.v1 import products_pb2 as products
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel.contract import described
from revops_mesh.kernel.errors import BadField
from revops_mesh.platform.bulk.columns import Column, Form, columns
from tests.contract.methods import KINDS
from tests.contract.test_round_trip import instances

briefly = settings(max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))


def shown(message: Message) -> dict[str, str]:
    return {path: column.text(message) for path, column in columns(type(message)).items()}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.full_name)
def test_a_resource_survives_a_table(kind: Any) -> None:
    @briefly
    @given(instances(described(kind.message)))
    def survives(message: Message) -> None:
        table, again = shown(message), kind.message()
        for path, text in table.items():
            columns(kind.message)[path].put(again, text)
        assert shown(again) == table

    survives()


def test_columns_are_named_as_in_the_contract() -> None:
    assert list(columns(products.Product))[:7] == [
        "name", "etag", "create_time", "update_time", "display_name", "sku", "family",
    ]  # fmt: skip
    assert {"scope.account", "scope.segment"} <= columns(books.PriceBook).keys()
    assert columns(quotes.Quote)["lines"].form is Form.JSON
    assert columns(books.PriceEntry)["unit_cost"].permissions == {"catalog.costs.read"}


def test_a_value_is_text_that_people_know() -> None:
    instant = Timestamp(seconds=1_772_438_400)
    found = shown(products.Product(state=products.Product.STATE_ACTIVE, rate_plan_count=3, sellable_from=instant))
    assert (found["state"], found["rate_plan_count"], found["sellable_from"]) == ("STATE_ACTIVE", "3", "2026-03-02T08:00:00Z")
    assert (found["sku"], found["sellable_to"]) == ("", "")
    assert shown(quotes.Quote(valid_until=Date(year=2026, month=3, day=1)))["valid_until"] == "2026-03-01"
    lines = shown(quotes.Quote(lines=[quotes.QuoteLine(line_id="a", quantity="2")]))["lines"]
    assert lines == '[{"line_id":"a","quantity":"2"}]'


@pytest.mark.parametrize(
    ("of", "path", "text", "problem"),
    [
        (books.PriceBook, "priority", "many", "must be a whole number"),
        (books.PriceBook, "priority", "99999999999", "must be a whole number"),
        (products.Product, "sellable_from", "tomorrow", "must be an instant as in 2026-01-31T12:00:00Z"),
        (quotes.Quote, "valid_until", "31.1.2026", "must be a date as in 2026-01-31"),
        (products.Product, "state", "GONE", "must be one of the names of its contract"),
        (quotes.Quote, "lines", "a, b", "must be JSON"),
        (quotes.Quote, "lines", '{"line_id": 1}', "must be JSON"),
    ],
)
def test_what_a_field_cannot_hold_is_refused_with_its_path(of: Any, path: str, text: str, problem: str) -> None:
    with pytest.raises(BadField) as refused:
        columns(of)[path].put(of(), text)
    assert (refused.value.field, refused.value.description) == (path, problem)


def test_an_enum_may_be_named_shortly() -> None:
    product = products.Product()
    columns(products.Product)["state"].put(product, "RETIRED")
    assert product.state == products.Product.STATE_RETIRED


def test_two_of_a_choice_are_refused() -> None:
    known = {path: column for path, column in columns(quotes.QuoteLine).items() if _chosen(column)}
    first, second = list(known.values())[:2]
    line = quotes.QuoteLine()
    first.put(line, "0.1")
    with pytest.raises(BadField, match="cannot be set beside"):
        second.put(line, "0.1")


def _chosen(column: Column) -> bool:
    return column.field.containing_oneof is not None
