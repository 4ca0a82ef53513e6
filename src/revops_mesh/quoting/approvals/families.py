"""Families of the products of deals, asked of the catalog where a rule looks at them."""

import re
from collections.abc import Iterable, Sequence

from revops.catalog.v1 import products_pb2 as products
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import deal_facts_pb2 as pb

from revops_mesh.kernel.call import Call
from revops_mesh.rules import compile

from .vocabulary import APPROVAL

MOST_NAMED = 50
"""Products that are asked for at once."""

_PRODUCT = re.compile(r"products/[a-z0-9-]{1,63}").fullmatch


async def add_families(call: Call, versions: Iterable[policies.ApprovalPolicyVersion], deals: Sequence[pb.DealFacts]) -> None:
    """Tells deals the families of their products, if a rule of some versions looks at them; those that are set stay."""
    used = {name for version in versions for rule in version.policy.rules for name in compile(APPROVAL, rule.condition).used}
    if not used & {"families", "lines"}:
        return
    known = await _families(call, sorted({product for deal in deals for product in deal.products if _PRODUCT(product)}))
    for deal in deals:
        for line in deal.lines:
            line.family = line.family or known.get(line.product, "")
        found = {*deal.families, *(known.get(product, "") for product in deal.products)}
        deal.families[:] = sorted(found - {""})


async def _families(call: Call, names: Sequence[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for start in range(0, len(names), MOST_NAMED):
        some = names[start : start + MOST_NAMED]
        asked = products.ListProductsRequest(filter=" OR ".join(f'name = "{name}"' for name in some), page_size=MOST_NAMED)
        known |= {each.name: each.family for each in (await call.ask(asked, products.ListProductsResponse)).products}
    return known
