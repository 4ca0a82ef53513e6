"""A member process over the shared database, and its issuer."""

from tests.runtime.conftest import environ, issuer, serving

__all__ = ["environ", "issuer", "serving"]
