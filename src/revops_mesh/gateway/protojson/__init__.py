"""JSON of messages by protobuf's mapping, read and written by walkers that are compiled once per message type.

A tenth of what `google.protobuf.json_format` costs; that library is the oracle of the tests. Source: ProtoJSON,
https://protobuf.dev/programming-guides/json/.
"""

from .problems import Unreadable
from .reading import parsed, reader, value_reader
from .writing import writer

__all__ = ["Unreadable", "parsed", "reader", "value_reader", "writer"]
