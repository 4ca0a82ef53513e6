"""The connection of a process to the stream."""

from revops_mesh.messaging.stream import Stream


async def test_a_connection_that_nobody_used_closes_without_a_word() -> None:
    """As in a member that only answers calls."""
    await Stream("nats://127.0.0.1:1").close()
