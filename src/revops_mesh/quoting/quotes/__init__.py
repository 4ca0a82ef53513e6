"""Quotes: an offer to one account, priced on the server, and its frozen versions."""
