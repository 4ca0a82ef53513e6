"""Approvals: see the contract."""
