"""Documents and discounts for the tests of stacking."""

from decimal import Decimal

from hypothesis import strategies as st
from revops.type.v1 import discount_pb2 as pb
from revops.type.v1 import pricing_pb2

from revops_mesh.pricing.stacking import policy, rules
from revops_mesh.pricing.stacking.policy import Candidate, Line
from revops_mesh.pricing.stacking.stack import stack

ACROSS, EACH = pb.DISCOUNT_ALLOCATION_ACROSS, pb.DISCOUNT_ALLOCATION_EACH
LINE, ORDER, ACCOUNT = pb.DISCOUNT_LEVEL_LINE, pb.DISCOUNT_LEVEL_ORDER, pb.DISCOUNT_LEVEL_ACCOUNT
REFUSE = pb.FLOOR_ACTION_REFUSE
DOCUMENT = pb.STACKING_SCOPE_DOCUMENT


def line(key, amount, quantity=1, floor=0):
    return Line(key, Decimal(quantity), Decimal(amount), Decimal(floor), "catalog.costs.read" if floor else "")


def rule(**fields):
    return rules.parsed(pb.DiscountRule(**fields))


def discount(key, lines=None, bought=None, **fields):
    """A candidate whose rule has these fields; `priority`, `refused` and `discount_class` are its own."""
    own = {name: fields.pop(name) for name in ("priority", "refused", "discount_class") if name in fields}
    return Candidate(
        key,
        rule(**fields),
        None if lines is None else frozenset(lines),
        None if bought is None else frozenset(bought),
        **own,
    )


def rates(*values):
    return [discount(f"r{number}", rate=str(value)) for number, value in enumerate(values)]


def how(mode="SEQUENTIAL", **fields):
    return policy.parsed(pb.Stacking(mode=pb.StackingMode.Value(f"STACKING_MODE_{with_base(mode)}"), **fields))


def with_base(mode):
    return {"ADDITIVE": "ADDITIVE_ON_BASE", "EXCLUSIVE": "EXCLUSIVE_OVERRIDE"}.get(mode, mode)


MODES = ["ADDITIVE", "SEQUENTIAL", "BEST_OF", "EXCLUSIVE"]


def nets(lines, candidates, policy, currency="USD"):
    return list(stack(lines, candidates, policy, currency).nets)


def became(stacked):
    """What became of each candidate, by its key: why, how much, by whom."""
    return {each.key: (each.why.value, each.amount, each.by) for each in stacked.outcomes}


CENTS = st.integers(0, 100_000).map(lambda cents: Decimal(cents) / 100)
RULES = st.one_of(
    st.builds(
        lambda rate, most, limit: pb.DiscountRule(rate=f"{rate / 1000:f}", max_quantity=most, max_amount=limit),
        st.decimals(0, 1000, places=0),
        st.sampled_from(["", "1", "2.5"]),
        st.sampled_from(["", "3.17", "40"]),
    ),
    st.builds(
        lambda cents, limit: pb.DiscountRule(amount=f"{Decimal(cents) / 100:f}", max_amount=limit),
        st.integers(1, 60_000),
        st.sampled_from(["", "11.11"]),
    ),
    st.builds(
        lambda cents, most: pb.DiscountRule(amount=f"{Decimal(cents) / 100:f}", allocation=EACH, max_quantity=most),
        st.integers(1, 5_000),
        st.sampled_from(["", "1", "3"]),
    ),
    st.builds(lambda cents: pb.DiscountRule(fixed_price=f"{Decimal(cents) / 100:f}"), st.integers(0, 20_000)),
    st.builds(
        lambda buy, get, rate, times: pb.DiscountRule(
            buy_x_get_y=pb.BuyXGetY(buy_quantity=buy, get_quantity=get, rate=rate, max_times=times)
        ),
        st.integers(1, 4),
        st.integers(1, 3),
        st.sampled_from(["", "0.5"]),
        st.integers(0, 2),
    ),
)


@st.composite
def documents(draw, most=4):
    """Lines, some with floors, some without units."""
    return [
        Line(
            f"l{number}",
            draw(st.sampled_from([Decimal(0), Decimal(1), Decimal(3), Decimal("7.5"), Decimal(20)])),
            draw(CENTS),
            draw(st.one_of(st.just(Decimal(0)), CENTS)),
        )
        for number in range(draw(st.integers(1, most)))
    ]


@st.composite
def candidates(draw, lines, most=6):
    """Discounts for some or all of the lines, of any kind, class and priority."""
    keys = [each.key for each in lines]
    found = []
    for number in range(draw(st.integers(0, most))):
        own = rules.parsed(draw(RULES))._replace(level=draw(st.sampled_from([LINE, ORDER, ACCOUNT])))
        targets = draw(st.one_of(st.none(), st.frozensets(st.sampled_from(keys), min_size=1)))
        refused = draw(st.sampled_from(["", "", "", "only for partners"]))
        of_class = draw(st.sampled_from(["", "promotion", "contract"]))
        found.append(Candidate(f"d{number}", own, targets, None, of_class, draw(st.integers(0, 2)), refused))
    return found


@st.composite
def policies(draw, modes=("ADDITIVE", "SEQUENTIAL", "BEST_OF", "EXCLUSIVE")):
    """Stacking policies of every mode, order and rounding."""
    mode = draw(st.sampled_from(modes))
    keys = [pb.STACKING_KEY_LEVEL, pb.STACKING_KEY_CLASS, pb.STACKING_KEY_KIND, pb.STACKING_KEY_PRIORITY]
    fields = {
        "order": draw(st.permutations(keys)),
        "classes": draw(st.permutations(["promotion", "contract"])),
        "floor_action": draw(st.sampled_from(pb.FloorAction.values())),
        "rounding": draw(st.sampled_from(pricing_pb2.Rounding.values())),
        "rounding_place": draw(st.sampled_from([0, pricing_pb2.ROUNDING_PLACE_DOCUMENT])),
    }
    if mode in ("BEST_OF", "EXCLUSIVE"):
        fields["scope"] = draw(st.sampled_from(pb.StackingScope.values()))
    return how(mode, **fields)
