"""Migrations of the installation's databases, inside the package so that an installed wheel can migrate."""

from .logins import bootstrap
from .tree import MigrationError, current, migrate

__all__ = ["MigrationError", "bootstrap", "current", "migrate"]
