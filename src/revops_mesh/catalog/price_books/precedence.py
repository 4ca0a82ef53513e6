"""Which price book comes first for a customer: the most specific scope, then the highest priority.

A scope names up to four sides of a customer and fits whoever has them all. The sides weigh 8, 4, 2 and 1, so each outweighs
all that follow it and no two different sets of sides weigh the same.
"""

from itertools import compress, product
from urllib.parse import quote

from revops.catalog.v1 import price_books_pb2 as pb

SIDES = ("account", "segment", "channel", "region_code")
"""From the heaviest to the lightest."""


def scope_key(scope: pb.PriceScope) -> str:
    """The scope as one text, equal for equal scopes and for no others."""
    return "&".join(_named_sides(scope))


def fitting_keys(customer: pb.PriceScope) -> list[str]:
    """The keys of all scopes that fit a customer, at most 16, the most specific first and that of everybody last."""
    sides = _named_sides(customer)
    # Keeping or dropping each side, the heaviest first, counts down in binary: that is the order of weights.
    choices = product((True, False), repeat=len(sides))
    return ["&".join(compress(sides, kept)) for kept in choices]


def audience(scope: pb.PriceScope) -> str:
    """The scope as a person would say it, as in "account accounts/a1, channel reseller"."""
    named = (f"{side.removesuffix('_code')} {value}" for side in SIDES if (value := getattr(scope, side)))
    return ", ".join(named) or "everybody"


def _named_sides(scope: pb.PriceScope) -> list[str]:
    # Quoting keeps "&" and "=" of a value from reading like another side.
    return [f"{side}={quote(value, safe='')}" for side in SIDES if (value := getattr(scope, side))]
