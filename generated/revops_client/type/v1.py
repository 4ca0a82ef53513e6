# Generated from the contracts: never edited, `make proto` writes it anew.
"""revops.type.v1: messages."""

from revops_client.revops.type.v1 import (
    ChargeModel,
    Money,
    Party,
    PartyRole,
    Pricing,
    Proof,
    ProofStep,
    Rounding,
    Tier,
    TierBound,
)

__all__ = [
    "ChargeModel",
    "Money",
    "Party",
    "PartyRole",
    "Pricing",
    "Proof",
    "ProofStep",
    "Rounding",
    "Tier",
    "TierBound",
]
