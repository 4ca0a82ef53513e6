"""Who calls: tokens of the identity provider and of this installation, API keys, and SPIFFE identities of programs."""

from .authenticator import Authenticator
from .issuer import Issuer
from .programs import Programs
from .tokens import Tokens

__all__ = ["Authenticator", "Issuer", "Programs", "Tokens"]
