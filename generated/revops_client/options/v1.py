# Generated from the contracts: never edited, `make proto` writes it anew.
"""revops.options.v1: messages."""

from revops_client.revops.options.v1 import (
    Audit,
    Edition,
    Field,
    FieldDataClass,
    FieldScoping,
    Limit,
    Policy,
    Rate,
    Resource,
    ResourceKind,
    Scope,
)

__all__ = [
    "Audit",
    "Edition",
    "Field",
    "FieldDataClass",
    "FieldScoping",
    "Limit",
    "Policy",
    "Rate",
    "Resource",
    "ResourceKind",
    "Scope",
]
