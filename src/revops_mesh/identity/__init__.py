"""Who calls: JSON Web Tokens and API keys of people and partners, SPIFFE identities of programs."""

from .authenticator import Authenticator
from .programs import Programs
from .tokens import Tokens

__all__ = ["Authenticator", "Programs", "Tokens"]
