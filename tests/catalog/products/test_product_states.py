"""The full square of a product's verbs and states, on the aggregate alone."""

from collections.abc import Callable
from typing import Any

import pytest
from revops.catalog.v1 import products_pb2 as pb

from revops_mesh.catalog.products.domain import ALLOWED, Product
from revops_mesh.kernel.errors import Broken, Failure
from tests.catalog.shop import at

DRAFT, ACTIVE, RETIRED = pb.Product.STATE_DRAFT, pb.Product.STATE_ACTIVE, pb.Product.STATE_RETIRED
VERBS: dict[str, Callable[[Any], Any]] = {
    "update": lambda product: product.update(pb.Product(name=product.name, state=product.state.state, rate_plan_count=1)),
    "delete": lambda product: product.must_allow("delete"),
    "activate": Product.activate,
    "retire": Product.retire,
    "add_plan": Product.count_plan,
    "change_charges": lambda product: product.must_allow("change_charges"),
}
POSSIBLE = {
    ("update", DRAFT),
    ("update", ACTIVE),
    ("delete", DRAFT),
    ("activate", DRAFT),
    ("retire", ACTIVE),
    ("add_plan", DRAFT),
    ("add_plan", ACTIVE),
    ("change_charges", DRAFT),
}


def test_every_verb_is_in_the_square() -> None:
    assert set(VERBS) == set(ALLOWED)


@pytest.mark.parametrize("state", [DRAFT, ACTIVE, RETIRED])
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_outside_its_states_is_refused_and_changes_nothing(verb: str, state: Any) -> None:
    product = Product(pb.Product(name="products/p", state=state, rate_plan_count=1))
    if (verb, state) in POSSIBLE:
        VERBS[verb](product)
        product.check()
        return
    before = product.state.SerializeToString()
    with pytest.raises(Failure) as refused:
        VERBS[verb](product)
    assert refused.value.reason == "PRODUCT_STATE"
    assert refused.value.metadata["product"] == "products/p"
    assert refused.value.metadata["state"] == pb.Product.State.Name(state).removeprefix("STATE_")
    assert (product.state.SerializeToString(), product.events) == (before, [])


@pytest.mark.parametrize(
    "broken",
    [
        pb.Product(name="products/p"),
        pb.Product(name="products/p", state=ACTIVE),
        pb.Product(name="products/p", state=DRAFT, sellable_from=at(2), sellable_to=at(2)),
    ],
)
def test_a_product_that_cannot_be_is_never_stored(broken: pb.Product) -> None:
    with pytest.raises(Broken):
        Product(broken).check()
