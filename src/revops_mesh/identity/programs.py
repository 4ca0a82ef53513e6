"""Programs of a trust domain: who they are by SPIFFE ID, and what the installation lets them do.

An ID is proven by the certificate of the connection (X.509-SVID), or by a token of the installation's issuer whose `sub` it is
(JWT-SVID), which is sent where something in between ends the connection. Source: SPIFFE, "SPIFFE ID", "X.509-SVID", "JWT-SVID".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Arrival
from revops_mesh.kernel.peers import PROOF

from .tokens import MOST_REMEMBERED, Tokens, remembered_until

ROLES, CAPABILITIES = "roles/", "capabilities/"


@dataclass(frozen=True, slots=True)
class Program:
    """A known program: the roles it has in every tenant, and the capabilities that it serves and asks for."""

    spiffe_id: str
    roles: tuple[str, ...]
    capabilities: frozenset[str]


class Programs:
    """The programs that the installation knows; all others are nobody."""

    def __init__(self, trust_domain: str, services: Iterable[str], tokens: Tokens) -> None:
        """`services` are grants, as in "ns/erp/sa/sync=roles/viewer" or "ns/revops/sa/quoting=capabilities/quoting"."""
        grants: dict[str, set[str]] = {}
        for service in services:
            path, _, grant = service.partition("=")
            grants.setdefault(f"spiffe://{trust_domain}/{path}", set()).add(grant)
        self._known: Mapping[str, Program] = {name: _program(name, given) for name, given in grants.items()}
        self._tokens, self._remembered = tokens, dict[str, tuple[float, str]]()

    def forget(self) -> None:
        """Forgets every verified token."""
        self._remembered.clear()

    def calling(self, arrival: Arrival) -> Program | None:
        """The program that calls, None if it is unknown or proves nothing.

        A token that is sent has to be good: refused with CREDENTIALS_INVALID or CREDENTIALS_EXPIRED.
        """
        proof = arrival.metadata.get(PROOF, "")
        return self._known.get(self._verified(proof) if proof else arrival.program)

    def _verified(self, proof: str) -> str:
        known, now = self._remembered.get(proof), clock.unix()
        if known is not None and known[0] > now:
            return known[1]
        subject, expires = self._tokens.subject(proof)
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[proof] = (remembered_until(now, expires), subject)
        return subject


def _program(spiffe_id: str, grants: Iterable[str]) -> Program:
    roles = sorted(grant.removeprefix(ROLES) for grant in grants if grant.startswith(ROLES))
    capabilities = frozenset(grant.removeprefix(CAPABILITIES) for grant in grants if grant.startswith(CAPABILITIES))
    return Program(spiffe_id, tuple(roles), capabilities)
