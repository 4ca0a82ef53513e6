"""Roles, service accounts and API keys: see the contract."""
