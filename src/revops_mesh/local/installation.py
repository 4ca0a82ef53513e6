"""The data directory of `revops up`: its keys and secrets, its servers' directories, and where they listen while they run."""

import base64
import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from revops_mesh.local.errors import LocalError
from revops_mesh.runtime.keys import add_token_key

DEFAULT = Path(".revops")


def given(environ: Mapping[str, str], name: str) -> str:
    """The text of a variable, or of the file that its `_FILE` names, as a secret store mounts it; "" if neither is set."""
    path = environ.get(f"{name}_FILE", "")
    return Path(path).read_text().strip() if path else environ.get(name, "").strip()


class Running(msgspec.Struct, frozen=True):
    """Where the servers of a running `revops up` are."""

    pid: int
    address: str
    """Host and port of the member's gRPC."""
    http: str
    """URL of the gateway."""
    database_url: str
    nats_url: str


@dataclass(frozen=True)
class Installation:
    """One data directory. Nothing of it is shared with another."""

    data: Path

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def nats(self) -> Path:
        return self.data / "nats"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def keys(self) -> Path:
        """Of the development issuer."""
        return self.data / "keys"

    def page_token_secret(self) -> Path:
        """The file with the secret that signs page tokens; made when absent. Raises `LocalError` when it cannot be."""
        path = self.data / "keys" / "page-tokens"
        try:
            self.keys.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(base64.b64encode(secrets.token_bytes(48)).decode())
        except OSError as error:
            raise LocalError(f"cannot write {path}: {error.strerror}") from error
        return path

    def token_keys(self) -> Path:
        """The file with the keys of the installation's own tokens; made when absent. Raises `LocalError` when it cannot be."""
        path = self.keys / "tokens.json"
        try:
            if not path.exists():
                add_token_key(path)
        except OSError as error:
            raise LocalError(f"cannot write {path}: {error.strerror}") from error
        return path

    def running(self) -> Running | None:
        """What runs on this directory, None when nothing does."""
        try:
            running = msgspec.json.decode(self._facts.read_bytes(), type=Running)
        except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
            return None
        return running if Path(f"/proc/{running.pid}").exists() or not Path("/proc/self").exists() else None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the directory, so that only one `revops up` runs on it. Raises `LocalError`: held, not writable."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LocalError(f"cannot use {self.data} as a data directory: {error.strerror} ({error.filename})") from error
        try:
            if not _locked(lock):
                running = self.running()
                by = f" (pid {running.pid}, gRPC on {running.address})" if running else ""
                raise LocalError(f"revops up runs on {self.data} already{by}: use it, stop it or choose another --data")
            yield
        finally:
            os.close(lock)

    @contextlib.contextmanager
    def announced(self, running: Running) -> Iterator[None]:
        """Tells other commands where everything is, as long as it is."""
        fresh = self._facts.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(running))
        fresh.replace(self._facts)
        try:
            yield
        finally:
            self._facts.unlink(missing_ok=True)

    @property
    def _facts(self) -> Path:
        return self.data / "running.json"


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
