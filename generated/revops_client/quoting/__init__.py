# Generated from the contracts: never edited, `make proto` writes it anew.
"""revops.quoting, by version."""
