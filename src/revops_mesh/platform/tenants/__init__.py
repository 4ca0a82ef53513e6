"""Tenants: see the contract."""
