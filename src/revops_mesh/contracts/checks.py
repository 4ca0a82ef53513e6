"""The rules of a contract that buf cannot know, over descriptors."""

from __future__ import annotations

from revops_mesh.contracts.method_checks import METHOD_CHECKS
from revops_mesh.contracts.model import Contract
from revops_mesh.contracts.state_checks import STATE_CHECKS


def problems(contract: Contract) -> list[str]:
    """What is wrong with a contract, each as `file:line: full name: reason`, in the order of files and lines."""
    found = [problem for check in (*METHOD_CHECKS, *STATE_CHECKS) for problem in check(contract)]
    lines = {f"protos/{element.place}: {element.full_name}: {reason}": element.place for element, reason in found}
    return sorted(lines, key=lambda line: (_position(lines[line]), line))


def _position(place: str) -> tuple[str, int]:
    file, _, line = place.partition(":")
    return file, int(line or 0)
