# Generated from the contracts: never edited, `make proto` writes it anew.
"""The typed client of a member: `Revops` connects; a capability's messages are in `revops_client.<capability>.v1`."""

from revops_rpc.errors import FieldViolation, RevopsError
from revops_rpc.operations import Running
from revops_rpc.paging import Pages

from revops_client.client import Revops

__all__ = ["FieldViolation", "Pages", "Revops", "RevopsError", "Running"]
