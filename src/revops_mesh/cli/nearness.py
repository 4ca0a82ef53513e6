"""What somebody may have meant who wrote a name that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches


def meant(wrong: str, there_are: Iterable[str], otherwise: str = "") -> str:
    """The end of an error: the nearest names, or what is said when none is near."""
    near = get_close_matches(wrong, sorted(there_are), n=3)
    return f"; did you mean {' or '.join(near)}?" if near else otherwise
