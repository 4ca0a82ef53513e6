"""Messaging: events leave the outbox for the stream, come to reactions, and timers fire. Workers run until cancelled."""
