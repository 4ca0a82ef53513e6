"""One child process with a log file: started, watched, stopped gently or killed, started again."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from revops_mesh.local.errors import LocalError
from revops_mesh.local.spawn import Account, spawn

_POLL = 0.005
_LOG_LIMIT = 16 * 1024 * 1024  # bytes; a larger log is set aside at the next start


class Process:
    """A program whose stdout and stderr are appended to `log`; it dies with this process by `death_signal`.

    `env` None means this process's environment. Times are seconds.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        account: Account | None = None,
        grace: float = 10.0,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.name = name
        self.log = log
        self._argv = list(argv)
        self._env = env
        self._cwd = cwd
        self._account = account
        self._grace = grace
        self._stop_signal = stop_signal
        self._death_signal = death_signal
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._lock = threading.Lock()  # stop and kill may meet

    @property
    def running(self) -> bool:
        return not self._has_ended()

    @property
    def pid(self) -> int:
        """Raises `LocalError` when the process does not run."""
        if self._popen is None or not self.running:
            raise LocalError(f"{self.name} is not running")
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """Exit code of the last run, negative for the signal that ended it; None while running or never started."""
        return self._popen.returncode if self._has_ended() and self._popen else None

    def start(self, pass_fds: Sequence[int] = ()) -> None:
        """Raises `LocalError` when already running, without such a program or when the log cannot be written."""
        if self.running:
            raise LocalError(f"{self.name} is already running as pid {self.pid}")
        with _opened(self.log) as output:
            self._log_start = output.tell()
            self._popen = spawn(
                self._argv,
                output=output,
                env=os.environ if self._env is None else self._env,
                cwd=self._cwd,
                account=self._account,
                death_signal=self._death_signal,
                pass_fds=pass_fds,
            )

    def stop(self) -> None:
        """Asks the process to end, waits for the grace, then kills it; quietly ends if none runs."""
        deadline = time.monotonic() + self._grace
        self._send(self._stop_signal)
        while self.running and time.monotonic() < deadline:
            time.sleep(_POLL)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the process, and waits for its end; quietly ends if none runs."""
        self._send(signal.SIGKILL)
        while self.running:
            time.sleep(_POLL)

    def _send(self, number: signal.Signals) -> None:
        with self._lock:
            if self._popen is not None and not _collected(self._popen):
                os.kill(self._popen.pid, number)

    def _has_ended(self) -> bool:
        with self._lock:
            return self._popen is None or _collected(self._popen)

    def output(self) -> str:
        """What the current or last run wrote, up to its last 64 KiB."""
        if not self.log.exists():
            return ""
        return _read_end(self.log, self._log_start)


def _collected(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has ended. What it leaves behind in its group is killed, so that no next life meets it.

    Only then its exit code is collected: until that moment its number cannot belong to another group.
    """
    if process.returncode is not None:
        return True
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        return process.poll() is not None
    if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


def last_lines(log: Path, count: int = 20) -> str:
    """The last `count` lines of a log file; empty when there is none."""
    return "\n".join(_read_end(log).splitlines()[-count:]) if log.exists() else ""


def _read_end(log: Path, start: int = 0) -> str:
    with log.open("rb") as text:
        size = text.seek(0, os.SEEK_END)
        text.seek(max(start, size - 65_536))
        return text.read().decode(errors="replace")


def _opened(log: Path) -> IO[bytes]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_name(log.name + ".1"))
        return log.open("ab")
    except OSError as error:
        raise LocalError(f"cannot write the log {log}: {error.strerror}") from error
