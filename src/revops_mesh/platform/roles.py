"""The built-in roles: named patterns over the permissions that the contracts declare.

Built-in roles may also leave a collection open, as in "*.*.get", and take away with "-" what an earlier pattern gave. Least
privilege: a role has what its people do and nothing else.
"""

from collections.abc import Iterable, Mapping

from revops_mesh.identity.patterns import expand
from revops_mesh.kernel import walk
from revops_mesh.kernel.contract import Method

_REFERENCE = (
    "platform.legalEntities.get",
    "platform.legalEntities.list",
    "platform.exchangeRates.get",
    "platform.exchangeRates.list",
    "platform.exchangeRates.resolve",
    "platform.businessCalendars.get",
    "platform.businessCalendars.list",
    "platform.businessCalendars.add",
)
"""Reading the facts that every document needs."""

_JOBS = (
    "platform.operations.get",
    "platform.operations.wait",
    "platform.operations.cancel",
    "platform.operations.resume",
    "platform.operations.delete",
    "platform.files.get",
    "platform.files.download",
    "platform.files.delete",
    "platform.resources.export",
)
"""Exports, and what one does with one's own operations and files."""

BUILT_IN: Mapping[str, tuple[str, ...]] = {
    "admin": ("*",),
    "viewer": ("*.*.get", "*.*.list", "*.*.stream", "-platform.*", "catalog.prices.*", "quoting.quotes.explain", *_REFERENCE),
    "catalog-manager": (
        "catalog.*",
        "platform.exchangeRates.*",
        "platform.files.upload",
        "platform.resources.import",
        *_JOBS,
        *_REFERENCE,
    ),
    "seller": (
        "catalog.products.get",
        "catalog.products.list",
        "catalog.ratePlans.get",
        "catalog.ratePlans.list",
        "catalog.prices.resolve",
        "quoting.quotes.*",
        "quoting.quoteVersions.*",
        "quoting.approvalRequests.*",
        "-quoting.approvalRequests.approve",
        "-quoting.approvalRequests.reject",
        *_REFERENCE,
    ),
    "approver": (
        "quoting.quotes.get",
        "quoting.quotes.list",
        "quoting.quotes.explain",
        "quoting.margins.read",
        "quoting.quoteVersions.*",
        "quoting.approvalRequests.*",
        "-quoting.approvalRequests.recall",
        "quoting.approvalDelegations.*",
        "quoting.approvalPolicies.get",
        "quoting.approvalPolicies.list",
        "quoting.approvalPolicyVersions.*",
        *_REFERENCE,
    ),
    "sales-manager": ("catalog.*.get", "catalog.*.list", "catalog.prices.*", "quoting.*", *_JOBS, *_REFERENCE),
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
        "quoting.quotes.present",
        "quoting.quotes.explain",
        "quoting.quoteVersions.*",
    ),
    "partner-admin": (
        "platform.serviceAccounts.*",
        "platform.apiKeys.*",
        "platform.webhookEndpoints.*",
        "platform.webhookDeliveries.*",
    ),
    "auditor": ("platform.auditEntries.*", "platform.deadLetters.list"),
    "platform-admin": ("platform.tenants.*",),
}
"""Patterns by role id."""

_INSTALLATION = "platform-admin"
"""The only role that administers tenants; it works for callers of the platform tenant alone."""


def declared(methods: Iterable[Method]) -> frozenset[str]:
    """The permissions that methods need, or that fields of what they take and answer need to be read."""
    found: set[str] = set()
    for method in methods:
        found |= {method.policy.permission} | walk.read_permissions(method.request) | walk.read_permissions(method.response)
    return frozenset(found - {""})


def grantable(known: frozenset[str], *, on_platform: bool) -> frozenset[str]:
    """What a tenant's own roles may grant: all but the administration of tenants, which is the platform tenant's."""
    return known if on_platform else known - expand(BUILT_IN[_INSTALLATION], known)


def built_in(known: frozenset[str]) -> dict[str, frozenset[str]]:
    """The built-in roles over what a tenant can grant.

    Only `platform-admin` administers tenants, whatever other patterns match; outside the platform tenant it gives nothing.
    """
    ordinary = grantable(known, on_platform=False)
    return {role: expand(patterns, known if role == _INSTALLATION else ordinary) for role, patterns in BUILT_IN.items()}
