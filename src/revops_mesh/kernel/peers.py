"""Methods that other processes serve: how a call asks them there on its contract's grant, and how a question is admitted here.

A question carries the credential of who called, and beside it, in metadata, the asking method. Whoever asks has to prove to be
the capability of that method; which proofs there are is a matter of identity.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from google.protobuf.message import Message
from revops.platform.v1 import reasons_pb2 as platform

from .contract import Method, method_named
from .errors import refuse

if TYPE_CHECKING:
    from .call import Call

ASKING = "x-revops-asking"
"""Full name of the method on whose grant a question is asked."""
TENANT = "x-revops-tenant"
"""Tenant of a call without a token, a UUID in hex."""
PRINCIPAL = "x-revops-principal"
"""Name of the service for which a question without a token is asked."""
PROOF = "x-revops-service"
"""A token that proves which program calls, where its connection does not."""


class Peers(Protocol):
    """The other members of the installation."""

    async def answer(self, call: "Call", method: Method, request: Message, request_id: UUID | None = None) -> Message:
        """What a peer answers to a question of `call`, or to its reservation with `request_id`.

        Refused as the peer refuses, with PEER_UNAVAILABLE, or with DEADLINE_PASSED; `Broken` if no peer serves the method.
        """
        ...


def admit(asking: str, method: Method, proven: Collection[str]) -> None:
    """Refuses with ASK_REFUSED a question that `asking` does not declare, or whose program is not proven to be its capability."""
    asker = method_named(asking)
    declared = () if asker is None else asker.asks if method.reads else asker.policy.reserves
    if asker is None or asker.capability not in proven or method.full_name not in declared:
        raise refuse(platform.ASK_REFUSED, "{asking} may not ask {method}.", asking=asking[:300], method=method.full_name)
