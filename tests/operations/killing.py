"""Death of a runner at any of its calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from revops_mesh.kernel.pipeline import Kernel


class Killed(BaseException):
    """The process dies here: nothing after this point runs, as after a kill -9."""


@contextmanager
def killed(kernel: Kernel, at: int, *, after: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Kills the runner before or after its n-th call, from 1; gives the calls that were made."""
    inner, made = kernel.answer, list[str]()

    async def answer(path: str, request: Any, arrival: Any) -> Any:
        made.append(path.rpartition("/")[2])
        if len(made) == at and not after:
            raise Killed
        found = await inner(path, request, arrival)
        if len(made) == at:
            raise Killed
        return found

    with monkeypatch.context() as patched:
        patched.setattr(kernel, "answer", answer)
        yield made
