"""Who may grant what: nobody gives away what they lack, be it by a role, a service account or a key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from revops.platform.v1 import access_pb2 as pb

from revops_mesh.identity.patterns import expand
from revops_mesh.kernel.errors import Failure

from ..roles import built_in


@dataclass(frozen=True, slots=True)
class Grants:
    """What one caller can grant."""

    known: frozenset[str]
    """Every permission that a role of the caller's tenant may grant."""
    held: frozenset[str]
    """The caller's own."""

    def by_patterns(self, patterns: Iterable[str]) -> None:
        """Raises ROLE_PERMISSION_UNKNOWN for a pattern that matches nothing, ROLE_EXCEEDS_CALLER for what the caller lacks."""
        for pattern in patterns:
            granted = expand((pattern,), self.known)
            if not granted:
                raise Failure(pb.RoleReason, pb.ROLE_PERMISSION_UNKNOWN, "No method needs {permission}.", permission=pattern)
            self._must_hold(granted)

    def by_roles(self, roles: Iterable[str], own: Mapping[str, Iterable[str]]) -> None:
        """Raises ROLE_UNKNOWN for a role that there is not, ROLE_EXCEEDS_CALLER for what the caller lacks.

        `own` gives the patterns of the tenant's roles by id.
        """
        given = {role: granted for role, granted in built_in(self.known).items() if granted}
        for role in roles:
            if role in given:
                self._must_hold(given[role])
            elif role in own:
                self._must_hold(expand(own[role], self.known))
            else:
                raise Failure(pb.RoleReason, pb.ROLE_UNKNOWN, "There is no role {role}.", role=role)

    def _must_hold(self, granted: frozenset[str]) -> None:
        if lacking := granted - self.held:
            raise Failure(
                pb.RoleReason,
                pb.ROLE_EXCEEDS_CALLER,
                "Nobody can grant what they lack: {permission}.",
                permission=min(lacking),
            )
