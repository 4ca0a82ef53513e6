"""Updates change what the mask names and nothing behind a wall."""

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from hypothesis import strategies as st

from revops_mesh.aip import BadField
from revops_mesh.aip.masks import MAX_PATHS, HiddenField, apply_mask, field_sets, project
from tests.aip.deal_messages import Address, Amount, Deal, Geo, Line

SETS = field_sets(Deal.DESCRIPTOR)
HIDDEN = frozenset({"margin", "lines.cost", "billing.geo.longitude"})


def stored_deal() -> Any:
    return Deal(
        name="deals/1",
        title="Old",
        state="OPEN",
        account="accounts/a",
        seats=5,
        margin=Amount(amount="10.00", currency_code="EUR"),
        billing=Address(city="Berlin", country="DE", score=7, geo=Geo(latitude=1, longitude=2)),
        lines=[
            Line(id="l1", sku="A", note="one", amount=Amount(amount="1", currency_code="EUR"), cost="0.10"),
            Line(id="l2", sku="B", note="two", amount=Amount(amount="2", currency_code="EUR"), cost="0.20"),
        ],
        tags=["x", "y"],
        labels={"a": "1"},
        net_days=30,
        floor=Amount(amount="5", currency_code="EUR"),
    )


def updated(source: Any, *paths: str) -> Any:
    target = stored_deal()
    walls: dict[str, Any] = {"immutable": SETS.immutable, "output_only": SETS.output_only, "hidden": HIDDEN}
    apply_mask(target, source, FieldMask(paths=paths), **walls)
    return target


def changed(**changes: Any) -> Any:
    """The stored deal with fields set, or cleared by None."""
    deal = stored_deal()
    for name, value in changes.items():
        deal.ClearField(name)
        if value is not None:
            deal.MergeFrom(Deal(**{name: value}))
    return deal


def test_behaviours_are_read_at_any_depth_but_not_from_maps_or_recursion() -> None:
    assert SETS.immutable == {"name", "account", "floor", "billing.country", "lines.sku"}
    assert SETS.output_only == {"state", "billing.score", "lines.amount"}
    assert SETS.required == {"title", "account", "lines.sku"}
    assert field_sets(Deal.DESCRIPTOR) is SETS


def test_without_a_mask_the_populated_fields_replace_the_stored_ones() -> None:
    assert updated(Deal(title="New", seats=0, tags=["z"])) == changed(title="New", seats=0, tags=["z"])


def test_without_a_mask_a_submessage_is_replaced_whole_but_for_its_walls() -> None:
    expected = Address(city="Bonn", country="DE", score=7, geo=Geo(longitude=2))
    assert updated(Deal(billing=Address(city="Bonn", score=99))) == changed(billing=expected)


def test_an_empty_source_without_a_mask_changes_nothing() -> None:
    assert updated(Deal()) == stored_deal()


def test_a_star_clears_what_is_not_set_and_keeps_what_is_behind_walls() -> None:
    found = updated(Deal(title="New", state="WON", margin=Amount(amount="99")), "*")
    billing = Address(country="DE", score=7, geo=Geo(longitude=2))
    kept = {field: getattr(stored_deal(), field) for field in ("name", "state", "account", "margin", "floor")}
    assert found == Deal(title="New", billing=billing, **kept)


def test_named_fields_are_replaced_or_cleared_and_others_left_alone() -> None:
    source = Deal(title="New", tags=["z"], labels={"b": "2"}, account="accounts/other", state="WON")
    assert updated(source, "tags", "seats", "labels") == changed(tags=["z"], seats=None, labels={"b": "2"})


def test_a_path_into_a_submessage_changes_only_that_field() -> None:
    found = updated(Deal(billing=Address(city="Bonn", country="FR")), "billing.city")
    assert (found.billing.city, found.billing.country, found.billing.score) == ("Bonn", "DE", 7)
    assert updated(Deal(), "billing.city").billing.city == ""


def test_clearing_inside_an_absent_submessage_does_not_create_it() -> None:
    target = Deal(title="Old")
    apply_mask(target, Deal(), FieldMask(paths=["billing.geo.latitude", "margin"]))
    assert target == Deal(title="Old")
    apply_mask(target, Deal(billing=Address()), FieldMask(paths=["billing.city"]))
    assert target == Deal(title="Old")


def test_presence_is_copied() -> None:
    assert updated(Deal(seats=0), "seats").HasField("seats")
    assert not updated(Deal(), "seats").HasField("seats")
    assert updated(Deal(renewal_of=Deal()), "renewal_of").HasField("renewal_of")


def test_setting_one_side_of_a_oneof_clears_the_other() -> None:
    found = updated(Deal(custom_terms="on receipt"), "custom_terms")
    assert found.WhichOneof("terms") == "custom_terms"
    assert updated(Deal(), "custom_terms").WhichOneof("terms") == "net_days"


def test_lines_are_replaced_but_computed_and_hidden_parts_stay_with_their_line() -> None:
    given_ = [
        Line(id="l2", sku="B", note="second", amount=Amount(amount="999"), cost="0.01"),
        Line(id="l3", sku="C", amount=Amount(amount="999"), cost="0.01"),
        Line(sku="D", cost="0.01"),
    ]
    expected = [
        Line(id="l2", sku="B", note="second", amount=Amount(amount="2", currency_code="EUR"), cost="0.20"),
        Line(id="l3", sku="C"),
        Line(sku="D"),
    ]
    assert updated(Deal(lines=given_), "lines") == changed(lines=expected)
    assert updated(Deal(lines=given_)) == changed(lines=expected)


