"""What the embedded servers share: a data directory, a log beside it, a kept port, one process at a time."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from revops_mesh.local import ports
from revops_mesh.local.errors import LocalError
from revops_mesh.local.process import Process


class EmbeddedServer(ABC):
    """A server for development and tests; as a context manager it runs inside the block.

    It dies with this process. Not for use from two threads at once, except that `kill` ends a `start` under way.
    """

    def __init__(self, kind: str, data_dir: Path, port: int) -> None:
        self.data_dir = data_dir.absolute()
        self.log = self.data_dir.with_name(self.data_dir.name + ".log")
        self.port = ports.chosen_port(port, kind)
        self._name = f"{kind} on {self.data_dir}"
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    @property
    def returncode(self) -> int | None:
        """Exit code of the last run, negative for the signal that ended it; None while running or never started."""
        return self._process.returncode if self._process else None

    @property
    def pid(self) -> int:
        """Of the server's main process. Raises `LocalError` when it does not run."""
        if self._process is None:
            raise LocalError(f"{self._name} is not running")
        return self._process.pid

    @abstractmethod
    def start(self) -> None:
        """Returns when the server is ready; raises `LocalError` when it cannot be."""

    def stop(self) -> None:
        """Shuts down cleanly, after the server's grace by force; quietly ends if none runs."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """SIGKILL; the next start recovers what was acknowledged."""
        if self._process is not None:
            self._process.kill()

    def _refuse_if_running(self) -> None:
        if self.running:
            raise LocalError(f"{self._name} is already running as pid {self.pid}")
