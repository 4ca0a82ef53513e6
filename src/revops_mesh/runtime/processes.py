"""Processes of a member: several workers that share a port, and a watchdog in each. Times are seconds.

SO_REUSEPORT balances connections, not calls. Workers are executed and not forked, because gRPC does not survive a fork.
"""

import asyncio
import contextlib
import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from time import monotonic

STALLED_SECONDS, STALLED_EXIT = 10.0, 70
RESTART_SECONDS = 1.0

_log = logging.getLogger("revops.processes")


async def keep_workers(count: int, grace: float) -> None:
    """Runs `count` copies of this very command until SIGTERM or SIGINT, and starts anew those that end before."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await asyncio.gather(*(_keep(index, stop, grace) for index in range(count)))


async def _keep(index: int, stop: asyncio.Event, grace: float) -> None:
    environ = {**os.environ, "REVOPS_WORKER": str(index)}
    stopped = asyncio.ensure_future(stop.wait())
    while not stop.is_set():
        worker = await asyncio.create_subprocess_exec(sys.executable, *sys.orig_argv[1:], env=environ)
        ended = asyncio.ensure_future(worker.wait())
        await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            _log.error("worker %d ended with %s and starts anew", index, ended.result())
            await asyncio.wait((stopped,), timeout=RESTART_SECONDS)
        elif not ended.done():
            worker.terminate()
            await asyncio.wait((ended,), timeout=grace)
            if not ended.done():
                worker.kill()
                await ended


@contextlib.contextmanager
def watchdog(loop: asyncio.AbstractEventLoop, stalled: float = STALLED_SECONDS) -> Iterator[None]:
    """Ends the process with code 70, and the stacks on standard error, when the loop stands still for so long."""
    ticked, done, pause = monotonic(), threading.Event(), stalled / 10

    def tick() -> None:
        nonlocal ticked
        ticked = monotonic()
        loop.call_later(pause, tick)

    def watch() -> None:
        nonlocal ticked
        before = monotonic()
        while not done.wait(pause):
            now = monotonic()
            if now - before > 3 * pause:  # the whole process stood still, as by SIGSTOP: not the loop's fault
                ticked = now
            if now - ticked > stalled:
                faulthandler.dump_traceback(all_threads=True)
                os._exit(STALLED_EXIT)
            before = now

    loop.call_soon(tick)
    threading.Thread(target=watch, name="watchdog", daemon=True).start()
    try:
        yield
    finally:
        done.set()
