"""Access tokens that stand for API keys: see the contract."""
