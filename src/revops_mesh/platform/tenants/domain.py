"""Tenants: who uses the installation, in which edition, and whether it may."""

from typing import Self

from revops.options.v1 import options_pb2 as options
from revops.platform.v1 import reasons_pb2 as platform
from revops.platform.v1 import tenants_pb2 as pb

from revops_mesh.kernel.aggregate import Aggregate, transition
from revops_mesh.kernel.errors import Broken, refuse

ALLOWED: dict[str, frozenset[int]] = {
    "update": frozenset({pb.Tenant.STATE_ACTIVE, pb.Tenant.STATE_SUSPENDED}),
    "suspend": frozenset({pb.Tenant.STATE_ACTIVE}),
    "resume": frozenset({pb.Tenant.STATE_SUSPENDED}),
}
"""States in which each verb is possible."""

PLATFORM = "tenants/platform"
"""The installation's own tenant; it has no row."""


class Tenant(Aggregate[pb.Tenant]):
    """A customer of the installation."""

    state_type = pb.Tenant

    @classmethod
    def found(cls, name: str, offer: pb.Tenant, uid: str) -> Self:
        """A new tenant, active; `uid` is its UUID in hex. Raises RESOURCE_EXISTS for the installation's own name."""
        if name == PLATFORM:
            raise refuse(platform.RESOURCE_EXISTS, "{field} {name} is taken.", name=name, field="name")
        tenant = cls(pb.Tenant())
        tenant.state.CopyFrom(offer)
        tenant.state.name, tenant.state.uid, tenant.state.state = name, uid, pb.Tenant.STATE_ACTIVE
        tenant.state.edition = offer.edition or options.EDITION_FREE
        tenant.record(pb.TenantCreated(tenant=name, edition=tenant.state.edition, uid=uid))
        return tenant

    def update(self, changed: pb.Tenant) -> None:
        """Takes over changed fields; another edition is counted, so that caps are counted anew."""
        self._must_allow("update")
        before = self.state.edition
        self.state.CopyFrom(changed)
        self.state.edition = changed.edition or options.EDITION_FREE
        if self.state.edition != before:
            self.state.edition_changes += 1
            self.record(pb.TenantEditionChanged(tenant=self.name, edition=self.state.edition))

    def suspend(self) -> None:
        """Has its callers refused. Raises TENANT_STATE."""
        self._must_allow("suspend")
        self.state.state = pb.Tenant.STATE_SUSPENDED
        self.record(pb.TenantSuspended(tenant=self.name))

    def resume(self) -> None:
        """Lets its callers in again. Raises TENANT_STATE."""
        self._must_allow("resume")
        self.state.state = pb.Tenant.STATE_ACTIVE
        self.record(pb.TenantResumed(tenant=self.name))

    def _must_allow(self, verb: str) -> None:
        transition(
            self.state.state, ALLOWED[verb], pb.Tenant.State, pb.TenantReason, pb.TENANT_STATE, verb=verb, tenant=self.name
        )

    def check(self) -> None:
        """A UUID of its own, a state and an edition."""
        if len(self.state.uid) != 32 or not self.state.state or not self.state.edition:
            raise Broken(f"{self.name}: uid {self.state.uid!r}, state {self.state.state}, edition {self.state.edition}")
