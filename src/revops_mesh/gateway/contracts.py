"""The services of the contracts, from their generated code: a gateway knows nothing else of a member."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import revops
from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor


def services() -> list[ServiceDescriptor]:
    """Every service of every contract, in the order of their files."""
    return [service for file in _files() for service in file.services_by_name.values()]


def _files() -> Iterator[FileDescriptor]:
    for root in map(Path, revops.__path__):
        for path in sorted(root.rglob("*_pb2.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            yield import_module(f"{revops.__name__}.{name}").DESCRIPTOR
