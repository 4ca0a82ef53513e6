"""The audit log and the dead letters: see the contract."""
