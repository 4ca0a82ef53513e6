"""The contract toolchain: from `protos/` to generated code and reference pages, and the checks of a contract."""
