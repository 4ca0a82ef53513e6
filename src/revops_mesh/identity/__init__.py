"""Who calls: JSON Web Tokens of the identity provider and of this installation, and API keys."""

from .authenticator import Authenticator
from .issuer import Issuer
from .tokens import Tokens

__all__ = ["Authenticator", "Issuer", "Tokens"]
