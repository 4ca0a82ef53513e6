"""What roles permit in the tenant of a call, built-in ones and its own, and whether the caller may give them away."""

from collections.abc import Iterable
from functools import cache

from revops_mesh.identity.patterns import expand
from revops_mesh.kernel.call import Call

from ..roles import built_in, grantable
from .domain import Role
from .grants import Grants

_built_in, _grantable = cache(built_in), cache(grantable)


def known(call: Call) -> frozenset[str]:
    """Every permission that a role of the caller's tenant may grant."""
    return _grantable(call.kernel.permissions, on_platform=call.principal.on_platform)


def grants_of(call: Call) -> Grants:
    """What the caller can grant."""
    return Grants(known(call), call.principal.permissions)


async def must_be_grantable(roles: Iterable[str], call: Call) -> None:
    """Raises ROLE_UNKNOWN for a role that there is not, ROLE_EXCEEDS_CALLER for one that permits what the caller may not."""
    grants_of(call).by_roles(roles, await _own(roles, call))


async def permitted(roles: Iterable[str], call: Call) -> frozenset[str]:
    """What the roles permit together; one that there is no longer permits nothing."""
    all_known = known(call)
    given, own = _built_in(all_known), await _own(roles, call)
    return frozenset().union(*(given.get(role) or expand(own.get(role, ()), all_known) for role in roles))


async def _own(roles: Iterable[str], call: Call) -> dict[str, Iterable[str]]:
    """The patterns of those roles that are the tenant's own, by id."""
    repository = call.repo(Role)
    own = await repository.get_many([repository.name(role) for role in roles])
    return {role.id: role.state.permissions for role in own.values()}
