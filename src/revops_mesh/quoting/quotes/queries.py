"""Conditions over the columns of quotes; `$1` is the tenant."""

from revops.quoting.v1 import quotes_pb2 as pb

DRAFTS_PRICED_WITH = f"state={pb.Quote.STATE_DRAFT:d} AND price_entries @> ARRAY[$2::text] AND name > $3"
"""Drafts that use the price entry `$2`, after the name `$3`."""
