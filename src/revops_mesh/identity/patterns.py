"""Patterns of permissions, as roles and the scopes of tokens have them.

A pattern is a permission id, or ends in ".*" and stands for everything below; "*" stands for all.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase


def expand(patterns: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    """The known permissions that the patterns leave when they are applied in order; one that begins with "-" takes away."""
    granted: set[str] = set()
    for pattern in patterns:
        if pattern.startswith("-"):
            granted -= _matching(pattern[1:], known)
        else:
            granted |= _matching(pattern, known)
    return frozenset(granted)


def _matching(pattern: str, known: frozenset[str]) -> set[str]:
    if "*" not in pattern:
        return {pattern} & known
    if pattern.endswith(".*") and "*" not in pattern[:-1]:
        return {permission for permission in known if permission.startswith(pattern[:-1])}
    return {permission for permission in known if fnmatchcase(permission, pattern)}
