"""The built-in roles: named patterns over the permissions that the contracts declare.

A pattern is a permission id, or ends in ".*"; a verb may stand after "*.", as in "*.*.get". Least privilege: a role has what
its people do and nothing else.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

BUILT_IN: Mapping[str, tuple[str, ...]] = {
    "admin": ("*",),
    "viewer": ("*.*.get", "*.*.list", "*.*.stream", "catalog.prices.*", "quoting.quotes.explain", "platform.*.resolve"),
    "catalog-manager": ("catalog.*", "platform.exchangeRates.*", "platform.legalEntities.get", "platform.legalEntities.list"),
    "seller": (
        "catalog.products.get",
        "catalog.products.list",
        "catalog.ratePlans.get",
        "catalog.ratePlans.list",
        "catalog.prices.resolve",
        "quoting.quotes.*",
        "quoting.quoteVersions.*",
        "platform.legalEntities.get",
        "platform.legalEntities.list",
    ),
    "sales-manager": ("catalog.*.get", "catalog.*.list", "catalog.prices.*", "quoting.*"),
    "partner": (
        "catalog.products.get",
        "catalog.products.list",
        "catalog.ratePlans.get",
        "catalog.ratePlans.list",
        "quoting.quotes.create",
        "quoting.quotes.get",
        "quoting.quotes.list",
        "quoting.quotes.update",
        "quoting.quotes.submit",
        "quoting.quotes.explain",
        "quoting.quoteVersions.*",
    ),
    "auditor": ("platform.auditEntries.*", "platform.deadLetters.list"),
    "platform-admin": ("platform.tenants.*",),
}


def expand(patterns: Iterable[str], known: Iterable[str]) -> frozenset[str]:
    """The known permissions that some pattern matches."""
    wanted = tuple(patterns)
    return frozenset(permission for permission in known if any(fnmatchcase(permission, pattern) for pattern in wanted))


def built_in(known: frozenset[str]) -> dict[str, frozenset[str]]:
    """The built-in roles over the permissions that this installation's contracts declare.

    Only `platform-admin` administers tenants; no other role does, whatever its patterns match.
    """
    installation = expand(BUILT_IN["platform-admin"], known)
    return {
        role: expand(patterns, known if role == "platform-admin" else known - installation)
        for role, patterns in BUILT_IN.items()
    }
