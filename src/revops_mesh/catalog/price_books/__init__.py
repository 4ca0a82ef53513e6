"""Price books: see the contract."""
