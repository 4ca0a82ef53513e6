"""An installation that issues tokens, in processes of its own: a gateway before a member, or a member that serves HTTP itself."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import httpx

from revops_mesh.local.ports import free_port
from revops_mesh.runtime.keys import add_token_key
from tests.runtime.calling import ROOT, member_process

PATIENCE = 30.0


@dataclass(frozen=True)
class Installation:
    """Where it is, and the file with the keys of its tokens."""

    url: str
    keys: Path


@contextmanager
def installation(environ: Mapping[str, str], keys: Path, *, gateway: bool) -> Iterator[Installation]:
    """An installation over the database of a member's settings; `keys` is made if absent."""
    address, url = f"127.0.0.1:{(port := free_port())}", f"http://127.0.0.1:{port}"
    add_token_key(keys)
    own = {"REVOPS_TOKEN_ISSUER": url, "REVOPS_TOKEN_KEYS": str(keys)}
    if gateway:
        with member_process(environ, **own) as member, served_gateway(address, member.address):
            yield Installation(url, keys)
    else:
        with member_process(environ, **own, REVOPS_REST_ADDRESS=address):
            yield Installation(url, keys)


@contextmanager
def served_gateway(address: str, member: str, **more: str) -> Iterator[str]:
    """The URL of a gateway at an address, for a member at another."""
    process = subprocess.Popen(
        [sys.executable, "-m", "revops_mesh.cli", "gateway", "--address", address, "--member", member],
        env={**os.environ, "PYTHONPATH": "src:generated", "REVOPS_LOG_LEVEL": "WARNING", **more},
        cwd=ROOT,
    )
    url, deadline = f"http://{address}", monotonic() + PATIENCE
    try:
        while not _answers(url):
            if process.poll() is not None or monotonic() > deadline:
                raise AssertionError("the gateway does not answer")
            sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False
