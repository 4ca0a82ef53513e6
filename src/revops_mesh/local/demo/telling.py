"""Says the demo's requests to a member, so that saying them again changes nothing.

Every request has a `request_id` that follows from its place in the story (AIP-155). Replays are kept for days only, so a
member that says "it is there already" is answered with going on.
"""

from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from revops_mesh.kernel.names import derived
from revops_mesh.local.calls import Member, Refusal
from revops_mesh.runtime.keys import DevelopmentIssuer

TOLD_BEFORE = frozenset({
    "RESOURCE_EXISTS", "REQUEST_ID_CONFLICT", "PRODUCT_STATE", "PRODUCT_NOT_SELLABLE", "PRICE_BOOK_STATE", "QUOTE_STATE",
    "ETAG_MISMATCH",
})  # fmt: skip
"""Reasons with which a member refuses what it has already been told, once the replay has expired."""


class Teller:
    """The people of one tenant, who do what the story says."""

    def __init__(self, member: Member, issuer: DevelopmentIssuer, slug: str, tenant: UUID) -> None:
        self._member, self._issuer, self._slug, self._tenant = member, issuer, slug, tenant
        self._people: dict[str, Member] = {}

    def meet(self, subject: str, role: str, partner: str = "") -> str:
        """Somebody who can then be named as `who`."""
        self._people[subject] = self._member.as_(self._issuer.issue(subject, self._tenant, [role], partner))
        return subject

    async def say(self, who: str, request: Message, *place: object) -> Any:
        """The answer, or None if it was told before; `place` is unique in the story together with the kind of request.

        Raises `Refusal` for any other refusal.
        """
        spoken: Any = type(request)()
        spoken.CopyFrom(request)
        spoken.request_id = str(derived("demo", self._slug, request.DESCRIPTOR.name, *place))
        try:
            return await self._people[who](spoken)
        except Refusal as refusal:
            if refusal.reason not in TOLD_BEFORE:
                raise
            return None
