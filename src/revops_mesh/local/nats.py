"""An embedded NATS server with JetStream on the loopback interface: started, stopped, killed and started again.

Times are seconds. Source: NATS configuration reference, section "jetstream" (sync_interval).
"""

import contextlib
import fcntl
import json
import os
import socket
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from revops_mesh.local import ports
from revops_mesh.local.binaries import find_nats
from revops_mesh.local.errors import LocalError
from revops_mesh.local.process import Process, last_lines
from revops_mesh.local.server import EmbeddedServer

_START_LIMIT = 30.0  # recovery of large streams included
_LOCK_LIMIT = 3.0  # for a server that has just lost its parent
_POLL = 0.005


class Nats(EmbeddedServer):
    """A NATS server whose streams live in `data_dir`; `port` 0 chooses one and keeps it over restarts.

    `durable=True` syncs every acknowledged message to disk. `settings` are lines of the configuration file in its
    own syntax, `jetstream.max_file` and the like for the JetStream block.
    """

    def __init__(self, data_dir: Path, *, port: int = 0, durable: bool = True, settings: Mapping[str, str] | None = None) -> None:
        super().__init__("NATS", data_dir, port)
        self.durable = durable
        self._settings = dict(settings or {})
        # Tells this server from another one that answers on the same port.
        self._server_name = f"revops-{uuid.uuid4().hex}"

    @property
    def url(self) -> str:
        return f"nats://{ports.LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Returns when the server accepts connections with JetStream enabled.

        Raises `LocalError`: already running, port taken, directory in use or not writable, disk full, no program,
        not ready within 30 s.
        """
        self._refuse_if_running()
        program = find_nats()
        configuration = self._configuration()
        process = Process(self._name, [str(program), "-c", str(configuration)], log=self.log, grace=10.0)
        with self._locked() as lock:
            ports.require_free(self.port, "NATS")
            self._process = process
            process.start(pass_fds=[lock])
        self._await_ready(process)

    def _configuration(self) -> Path:
        general = {"host": ports.LOOPBACK, "port": str(self.port), "server_name": self._server_name}
        jetstream = {"store_dir": json.dumps(str(self.data_dir))}
        if self.durable:
            jetstream["sync_interval"] = "always"
        for name, setting in self._settings.items():
            block, _, key = name.rpartition(".")
            (jetstream if block == "jetstream" else general)[key] = setting
        lines = [f"{name}: {setting}" for name, setting in general.items()]
        lines += ["jetstream {", *(f"  {name}: {setting}" for name, setting in jetstream.items()), "}", ""]
        path = self.data_dir / "nats.conf"
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines))
        except OSError as error:
            raise LocalError(f"cannot use {self.data_dir} for NATS: {error.strerror} ({error.filename})") from error
        return path

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        """A lock on the directory that the server inherits and so holds exactly as long as it lives.

        NATS itself does not notice a second server that writes to the same streams.
        """
        lock = os.open(self.data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + _LOCK_LIMIT
            while not _taken(lock):
                if time.monotonic() > deadline:
                    raise LocalError(f"{self.data_dir} is in use by another NATS: stop it or choose another directory")
                time.sleep(_POLL)
            yield lock
        finally:
            os.close(lock)

    def _await_ready(self, process: Process) -> None:
        deadline = time.monotonic() + _START_LIMIT
        while not self._ready():
            if not process.running:
                raise LocalError(f"NATS did not start: {self._diagnosis(process.output())}; its log is {self.log}")
            if time.monotonic() > deadline:
                process.kill()
                raise LocalError(
                    f"NATS was not ready within {_START_LIMIT:.0f} s: {last_lines(self.log, 3)}; its log is {self.log}"
                )
            time.sleep(_POLL)

    def _ready(self) -> bool:
        greeting = _greeting(self.port)
        return greeting.get("server_name") == self._server_name and bool(greeting.get("jetstream"))

    def _diagnosis(self, output: str) -> str:
        if "no space left" in output.lower() or "insufficient storage" in output.lower():
            return f"the disk of {self.data_dir} is full: free some space or choose another directory"
        if "permission denied" in output.lower():
            return f"no permission to use {self.data_dir}: change its owner or choose another directory"
        telling = [line for line in output.splitlines() if "[FTL]" in line or "[ERR]" in line or "nats-server:" in line]
        return " / ".join(telling or output.splitlines()[-3:]) or "it ended without a message"


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _greeting(port: int) -> dict[str, Any]:
    """What the server says on connection, `INFO {json}`; empty while there is none."""
    try:
        with socket.create_connection((ports.LOOPBACK, port), timeout=1) as connection:
            line = connection.makefile("rb").readline()
    except OSError:
        return {}
    return dict(json.loads(line[5:])) if line.startswith(b"INFO ") and line.endswith(b"\n") else {}
