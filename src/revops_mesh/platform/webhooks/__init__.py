"""Webhooks by the Standard Webhooks specification: see the contract."""
