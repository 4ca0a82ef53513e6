"""Runs named child processes and embedded servers: starts them in order, restarts what dies, stops in reverse order.

Times are seconds. Runs in the event loop of the main thread, which receives the signals.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Protocol, Self

from revops_mesh.local.errors import LocalError
from revops_mesh.local.mirror import Mirror
from revops_mesh.local.process import Process, last_lines

_log = logging.getLogger(__name__)
_POLL = 0.05
_READY_ANSWER = 5.0  # how long one question for readiness may take
_REPORTED_FAILURES = 5
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

Ready = Callable[[], Awaitable[bool]]
_Handler = Callable[[int, FrameType | None], object] | int | None


class Server(Protocol):
    """What is supervised: `Process`, `Postgres`, `Nats`; the calls may block and run in worker threads."""

    log: Path

    @property
    def running(self) -> bool: ...
    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


class Interrupted(LocalError):
    """The supervisor was asked to stop while something was starting."""


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a restart: doubling from `first` to `longest`, from the start after `healthy` seconds."""

    first: float = 0.2
    longest: float = 10.0
    healthy: float = 30.0

    def delay(self, failures: int) -> float:
        """The wait after the `failures`-th failure in a row, counted from 1."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 30))


@dataclass(frozen=True)
class Status:
    """One supervised unit at this moment; `pid` None while it is down, `restarts` counts those that succeeded."""

    name: str
    pid: int | None
    restarts: int


@dataclass
class _Unit:
    name: str
    server: Server
    restarts: int = 0
    failures: int = 0  # deaths and vain restarts without a healthy life between them
    keeper: asyncio.Task[None] | None = field(default=None, repr=False)


class Supervisor:
    """Use as `async with`: leaving it stops everything. SIGTERM or SIGINT end `wait()`; a second one kills at once.

    `log_dir` receives `<name>.log` of every child; `mirror` also copies it to stdout as it grows. `grace` is the time a
    child has between SIGTERM and SIGKILL. `report` is told of every failure and, each fifth time in a row, of the last
    20 lines of the log.
    """

    def __init__(
        self,
        log_dir: Path,
        *,
        mirror: bool = False,
        grace: float = 10.0,
        backoff: Backoff | None = None,
        report: Callable[[str], None] = _log.warning,
    ) -> None:
        self._log_dir = log_dir
        self._mirror = Mirror() if mirror else None
        self._grace = grace
        self._backoff = backoff or Backoff()
        self._report = report
        self._units: list[_Unit] = []
        self._copier: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._hurrying = False
        self._replaced: dict[signal.Signals, _Handler] = {}

    async def __aenter__(self) -> Self:
        for number in _SIGNALS:
            self._replaced[number] = signal.getsignal(number)
            asyncio.get_running_loop().add_signal_handler(number, self._signalled)
        if self._mirror is not None:
            self._copier = asyncio.create_task(self._copy(self._mirror))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping.set()
        failures = [failure for unit in reversed(self._units) if (failure := await self._end(unit))]
        if self._copier is not None:
            self._ended.set()
            await self._copier
        for number, handler in self._replaced.items():
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, handler)
        if failures:
            raise ExceptionGroup("not everything could be stopped", failures)

    async def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        ready: Ready | None = None,
        ready_timeout: float = 60.0,
    ) -> None:
        """Starts and keeps a child; returns when `ready()` (asked until then, `OSError` means no) is true.

        `env` None means this process's. Raises `LocalError`: name taken, no such program, not ready in time (the child
        is still kept), and `Interrupted`.
        """
        process = Process(name, argv, log=self._log_dir / f"{name}.log", env=env, grace=self._grace)
        await self.adopt(name, process)
        if ready is None:
            return
        if not await self._becomes_ready(ready, ready_timeout):
            raise LocalError(f"{name} was not ready within {ready_timeout:g} s; its log ends:\n{last_lines(process.log)}")

    async def adopt(self, name: str, server: Server) -> None:
        """Starts and keeps a server that knows itself when it is ready. Raises what its `start` raises."""
        if any(unit.name == name for unit in self._units):
            raise LocalError(f"something named {name!r} is already supervised")
        self._refuse_if_stopping()
        unit = _Unit(name, server)
        self._units.append(unit)
        if self._mirror is not None:
            self._mirror.add(server.log)
        try:
            await asyncio.to_thread(server.start)
        except LocalError:
            self._units.remove(unit)
            raise
        unit.keeper = asyncio.create_task(self._keep(unit))
        self._refuse_if_stopping()

    async def wait(self) -> None:
        """Returns when SIGTERM or SIGINT has arrived or `request_stop` was called."""
        await self._stopping.wait()

    def request_stop(self) -> None:
        """Lets `wait` return; nothing that dies from now on is restarted."""
        self._stopping.set()

    def statuses(self) -> list[Status]:
        """Everything supervised, in the order of its start."""
        return [Status(unit.name, _pid(unit.server), unit.restarts) for unit in self._units]

    def _signalled(self) -> None:
        if self._stopping.is_set():
            self._hurrying = True
        self._stopping.set()

    def _refuse_if_stopping(self) -> None:
        if self._stopping.is_set():
            raise Interrupted("stopped before everything was started")

    async def _keep(self, unit: _Unit) -> None:
        while (lived := await self._lifetime(unit)) is not None:
            if lived >= self._backoff.healthy:
                unit.failures = 0
            problem = f"ended with {unit.server.returncode} after {lived:.1f} s"
            while problem:
                unit.failures += 1
                delay = self._backoff.delay(unit.failures)
                self._report_failure(unit, problem, delay)
                if await _set_within(self._stopping, delay):
                    return
                problem = await self._restart(unit)

    async def _lifetime(self, unit: _Unit) -> float | None:
        """How long the unit has lived from now on, once it has ended; None when the supervisor stops first."""
        clock = asyncio.get_running_loop().time
        started = clock()
        while unit.server.running:
            if self._stopping.is_set():
                return None
            await asyncio.sleep(_POLL)
        return clock() - started

    async def _restart(self, unit: _Unit) -> str:
        """Empty when the unit runs again, else why it does not."""
        try:
            await asyncio.to_thread(unit.server.start)
        except (LocalError, OSError) as error:
            return f"cannot be restarted: {error}"
        unit.restarts += 1
        return ""

    def _report_failure(self, unit: _Unit, problem: str, delay: float) -> None:
        message = f"{unit.name} {problem}; restart in {delay:.1f} s"
        if unit.failures % _REPORTED_FAILURES == 0:
            log = unit.server.log
            message += f"; that was failure {unit.failures} in a row, its log {log} ends:\n{last_lines(log)}"
        self._report(message)

    async def _becomes_ready(self, ready: Ready, limit: float) -> bool:
        deadline = asyncio.get_running_loop().time() + limit
        while asyncio.get_running_loop().time() < deadline:
            with contextlib.suppress(OSError):  # a TimeoutError is one too
                async with asyncio.timeout(_READY_ANSWER):
                    if await ready():
                        return True
            await _set_within(self._stopping, _POLL)
            self._refuse_if_stopping()
        return False

    async def _end(self, unit: _Unit) -> Exception | None:
        """Stops one unit, at once when hurried; what went wrong is returned, so that the others are stopped too."""
        ending = asyncio.create_task(self._stop_after_keeper(unit))
        while not ending.done():
            if self._hurrying:
                await asyncio.to_thread(unit.server.kill)
            await asyncio.wait([ending], timeout=_POLL)
        try:
            await ending
        except Exception as error:
            return error
        return None

    async def _stop_after_keeper(self, unit: _Unit) -> None:
        try:
            if unit.keeper is not None:
                await unit.keeper  # ends by itself after the stop, at the latest when a restart under way is done
        finally:
            await asyncio.to_thread(unit.server.stop)

    async def _copy(self, mirror: Mirror) -> None:
        # A closed stdout ends the copying only: the logs have everything.
        with contextlib.suppress(BrokenPipeError):
            while not await _set_within(self._ended, _POLL):
                mirror.copy()
            mirror.copy()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    """Sleeps, but no longer than until the event; whether it is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


def _pid(server: Server) -> int | None:
    try:
        return server.pid
    except LocalError:
        return None
