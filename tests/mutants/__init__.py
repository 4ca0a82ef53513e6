"""Seeded faults: each is a patch that some test must turn red."""
