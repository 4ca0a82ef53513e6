"""Fields appended to a serialised message: in protobuf the last value of a singular field counts, so no message is copied."""

from __future__ import annotations

from betterproto2 import encode_varint

TEXT = 2
"""Wire type of what has a length."""


def text_field(number: int, text: str) -> bytes:
    """A string field as it is written, to be appended."""
    content = text.encode()
    return encode_varint(number << 3 | TEXT) + encode_varint(len(content)) + content
