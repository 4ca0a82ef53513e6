"""Who calls, and what the caller's tenant may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from .names import PLATFORM_TENANT, derived

if TYPE_CHECKING:
    from .call import Arrival


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose identity was verified."""

    name: str
    tenant: UUID
    permissions: frozenset[str]
    edition: int
    partner: str = ""
    """Partner it acts for, `partners/{partner}`; it then sees only that partner's rows."""
    epoch: int = 0
    """Counts the tenant's edition changes; counters of caps start anew with each."""
    service: bool = False
    """A program of this installation: its replays are kept longer."""
    token: str = ""
    """The credential, to be sent along to other members."""
    roles: tuple[str, ...] = ()
    """Ids of the roles that its permissions came from."""
    id: UUID = field(init=False)
    """Stands for the name in keys."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", derived("principal", self.name))

    @property
    def on_platform(self) -> bool:
        """Belongs to the installation itself."""
        return self.tenant == PLATFORM_TENANT


@dataclass(frozen=True, slots=True)
class Identity:
    """What credentials say, before the tenant is looked up."""

    name: str
    tenant: UUID
    roles: tuple[str, ...]
    partner: str = ""
    expires: float = float("inf")
    """Unix seconds."""
    service: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A tenant as the pipeline needs it; at most 30 s old."""

    slug: str
    active: bool
    edition: int
    epoch: int
    roles: Mapping[str, frozenset[str]]
    """Permissions by role id, built-in roles included."""


class Directory(Protocol):
    """Where tenants, roles and API keys are looked up."""

    async def standing(self, tenant: UUID) -> Standing | None:
        """The tenant, None if it does not exist."""
        ...

    async def api_key(self, tenant: UUID, key_id: str, secret: str) -> Identity | None:
        """The service account of a live key, None if there is none or the secret is wrong."""
        ...


class Authenticator(Protocol):
    """Turns credentials into principals."""

    async def principal(self, arrival: "Arrival") -> Principal:
        """The caller; refused with CREDENTIALS_MISSING, CREDENTIALS_INVALID, CREDENTIALS_EXPIRED or TENANT_SUSPENDED."""
        ...

    def proven(self, arrival: "Arrival") -> frozenset[str]:
        """The capabilities that the calling program proves to be; refused with CREDENTIALS_INVALID or CREDENTIALS_EXPIRED."""
        ...

    async def service(self, capability: str, tenant: UUID) -> Principal:
        """The principal of a capability's reactions and timers in a tenant."""
        ...

    async def resumed(self, identity: Identity) -> Principal:
        """Who was verified before, with what its roles permit by now; refused with TENANT_SUSPENDED."""
        ...

    def forget(self) -> None:
        """Forgets every verified credential, after keys were rotated."""
        ...
