"""What is wrong with a JSON value, and where in the document it stands."""

from typing import Self


class Unreadable(ValueError):
    """JSON does not fit the contract. The path is built on the way out, so that good input pays nothing for it."""

    def __init__(self, description: str) -> None:
        """`description` continues the field's name: "must be a text"."""
        super().__init__(description)
        self.description = description
        self._parts: list[str | int] = []

    def under(self, part: str | int) -> Self:
        """The same problem, one level further out: below a field or an index."""
        self._parts.append(part)
        return self

    @property
    def field(self) -> str:
        """As in `quote.lines[3].quantity`; "" when it is the document itself."""
        path = ""
        for part in reversed(self._parts):
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
        return path

    def __str__(self) -> str:
        return f"{self.field or 'the body'}: {self.description}"
