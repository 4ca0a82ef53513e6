"""Products and their rate plans: what can be sold, from draft to retirement. Times are instants in UTC."""

from typing import Self

from revops.catalog.v1 import products_pb2 as pb
from revops.type.v1 import pricing_pb2 as pricing

from revops_mesh.catalog.periods import Period, period
from revops_mesh.kernel.aggregate import Aggregate, transition
from revops_mesh.kernel.errors import Broken, Failure

ALLOWED: dict[str, frozenset[int]] = {
    "update": frozenset({pb.Product.STATE_DRAFT, pb.Product.STATE_ACTIVE}),
    "delete": frozenset({pb.Product.STATE_DRAFT}),
    "activate": frozenset({pb.Product.STATE_DRAFT}),
    "retire": frozenset({pb.Product.STATE_ACTIVE}),
    "add_plan": frozenset({pb.Product.STATE_DRAFT, pb.Product.STATE_ACTIVE}),
    "change_charges": frozenset({pb.Product.STATE_DRAFT}),
}
"""States in which each verb is possible."""


class Product(Aggregate[pb.Product]):
    """Something that can be sold."""

    state_type = pb.Product

    @classmethod
    def draft(cls, name: str, offer: pb.Product) -> Self:
        """A new product."""
        product = cls(pb.Product())
        product.state.CopyFrom(offer)
        product.state.name, product.state.state = name, pb.Product.STATE_DRAFT
        product._must_have_a_period()
        return product

    def update(self, changed: pb.Product) -> None:
        """Takes over changed fields; the state stays."""
        self.must_allow("update")
        self.state.CopyFrom(changed)
        self._must_have_a_period()

    def activate(self) -> None:
        """Puts it on sale. Raises PRODUCT_STATE, PRODUCT_WITHOUT_PLAN."""
        self.must_allow("activate")
        if not self.state.rate_plan_count:
            raise Failure(pb.ProductReason, pb.PRODUCT_WITHOUT_PLAN, "{product} has no rate plan: add one.", product=self.name)
        self.state.state = pb.Product.STATE_ACTIVE
        self.record(pb.ProductActivated(product=self.name))

    def retire(self) -> None:
        """Takes it off sale for good. Raises PRODUCT_STATE."""
        self.must_allow("retire")
        self.state.state = pb.Product.STATE_RETIRED
        self.record(pb.ProductRetired(product=self.name))

    def count_plan(self) -> None:
        """Notes one more rate plan, which also keeps plans and state from changing at once. Raises PRODUCT_STATE."""
        self.must_allow("add_plan")
        self.state.rate_plan_count += 1

    def must_allow(self, verb: str) -> None:
        """Raises PRODUCT_STATE unless the state allows the verb."""
        transition(
            self.state.state, ALLOWED[verb], pb.Product.State, pb.ProductReason, pb.PRODUCT_STATE, verb=verb, product=self.name
        )

    @property
    def sellable(self) -> Period:
        """When it may be sold once it is active."""
        return period(self.state, "sellable_from", "sellable_to", "product.")

    def _must_have_a_period(self) -> None:
        if self.sellable.is_empty:
            raise Failure(
                pb.ProductReason, pb.PRODUCT_PERIOD_EMPTY, "{product} would be sold until before it is sold.", product=self.name
            )

    def check(self) -> None:
        """A live state, a plan when on sale, and a period that is not empty."""
        state = self.state.state
        if state == pb.Product.STATE_UNSPECIFIED or (state != pb.Product.STATE_DRAFT and not self.state.rate_plan_count):
            raise Broken(f"{self.name}: {pb.Product.State.Name(state)} with {self.state.rate_plan_count} plans")
        if self.sellable.is_empty:
            raise Broken(f"{self.name}: the period of sale is empty")


class RatePlan(Aggregate[pb.RatePlan]):
    """One way to buy a product: the charges that come together."""

    state_type = pb.RatePlan

    @classmethod
    def draft(cls, name: str, offer: pb.RatePlan) -> Self:
        """A new plan. Raises CHARGE_DUPLICATE, CHARGE_INVALID."""
        plan = cls(pb.RatePlan())
        plan.state.CopyFrom(offer)
        plan.state.name = name
        plan._must_have_sound_charges()
        return plan

    def update(self, changed: pb.RatePlan) -> bool:
        """Takes over changed fields; True if the charges changed. Raises CHARGE_DUPLICATE, CHARGE_INVALID."""
        before = list(self.state.charges)
        self.state.CopyFrom(changed)
        self._must_have_sound_charges()
        return before != list(self.state.charges)

    def _must_have_sound_charges(self) -> None:
        seen: set[str] = set()
        for charge in self.state.charges:
            if charge.charge_id in seen:
                raise Failure(pb.ProductReason, pb.CHARGE_DUPLICATE, "Two charges are called {charge}.", charge=charge.charge_id)
            seen.add(charge.charge_id)
            if found := _problem(charge):
                raise Failure(
                    pb.ProductReason,
                    pb.CHARGE_INVALID,
                    "{charge}: {field} {problem}.",
                    charge=charge.charge_id,
                    field=found[0],
                    problem=found[1],
                )

    def check(self) -> None:
        """Charges with ids of their own, none contradicting itself."""
        ids = [charge.charge_id for charge in self.state.charges]
        if not ids or len(set(ids)) != len(ids) or any(map(_problem, self.state.charges)):
            raise Broken(f"{self.name}: charges are missing, share an id or contradict themselves")


def _problem(charge: pb.Charge) -> tuple[str, str] | None:
    """The field of a charge that contradicts its type, and why."""
    periodic = charge.type != pb.Charge.TYPE_ONE_TIME
    if periodic and not charge.billing_period_months:
        return "billing_period_months", "is required unless the charge is one-time"
    if not periodic and charge.billing_period_months:
        return "billing_period_months", "must be 0 for a one-time charge"
    if charge.type == pb.Charge.TYPE_USAGE and charge.model == pricing.CHARGE_MODEL_FLAT:
        return "model", "cannot be FLAT for a usage charge"
    return None
