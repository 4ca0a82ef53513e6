"""Files: see the contract."""
