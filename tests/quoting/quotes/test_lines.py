"""Line ids: short, unique, and never used for another line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.errors import Failure
from revops_mesh.quoting.quotes import lines
from tests.quoting.quotes.offers import drafted, line, prices

ids = st.just("") | st.integers(1, 12).map(str) | st.sampled_from(["seats", "01", "999999999", "12345678901"])


def made(*names: str) -> list[pb.QuoteLine]:
    return [pb.QuoteLine(line_id=name) for name in names]


def test_lines_without_an_id_are_numbered_beside_the_ids_that_callers_chose() -> None:
    found = made("", "2", "seats", "")
    assert lines.assign_ids(found, 0) == 4
    assert [each.line_id for each in found] == ["3", "2", "seats", "4"]


@given(st.lists(st.lists(ids, max_size=6), max_size=5))
def test_an_assigned_id_was_never_used_before(edits: list[list[str]]) -> None:
    last, ever = 0, set[str]()
    for names in edits:
        named = {name for name in names if name}
        if len(named) != sum(map(bool, names)):
            continue
        found = made(*names)
        last = lines.assign_ids(found, last)
        assigned = [each.line_id for each, name in zip(found, names, strict=True) if not name]
        assert not ever.intersection(assigned)
        assert len({each.line_id for each in found}) == len(found)
        ever |= {each.line_id for each in found}


def test_two_lines_of_one_id_are_refused() -> None:
    with pytest.raises(Failure) as refused:
        lines.assign_ids(made("a", "b", "a"), 0)
    assert (refused.value.reason, refused.value.metadata) == ("QUOTE_LINE_DUPLICATE", {"line": "a"})


def test_an_id_is_not_given_again_after_its_line_was_removed() -> None:
    quote = drafted(line(), line("disk"))
    changed = pb.Quote()
    changed.CopyFrom(quote.state)
    del changed.lines[:]
    changed.lines.extend([line("disk", line_id="1"), line("tape")])
    quote.update(changed, prices(changed))
    assert [each.line_id for each in quote.state.lines] == ["1", "3"]
    assert [each.charges[0].charge_key for each in quote.state.lines] == ["1/c0", "3/c0"]


@pytest.mark.parametrize(
    ("change", "priced"),
    [
        (lambda q: setattr(q.lines[0], "quantity", "11"), True),
        (lambda q: setattr(q.lines[0], "discount_rate", "0.5"), True),
        (lambda q: setattr(q.lines[0], "discount_amount", "0"), True),
        (lambda q: setattr(q.lines[0], "rate_plan", "products/b/ratePlans/c"), True),
        (lambda q: setattr(q.lines[0], "line_id", "7"), True),
        (lambda q: setattr(q, "account", "accounts/other"), True),
        (lambda q: setattr(q.price_scope, "segment", "enterprise"), True),
        (lambda q: q.lines.add(rate_plan="products/b/ratePlans/c", quantity="1"), True),
        (lambda q: q.lines.pop(), True),
        (lambda q: setattr(q.lines[0], "description", "Seats"), False),
        (lambda q: setattr(q, "display_name", "Renewal"), False),
        (lambda q: setattr(q.price_scope, "account", ""), False),
        (lambda q: setattr(q, "term_months", 12), False),
    ],
)
def test_only_what_decides_a_price_needs_new_prices(change, priced) -> None:  # type: ignore[no-untyped-def]
    quote = drafted(line(), line("disk"))
    changed = pb.Quote()
    changed.CopyFrom(quote.state)
    change(changed)
    assert quote.needs_prices(changed) is priced