@pytest.mark.parametrize(
    ("source", "paths", "field", "told"),
    [
        (Deal(), ["titel"], "update_mask", "titel is unknown; Deal has name, title, state, account"),
        (Deal(), ["billing.town"], "update_mask", "billing.town is unknown; Address has city, country"),
        (Deal(), ["lines.sku"], "update_mask", "lines.sku leads into a field that can only be named whole"),
        (Deal(), ["labels.a"], "update_mask", "labels.a leads into a field that can only be named whole"),
        (Deal(), ["title.x"], "update_mask", "title.x leads into a field that can only be named whole"),
        (Deal(), [""], "update_mask", " is unknown"),
        (Deal(), ["title", "*"], "update_mask", "* is unknown"),
        (Deal(), ["billing.*"], "update_mask", "billing.* is unknown"),
        (Deal(), ["title"] * (MAX_PATHS + 1), "update_mask", "has 257 paths; at most 256 are allowed"),
        (Deal(), ["state"], "update_mask", "state is set by the server and cannot be written"),
        (Deal(), ["billing.score"], "update_mask", "billing.score is set by the server"),
        (Deal(), ["account"], "update_mask", "account cannot be changed once it is set"),
        (Deal(account="accounts/b"), ["account"], "update_mask", "account cannot be changed"),
        (Deal(account="accounts/b"), ["*"], "account", "account cannot be changed"),
        (Deal(account="accounts/b"), [], "account", "account cannot be changed"),
        (Deal(), ["floor.amount"], "update_mask", "floor cannot be changed"),
        (Deal(floor=Amount(amount="6", currency_code="EUR")), ["floor.amount"], "update_mask", "floor cannot be"),
        (Deal(billing=Address(country="FR")), [], "billing.country", "billing.country cannot be changed"),
        (Deal(billing=Address(country="FR")), ["billing.country"], "update_mask", "billing.country cannot"),
        (Deal(lines=[Line(id="l1", sku="Z")]), ["lines"], "lines.sku", "lines.sku cannot be changed"),
    ],
)
def test_a_mask_that_cannot_be_honoured_is_refused(source: Any, paths: list[str], field: str, told: str) -> None:
    with pytest.raises(BadField) as caught:
        updated(source, *paths)
    assert caught.value.field == field
    assert told in caught.value.description


@pytest.mark.parametrize("path", ["margin", "margin.amount", "billing.geo.longitude"])
def test_naming_a_hidden_field_is_told_apart(path: str) -> None:
    with pytest.raises(HiddenField) as caught:
        updated(Deal(), "title", path)
    assert caught.value.path == path


def test_an_immutable_field_may_be_repeated_and_set_where_there_was_none() -> None:
    source = stored_deal()
    assert updated(source, "account", "floor.amount", "billing.country", "lines") == stored_deal()
    assert updated(source, "*") == stored_deal()
    target = Deal()
    apply_mask(target, Deal(billing=Address(country="FR")), FieldMask(), immutable=SETS.immutable)
    assert target.billing.country == "FR"


PATHS = ["title", "seats", "billing", "billing.city", "billing.geo", "lines", "tags", "labels", "net_days", "renewal_of"]
deals = st.builds(
    Deal,
    title=st.sampled_from(["", "New"]),
    state=st.sampled_from(["", "WON"]),
    account=st.sampled_from(["", "accounts/a"]),
    seats=st.none() | st.integers(0, 2),
    margin=st.none() | st.just(Amount(amount="99")),
    billing=st.none() | st.builds(Address, city=st.sampled_from(["", "Bonn"]), score=st.integers(0, 2)),
    lines=st.lists(st.builds(Line, id=st.sampled_from(["", "l1", "l9"]), cost=st.sampled_from(["", "9"])), max_size=3),
    tags=st.lists(st.sampled_from("xyz"), max_size=2),
)


@given(deals, st.none() | st.just(["*"]) | st.lists(st.sampled_from(PATHS), min_size=1, max_size=4))
def test_no_update_crosses_a_wall_and_repeating_it_changes_nothing(source: Any, paths: list[str] | None) -> None:
    before, after = stored_deal(), updated(source, *(paths or []))
    assert [after.state, after.margin, after.account] == [before.state, before.margin, before.account]
    assert (after.billing.score, after.billing.geo.longitude) == (7, 2)
    costs = {line.id: line.cost for line in before.lines}
    assert all(line.cost == costs.get(line.id, "") for line in after.lines)
    again = Deal()
    again.CopyFrom(after)
    walls: dict[str, Any] = {"immutable": SETS.immutable, "output_only": SETS.output_only, "hidden": HIDDEN}
    apply_mask(again, source, FieldMask(paths=paths or []), **walls)
    assert again == after


def test_a_read_mask_reduces_a_message() -> None:
    deal = stored_deal()
    assert project(deal, FieldMask(paths=["title", "billing.geo.latitude", "lines", "renewal_of.title"])) == Deal(
        title="Old", billing=Address(geo=Geo(latitude=1)), lines=deal.lines
    )
    assert deal == stored_deal()


@pytest.mark.parametrize("paths", [[], ["*"]])
def test_no_read_mask_is_the_whole_message(paths: list[str]) -> None:
    deal = stored_deal()
    assert project(deal, FieldMask(paths=paths)) is deal


def test_an_unknown_read_path_is_refused_by_the_name_of_its_field() -> None:
    with pytest.raises(BadField, match=r"^view\.fields: cost is unknown"):
        project(stored_deal(), FieldMask(paths=["cost"]), "view.fields")
