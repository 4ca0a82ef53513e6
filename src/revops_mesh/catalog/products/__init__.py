"""Products: see the contract."""
