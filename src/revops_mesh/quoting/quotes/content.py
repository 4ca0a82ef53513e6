"""What a quote promises, as one hash: two quotes with equal hashes promise the same, whatever wrote them.

The hash is the SHA-256, in hex, of a JSON array (RFC 8785 form: UTF-8, no spaces): a message is the array of its set fields in
the order of their numbers, each `[number, value]`; a repeated field's value is an array; enums are numbers. Any language can
recompute it, and a field that a later contract adds changes no older hash.
"""

from functools import cache
from hashlib import sha256
from typing import Any

import orjson
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from revops.options.v1 import options_pb2 as options
from revops.quoting.v1 import quotes_pb2 as pb

from revops_mesh.kernel.contract import described, facts

BOOKKEEPING = frozenset(
    {"etag", "state", "stale_price_entry", "superseded_by", "close_reason", "content_hash", "last_line_number", "approval"}
)  # fmt: skip
"""Fields of a quote that promise nothing. Instants promise nothing either: the promised one is the day `valid_until`."""


def content_hash(quote: pb.Quote) -> str:
    """The hash of everything that a quote prices and promises.

    Personal data is left out, so that its erasure breaks no document; so are fields that need a permission, because who
    sees the rest could try values of a cost until the hash fits.
    """
    return sha256(orjson.dumps(_fields(quote))).hexdigest()


def _fields(message: Message) -> list[list[Any]]:
    left_out = _left_out(described(message))
    found: list[list[Any]] = []
    for field, value in message.ListFields():
        if field.number in left_out:
            continue
        if field.message_type is None:
            found.append([field.number, list(value) if field.is_repeated else value])
        elif field.is_repeated:
            found.append([field.number, [_fields(each) for each in value]])
        else:
            found.append([field.number, _fields(value)])
    return found


@cache
def _left_out(descriptor: Descriptor) -> frozenset[int]:
    """Numbers of the fields that are no part of the promise."""
    bookkeeping = BOOKKEEPING if descriptor is described(pb.Quote) else frozenset[str]()

    def outside(field: Any) -> bool:
        said = facts(field)
        instant = field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp"
        hidden = said.read_permission or said.data_class != options.Field.DATA_CLASS_UNSPECIFIED
        return field.name in bookkeeping or instant or bool(hidden)

    return frozenset(field.number for field in descriptor.fields if outside(field))
