"""Compares what the options of a contract say with what those of the released one said.

buf compares types and names but not custom options: a changed permission passes it. So every such change has to be
announced, by the full name of what changed, under the unreleased heading of the changelog.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from google.protobuf import text_format
from google.rpc import code_pb2

from revops_mesh.contracts.model import CODE, FIELD, HTTP, POLICY, RATE, RESOURCE, Contract, Element

COMPARED = (POLICY, RESOURCE, FIELD, CODE, RATE, HTTP)

UNRELEASED = re.compile(r"^##\s+\[?unreleased\]?.*?$(.*?)(?=^##\s|\Z)", re.IGNORECASE | re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Change:
    """One option of one element that no longer says what it said; `now` or `released` is empty if unset."""

    element: Element
    option: str
    released: str
    now: str

    def __str__(self) -> str:
        option = self.option.rpartition(".")[2]
        was, now = self.released or "unset", self.now or "unset"
        return f"protos/{self.element.place}: {self.element.full_name}: {option} was {was}, is {now}"


def changes(current: Contract, released: Contract) -> list[Change]:
    """Changed options of elements that both have. New ones change nothing for a caller; removed ones buf refuses."""
    before = {element.full_name: element for element in released.elements()}
    found = []
    for element in current.elements():
        if (earlier := before.get(element.full_name)) is None:
            continue
        for option in COMPARED:
            was, now = _text(earlier, option), _text(element, option)
            if was != now:
                found.append(Change(element, option, was, now))
    return found


def unannounced(found: list[Change], changelog: str) -> list[Change]:
    """Those changes whose element no line below the unreleased heading of the changelog names in full."""
    section = UNRELEASED.search(changelog)
    text = section.group(1) if section else ""
    return [change for change in found if not _names(text, change.element.full_name)]


def _names(text: str, full_name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(full_name)}(?!\w|\.\w)", text) is not None


def _text(element: Element, option: str) -> str:
    value: Any = element.options.get(option)
    if value is None:
        return ""
    if option == CODE:
        return str(code_pb2.Code.Name(value))
    return text_format.MessageToString(value, as_one_line=True)
