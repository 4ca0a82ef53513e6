"""An embedded PostgreSQL on the loopback interface: created, started, stopped, killed and started again.

For development, demonstrations and tests; everybody on the machine may connect without a password. Times are seconds.
Sources: PostgreSQL 18 manual, "postmaster.pid" in section 66.1 and "Shutting Down the Server" in section 18.5.
"""

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from revops_mesh.local import ports
from revops_mesh.local.binaries import PostgresBinaries, find_postgres
from revops_mesh.local.cluster import diagnosis, ensure_cluster, is_alive, place, server_account, server_env
from revops_mesh.local.errors import LocalError
from revops_mesh.local.process import Process
from revops_mesh.local.server import EmbeddedServer
from revops_mesh.local.spawn import Account

_START_LIMIT = 60.0  # recovery after a crash included
_PREDECESSOR_LIMIT = 15.0  # for a server that is shutting down or has lost its parent
_STOP_GRACE = 30.0
_POLL = 0.01
_STATE_LINE = 7  # of postmaster.pid, counted from 0
# Shown in the process's arguments, so that a reused pid is told from a server on this directory.
_MARK = "revops.data_dir"


class Postgres(EmbeddedServer):
    """A PostgreSQL server on `data_dir`, which is created when absent; `port` 0 chooses one and keeps it.

    `durable=False` gives up safety against a crash of the machine for the speed of tests. `settings` are
    postgresql.conf parameters and win over ours.
    """

    def __init__(self, data_dir: Path, *, port: int = 0, durable: bool = True, settings: Mapping[str, str] | None = None) -> None:
        super().__init__("PostgreSQL", data_dir, port)
        self.durable = durable
        self._settings = dict(settings or {})

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        """The connection URL for a database and a login; both need to exist only when it is used."""
        return f"postgresql://{quote(user, safe='')}@{ports.LOOPBACK}:{self.port}/{quote(database, safe='')}"

    def start(self) -> None:
        """Returns when the server accepts connections, after recovery if it had crashed.

        Raises `LocalError`: already running, port taken, directory in use, of another major version, not writable,
        disk full, no programs, not ready within 60 s.
        """
        self._refuse_if_running()
        account = server_account(self.data_dir)
        binaries = find_postgres(account)
        ensure_cluster(self.data_dir, binaries, account, durable=self.durable)
        self._await_predecessor()
        ports.require_free(self.port, "PostgreSQL")
        self._process = self._server(binaries, account)
        self._launch(self._process)

    def kill(self) -> None:
        """SIGKILL to the postmaster and its backends; the next start recovers what was committed."""
        if self._process is None or not self._process.running:
            return
        backends = _children(self._process.pid)
        super().kill()
        for pid in backends:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _server(self, binaries: PostgresBinaries, account: Account | None) -> Process:
        where = place(self.data_dir, account)
        argv = [str(binaries.bin_dir / "postgres"), "-D", str(where.argument)]
        for name, setting in self._parameters(binaries).items():
            argv += ["-c", f"{name}={setting}"]
        return Process(
            self._name,
            argv,
            log=self.log,
            env=server_env(),
            cwd=where.cwd,
            account=account,
            grace=_STOP_GRACE,
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for clients to leave
            death_signal=signal.SIGINT,
        )

    def _parameters(self, binaries: PostgresBinaries) -> dict[str, str]:
        parameters = {
            "listen_addresses": ports.LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "wal_level": "logical",
            "shared_buffers": "256MB" if self.durable else "128MB",
            "synchronous_commit": "on" if self.durable else "off",
            _MARK: str(self.data_dir),
        }
        if not self.durable:
            parameters |= {"fsync": "off", "full_page_writes": "off"}
        if binaries.has_library("pg_stat_statements"):
            parameters["shared_preload_libraries"] = "pg_stat_statements"
        return parameters | self._settings

    def _launch(self, process: Process) -> None:
        begun = time.monotonic()
        process.start()
        while not self._ready(process):
            waited = time.monotonic() - begun
            if waited > _START_LIMIT:
                process.kill()
                raise LocalError(f"PostgreSQL was not ready within {_START_LIMIT:.0f} s; its log is {self.log}")
            if not process.running:
                self._retry_or_refuse(process, may_retry=waited < _PREDECESSOR_LIMIT)
            time.sleep(_POLL)

    def _retry_or_refuse(self, process: Process, *, may_retry: bool) -> None:
        output = process.output()
        # Backends of a killed postmaster notice its end only when they next wait.
        if "is still in use" in output and may_retry:
            time.sleep(0.1)
            process.start()
            return
        if "could not bind" in output:
            ports.require_free(self.port, "PostgreSQL")
        raise LocalError(f"PostgreSQL did not start: {diagnosis(output, self.data_dir)}; its log is {self.log}")

    def _ready(self, process: Process) -> bool:
        lines = self._lock_file()
        # A killed server leaves a file that says "ready" too, under its own pid.
        return (
            process.running
            and len(lines) > _STATE_LINE
            and lines[0] == str(process.pid)
            and lines[_STATE_LINE].strip() == "ready"
        )

    def _lock_file(self) -> list[str]:
        try:
            return (self.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _await_predecessor(self) -> None:
        """Waits for a server on this directory that is about to end; refuses one that stays; forgives a reused pid."""
        deadline = time.monotonic() + _PREDECESSOR_LIMIT
        while (lines := self._lock_file()) and lines[0].isdigit() and is_alive(int(lines[0])):
            pid = int(lines[0])
            if not _serves(pid, self.data_dir):
                self._disown(lines)
                return
            stopping = len(lines) > _STATE_LINE and lines[_STATE_LINE].strip() == "stopping"
            # A server whose parent was killed is told to stop at once; give it two seconds to say so.
            if time.monotonic() > deadline - (0 if stopping else _PREDECESSOR_LIMIT - 2):
                raise LocalError(f"{self.data_dir} is in use by PostgreSQL pid {pid}: stop it or choose another directory")
            time.sleep(_POLL)

    def _disown(self, lines: list[str]) -> None:
        """Replaces the pid in a stale lock file that now belongs to an unrelated process.

        PostgreSQL would refuse to start. Our own pid, its parent's, it takes for stale, and still checks by the rest
        of the file that no backend of the dead server holds its shared memory; without the file it could not.
        """
        (self.data_dir / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")


def _serves(pid: int, data_dir: Path) -> bool:
    """Whether the process is a PostgreSQL on `data_dir`; assumed where /proc does not tell."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return not Path("/proc/self").exists()
    program = Path(arguments[0]).name
    return program == "postgres" and (str(data_dir) in arguments or f"{_MARK}={data_dir}" in arguments)


def _children(parent: int) -> list[int]:
    """Pids of the direct children, by /proc; none where there is no /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # "pid (name) state ppid …"; the name may contain spaces and parentheses.
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found
