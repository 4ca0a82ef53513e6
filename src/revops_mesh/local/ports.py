"""TCP ports of the loopback interface: choose a free one, refuse a taken one by name, ask whether one answers."""

import errno
import random
import socket
from pathlib import Path

from revops_mesh.local.errors import LocalError

LOOPBACK = "127.0.0.1"
# Below the ephemeral ranges of Linux (32768…) and macOS (49152…): while a server restarts, no outgoing connection can
# be given its port, and a client that redials it cannot connect to itself.
_CHOICE = range(20_000, 32_768)
_LISTEN = "0A"


def free_port() -> int:
    """A port nobody listens on at this moment, 20000…32767; not reserved. Raises `LocalError` after 200 tries."""
    # SystemRandom: parallel test workers may have seeded the shared generator alike.
    for port in random.SystemRandom().choices(_CHOICE, k=200):
        if _bind_error(port) is None:
            return port
    raise LocalError(f"no free TCP port found between {_CHOICE.start} and {_CHOICE.stop - 1} on {LOOPBACK}")


def chosen_port(port: int, server: str) -> int:
    """`port` itself, or a free one for 0. Raises `LocalError` outside 0…65535."""
    if not 0 <= port <= 65_535:
        raise LocalError(f"port of {server} must be 1…65535, or 0 to choose a free one; got {port}")
    return port or free_port()


def require_free(port: int, server: str) -> None:
    """Raises `LocalError`, naming the process that holds the port where the system tells, unless `server` can bind."""
    match _bind_error(port):
        case None:
            return
        case errno.EADDRINUSE:
            holder = _holder(port)
            by = f" by {holder}" if holder else ""
            raise LocalError(f"port {port} for {server} is taken{by}: stop that process or choose another port")
        case errno.EACCES:
            raise LocalError(f"port {port} for {server} needs root: choose a port above 1023")
        case code:
            raise LocalError(f"port {port} for {server} cannot be bound on {LOOPBACK}: {errno.errorcode.get(code, code)}")


def answers(port: int, timeout: float = 0.5) -> bool:
    """Whether something accepts connections on the loopback port within `timeout` seconds."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=timeout).close()
    except OSError:
        return False
    return True


def _bind_error(port: int) -> int | None:
    with socket.socket() as probe:
        # As servers do: a connection in TIME_WAIT does not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            return error.errno or errno.EINVAL
    return None


def _holder(port: int) -> str:
    """The listening process as "name (pid n)"; empty where /proc does not tell (other system, other user)."""
    inodes = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listening(Path("/proc/net") / table, port)}
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        try:
            if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            continue  # another user's process, or one that has just ended
    return ""


def _listening(table: Path, port: int) -> list[str]:
    if not table.exists():
        return []
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return [row[9] for row in rows if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port]
