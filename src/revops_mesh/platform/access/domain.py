"""Roles, service accounts and API keys. Times are instants in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Self

from revops.platform.v1 import access_pb2 as pb

from revops_mesh.kernel import clock
from revops_mesh.kernel.aggregate import Aggregate
from revops_mesh.kernel.errors import BadField, Broken, Failure

from ..roles import BUILT_IN
from . import keys
from .grants import Grants

OVERLAP = timedelta(hours=24)
"""How long a key that is replaced works on."""
USE_BEHIND = timedelta(hours=1)
"""How far `last_used_time` may be behind."""


class Role(Aggregate[pb.Role]):
    """A named set of permissions, beside the built-in ones."""

    state_type = pb.Role

    @classmethod
    def define(cls, name: str, offer: pb.Role, grants: Grants) -> Self:
        """A new role. Raises ROLE_RESERVED, ROLE_PERMISSION_UNKNOWN, ROLE_EXCEEDS_CALLER."""
        role = cls(pb.Role())
        role.state.CopyFrom(offer)
        role.state.name = name
        if role.id in BUILT_IN:
            raise Failure(pb.RoleReason, pb.ROLE_RESERVED, "{role} is a built-in role.", role=role.id)
        grants.by_patterns(role.state.permissions)
        return role

    @property
    def id(self) -> str:
        """What tokens and service accounts call it."""
        return self.name.removeprefix("roles/")

    def update(self, changed: pb.Role, grants: Grants) -> None:
        """Takes over changed fields. Raises ROLE_PERMISSION_UNKNOWN, ROLE_EXCEEDS_CALLER for what it grants anew."""
        before = set(self.state.permissions)
        self.state.CopyFrom(changed)
        grants.by_patterns(pattern for pattern in changed.permissions if pattern not in before)

    def check(self) -> None:
        """An id that is not a built-in role's, and some permission."""
        if self.id in BUILT_IN or not self.state.permissions:
            raise Broken(f"{self.name} is built in or grants nothing")


class ServiceAccount(Aggregate[pb.ServiceAccount]):
    """A program that calls on its own behalf. Whether its roles may be granted is the service's question to `Grants`."""

    state_type = pb.ServiceAccount

    @classmethod
    def open(cls, name: str, offer: pb.ServiceAccount) -> Self:
        """A new service account."""
        account = cls(pb.ServiceAccount())
        account.state.CopyFrom(offer)
        account.state.name = name
        return account

    def update(self, changed: pb.ServiceAccount) -> bool:
        """Takes over changed fields; True if it may do other things than before."""
        before = set(self.state.roles), self.state.partner, self.state.disabled
        self.state.CopyFrom(changed)
        return before != (set(changed.roles), changed.partner, changed.disabled)

    def check(self) -> None:
        """Some role, and a partner's name if any."""
        partner = self.state.partner
        if not self.state.roles or (partner and not partner.startswith("partners/")):
            raise Broken(f"{self.name} has roles {list(self.state.roles)} and partner {partner!r}")


class ApiKey(Aggregate[pb.ApiKey]):
    """A key of a service account. Its secret is never a part of the state."""

    state_type = pb.ApiKey

    @classmethod
    def issue(cls, name: str, offer: pb.ApiKey, partner: str, secret: str, now: datetime) -> Self:
        """A new key for a secret, of an account's partner. Raises FIELD_INVALID if it would have expired already."""
        if offer.HasField("expire_time") and offer.expire_time.ToDatetime(tzinfo=UTC) <= now:
            raise BadField("api_key.expire_time", "must be in the future")
        key = cls(pb.ApiKey(display_name=offer.display_name, partner=partner))
        if offer.HasField("expire_time"):
            key.state.expire_time.CopyFrom(offer.expire_time)
        key.state.name, key.state.key_id = name, name.rpartition("/")[2]
        key.state.secret_hash = keys.hashed(secret)
        return key

    def retire(self, now: datetime, overlap_hours: int | None) -> None:
        """Has it stop after some hours, by default a day, or at its own expiry if that is earlier."""
        end = now + (OVERLAP if overlap_hours is None else timedelta(hours=overlap_hours))
        if not self.state.HasField("expire_time") or self.state.expire_time.ToDatetime(tzinfo=UTC) > end:
            self.state.expire_time.CopyFrom(clock.timestamp(end))

    def successor(self, request: pb.RotateApiKeyRequest) -> pb.ApiKey:
        """What the key that replaces it is to be."""
        wanted = pb.ApiKey(display_name=self.state.display_name)
        if request.HasField("expire_time"):
            wanted.expire_time.CopyFrom(request.expire_time)
        return wanted

    def note_use(self, at: datetime) -> bool:
        """Notes that it was used; False, and nothing changes, if that is not an hour later than what is known."""
        if at - self.state.last_used_time.ToDatetime(tzinfo=UTC) < USE_BEHIND:
            return False
        self.state.last_used_time.CopyFrom(clock.timestamp(at))
        return True

    @property
    def shown(self) -> pb.ApiKey:
        """A copy without what is kept to recognise it."""
        copy = pb.ApiKey()
        copy.CopyFrom(self.state)
        copy.ClearField("secret_hash")
        return copy

    def check(self) -> None:
        """A hash, no secret, and the id from its name."""
        if len(self.state.secret_hash) != 32 or self.state.secret or not self.name.endswith(f"/{self.state.key_id}"):
            raise Broken(f"{self.name} keeps its secret, or lacks its hash or id")
