"""Who calls, and what the caller's tenant may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from .names import PLATFORM_TENANT, derived

if TYPE_CHECKING:
    from .call import Arrival
EVERYTHING = ("*",)
"""Scopes that take nothing away."""


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
    scopes: tuple[str, ...] = EVERYTHING
    """What its credential left of what they permit."""
    key: str = ""
    """The API key that it calls with, without its secret, as in `rk_<tenant>_<key id>`; empty if with anything else."""
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
    scopes: tuple[str, ...] = EVERYTHING
    """Patterns of permissions: what they leave of what the roles permit."""
    key: str = ""
    """As in `Principal`."""


class Impostor(Exception):
    """Somebody named an API key and did not have its secret."""

    def __init__(self, suspect: Principal) -> None:
        """`suspect` bears the name of the key and may do nothing."""
        super().__init__(suspect.name)
        self.suspect = suspect


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
        """The service account of a live key, None if there is none. Raises `Impostor` if the secret is wrong."""
        ...

    async def holder(self, tenant: UUID, key_id: str) -> Identity | None:
        """The same for a caller who has proven otherwise to have the key."""
        ...


class Issuer(Protocol):
    """Issues the installation's own access tokens, which stand for API keys."""

    @property
    def name(self) -> str:
        """`iss` of its tokens, and where it is reached."""
        ...

    @property
    def signs(self) -> bool:
        """Whether it can issue tokens."""
        ...

    def issue(self, principal: Principal, scopes: Sequence[str]) -> str:
        """A token for the API key that a principal calls with, narrowed to patterns of permissions."""
        ...

    def public_keys(self) -> Sequence[Mapping[str, str]]:
        """The public halves of its keys, as in a JSON Web Key Set."""
        ...


class Authenticator(Protocol):
    """Turns credentials into principals."""

    @property
    def issuer(self) -> Issuer | None:
        """The installation's own issuer, if it has one."""
        ...

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
