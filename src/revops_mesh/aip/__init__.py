"""Google AIP conventions as pure functions: filters (160), order (132), page tokens (158), field masks (134, 161)."""


class BadField(ValueError):
    """A request field that cannot be honoured; the kernel answers INVALID_ARGUMENT with one field violation."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}")
        self.field = field
        self.description = description
