"""Callers who hold exactly some permissions, by a role of their tenant."""

from collections.abc import Iterable
from typing import Any

from revops.platform.v1 import access_pb2 as access

from revops_mesh import member
from revops_mesh.kernel.contract import methods_of
from revops_mesh.kernel.names import new_id
from revops_mesh.kernel.walk import read_permissions
from tests.world import Caller, World


def permissions() -> frozenset[str]:
    """Every permission that a contract names: those that open methods and those that show fields."""
    methods = [method for module in member.MODULES for method in methods_of(module.service)]
    fields = (read_permissions(of) for method in methods for of in (method.request, method.response))
    return frozenset(method.policy.permission for method in methods).union(*fields) - {""}


async def holding(world: World, tenant: Any, held: Iterable[str], **claims: Any) -> Caller:
    """A caller of a tenant with these permissions and no other; their role is written behind the contract's back."""
    role = access.Role(name=f"roles/{new_id()}", display_name="Test", permissions=sorted(held))
    await world.owner.execute(
        "INSERT INTO platform.roles(tenant_id,name,revision,body,create_time,update_time) VALUES($1,$2,1,$3,now(),now())",
        tenant, role.name, role.SerializeToString(),
    )  # fmt: skip
    forget(world)
    return await world.caller(role.name.removeprefix("roles/"), tenant=tenant, **{"sub": f"users/{new_id()}", **claims})


async def lacking(world: World, tenant: Any, *permission: str, **claims: Any) -> Caller:
    """A caller of a tenant with every permission but these."""
    return await holding(world, tenant, permissions() - set(permission), **claims)


def forget(world: World) -> None:
    """Has roles and editions read again; else a change is noticed within 30 s."""
    world.kernel.authenticator.forget()
    world.kernel.authenticator._directory.forget()  # type: ignore[attr-defined]
