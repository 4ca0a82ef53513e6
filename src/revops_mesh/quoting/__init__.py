"""Quoting: what is offered, and at which price."""
