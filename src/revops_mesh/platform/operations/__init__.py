"""Operations: see the contract."""
