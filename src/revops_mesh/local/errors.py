"""The one error of local servers: what is wrong and what the reader can do about it."""


class LocalError(RuntimeError):
    """A local server or child process cannot run; the message names the cause and the remedy."""
