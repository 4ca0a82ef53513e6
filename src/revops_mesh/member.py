"""The member's composition root: which modules there are, and a kernel over them."""

from collections.abc import Collection, Sequence

from revops_mesh import catalog, platform, quoting
from revops_mesh.identity import Authenticator, Issuer, Programs, Tokens
from revops_mesh.kernel.contract import Method, methods_of
from revops_mesh.kernel.kinds import Kind
from revops_mesh.kernel.modules import Module
from revops_mesh.kernel.observe import Observer
from revops_mesh.kernel.peers import Peers
from revops_mesh.kernel.pipeline import Kernel
from revops_mesh.kernel.pools import LoginPools
from revops_mesh.platform.access.uses import note_uses
from revops_mesh.platform.directory import StoredDirectory
from revops_mesh.platform.roles import declared
from revops_mesh.platform.webhooks import addresses
from revops_mesh.platform.webhooks.subscriptions import events_of

MODULES: tuple[Module, ...] = (*platform.MODULES, *catalog.MODULES, *quoting.MODULES)
"""Every module of the member. The 43rd is one more entry in its capability's list."""

ALIASES = {"google.longrunning.Operations": "revops.platform.v1.OperationService"}
"""Standard services that a service of ours answers for."""


def kinds() -> list[Kind]:
    """Everything that the member's database holds, in the order of its tables."""
    found = frozenset[Kind]().union(*(module.kinds for module in MODULES))
    return sorted(found, key=lambda kind: kind.sql)


def methods() -> tuple[Method, ...]:
    """Every method of the member, whatever a process of it serves."""
    return tuple(method for module in MODULES for method in methods_of(module.service))


def permissions() -> frozenset[str]:
    """Every permission that the contracts declare."""
    return declared(methods())


def compose(
    pools: LoginPools,
    tokens: Tokens,
    secrets: Sequence[bytes],
    *,
    observer: Observer | None = None,
    only: Collection[str] = (),
    peers: Peers | None = None,
    programs: Programs | None = None,
    issuer: Issuer | None = None,
    networks: Collection[str] = (),
) -> Kernel:
    """The kernel of a process: `only` names the capabilities it serves, all if empty, and `peers` serve the others.

    `issuer` is the installation's own; `networks` as settings name them.
    """
    modules = [module for module in MODULES if not only or module.service.split(".")[1] in only]
    known, contract = permissions(), tuple(methods())
    directory = StoredDirectory(pools.app, known)
    kernel = Kernel(
        modules, pools, Authenticator(tokens, directory, programs, issuer), observer=observer, secrets=secrets, permissions=known,
        contract=contract, peers=peers, events=events_of(contract), networks=addresses.networks(networks),
    )  # fmt: skip
    note_uses(directory, kernel)
    return kernel
