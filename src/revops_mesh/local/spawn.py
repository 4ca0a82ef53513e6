"""Starts programs that die with this process, if need be under another account.

Between the fork and the program stands `child.py` (12 ms) instead of a `preexec_fn` or `Popen(user=…)`: both of those
leave the vfork path, and a plain fork in a process with gRPC's threads runs their fork handlers and can deadlock.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from revops_mesh.local.errors import LocalError

_Start = Callable[[], subprocess.Popen[bytes]]
_WRAPPER = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class Account:
    """A system user that a program runs as."""

    name: str
    uid: int
    gid: int


def spawn(
    argv: Sequence[str],
    *,
    output: IO[bytes],
    env: Mapping[str, str],
    cwd: Path | None = None,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Starts `argv` in its own session, so that Ctrl-C reaches only us; `death_signal` arrives when this process ends.

    The returned pid is the program's own. Raises `LocalError` when it cannot be started.
    """
    command = _wrapped(argv, account, death_signal, env)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(env),
            cwd=cwd,
            pass_fds=pass_fds,
            start_new_session=True,
        )

    try:
        return _forker().submit(start)
    except OSError as error:  # of the working directory, or no memory or process slot left
        raise LocalError(f"cannot start {argv[0]!r}: {error.strerror} ({error.filename})") from error


def run(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, account: Account | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `argv` to its end and returns its exit code and text output; the code is not checked."""
    command = _wrapped(argv, account, signal.SIGKILL, env)
    return subprocess.run(command, env=dict(env), cwd=cwd, capture_output=True, text=True, errors="replace", check=False)


def _wrapped(argv: Sequence[str], account: Account | None, death_signal: signal.Signals, env: Mapping[str, str]) -> list[str]:
    program = shutil.which(argv[0], path=env.get("PATH"))
    if program is None:
        raise LocalError(f"cannot start {argv[0]!r}: no such executable file, neither as a path nor on PATH")
    who = f"{account.uid}:{account.gid}" if account else "-"
    wrapper = [sys.executable, "-I", "-S", str(_WRAPPER), str(int(death_signal)), str(os.getpid()), who]
    return [*wrapper, os.path.abspath(program), *argv[1:]]


class _Forker:
    """One thread that does all forks and never ends.

    Linux sends the parent-death signal when the *thread* that forked ends; a server started from a short-lived
    worker thread would otherwise be killed in mid-flight.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._jobs: SimpleQueue[tuple[_Start, Future[subprocess.Popen[bytes]]]] = SimpleQueue()
        threading.Thread(target=self._serve, name="spawn", daemon=True).start()

    def submit(self, start: _Start) -> subprocess.Popen[bytes]:
        result: Future[subprocess.Popen[bytes]] = Future()
        self._jobs.put((start, result))
        return result.result()

    def _serve(self) -> None:
        while True:
            start, result = self._jobs.get()
            try:
                result.set_result(start())
            except BaseException as error:  # every error belongs to the caller who waits for the result
                result.set_exception(error)


_lock = threading.Lock()
_current: _Forker | None = None


def _forker() -> _Forker:
    global _current
    with _lock:
        # A forked copy of this process has no copy of the thread.
        if _current is None or _current.pid != os.getpid():
            _current = _Forker()
        return _current
