"""The member's composition root: which modules there are, and a kernel over them."""

from collections.abc import Collection, Sequence

from revops_mesh import catalog, platform, quoting
from revops_mesh.identity import Authenticator, Issuer, Tokens
from revops_mesh.kernel.contract import methods_of
from revops_mesh.kernel.kinds import Kind
from revops_mesh.kernel.observe import Observer
from revops_mesh.kernel.pipeline import Kernel, Module
from revops_mesh.kernel.pools import LoginPools
from revops_mesh.platform.directory import StoredDirectory
from revops_mesh.platform.roles import declared

MODULES: tuple[Module, ...] = (*platform.MODULES, *catalog.MODULES, *quoting.MODULES)
"""Every module of the member. The 43rd is one more entry in its capability's list."""

ALIASES = {"google.longrunning.Operations": "revops.platform.v1.OperationService"}
"""Standard services that a service of ours answers for."""


def kinds() -> list[Kind]:
    """Everything that the member's database holds, in the order of its tables."""
    found = frozenset[Kind]().union(*(module.kinds for module in MODULES))
    return sorted(found, key=lambda kind: kind.sql)


def permissions() -> frozenset[str]:
    """Every permission that the contracts declare."""
    return declared(method for module in MODULES for method in methods_of(module.service))


def compose(
    pools: LoginPools,
    tokens: Tokens,
    secrets: Sequence[bytes],
    *,
    observer: Observer | None = None,
    only: Collection[str] = (),
    issuer: Issuer | None = None,
) -> Kernel:
    """The kernel of a process; `only` names the capabilities it serves, all if empty; `issuer` is the installation's own."""
    modules = [module for module in MODULES if not only or module.service.split(".")[1] in only]
    known = permissions()
    authenticator = Authenticator(tokens, StoredDirectory(pools.app, known), issuer)
    return Kernel(modules, pools, authenticator, observer=observer, secrets=secrets, permissions=known)
