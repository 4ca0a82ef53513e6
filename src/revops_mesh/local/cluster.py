"""The data directory of an embedded PostgreSQL: whose it is, how it is created, whether the programs fit it."""

import contextlib
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from revops_mesh.local.binaries import PostgresBinaries
from revops_mesh.local.errors import LocalError
from revops_mesh.local.spawn import Account, run

# Inside the server's processes, whose working directory is the data directory.
_SELF = Path("/proc/self/cwd")


@dataclass(frozen=True)
class Place:
    """How a server running as an account names a directory and from where it is started."""

    argument: Path
    cwd: Path


def server_account(data_dir: Path) -> Account | None:
    """Whom to become for a server on `data_dir`: None unless root, whom PostgreSQL refuses to run as.

    Root becomes the owner of an existing data directory, else `postgres`, else `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if (data_dir / "PG_VERSION").exists() and (owner := data_dir.stat().st_uid) != 0:
        return _account(owner)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return _account(pwd.getpwnam(name).pw_uid)
    raise LocalError("PostgreSQL refuses to run as root and there is neither a user postgres nor nobody to become")


def server_env() -> dict[str, str]:
    """The environment of PostgreSQL's programs: English messages, UTC, nothing inherited that changes them."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def place(directory: Path, account: Account | None) -> Place:
    """How `account` reaches `directory`.

    Below a directory closed to it (root's home, a test's 0700 temporary directory) it does so by its working
    directory, which root enters before it becomes `account`: no parent's permissions are changed.
    """
    if account is None or (closed := blocked_at(directory, account)) is None:
        return Place(directory, Path("/"))
    if not _SELF.exists():
        raise LocalError(f"{directory} is out of reach of {account.name}, because {closed} is closed: move it elsewhere")
    return Place(_SELF, directory)


def blocked_at(directory: Path, account: Account) -> Path | None:
    """The outermost parent of `directory` that `account` may not traverse by its mode bits, or None."""
    for parent in reversed(directory.resolve().parents):
        status = parent.stat()
        owner, group = status.st_uid == account.uid, status.st_gid == account.gid
        if not status.st_mode & (0o100 if owner else 0o010 if group else 0o001):
            return parent
    return None


def ensure_cluster(data_dir: Path, binaries: PostgresBinaries, account: Account | None, *, durable: bool) -> None:
    """Creates the cluster if `data_dir` is absent or empty, else checks that `binaries` can serve it.

    Creation happens beside it and ends with a rename, so an interrupted one leaves no half cluster. Raises
    `LocalError`: another major version, foreign files, not writable, disk full.
    """
    try:
        if (data_dir / "PG_VERSION").exists():
            _require_fit(data_dir, binaries)
        elif data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
            raise LocalError(f"{data_dir} is neither empty nor a PostgreSQL data directory: choose another one")
        else:
            _create(data_dir, binaries, account, durable=durable)
    except OSError as error:
        raise LocalError(f"cannot use {data_dir} as a data directory: {error.strerror} ({error.filename})") from error


def _require_fit(data_dir: Path, binaries: PostgresBinaries) -> None:
    made_by = (data_dir / "PG_VERSION").read_text().strip()
    if made_by != str(binaries.major):
        raise LocalError(
            f"{data_dir} was made by PostgreSQL {made_by}, but the programs in {binaries.bin_dir} are "
            f"{binaries.version}: set REVOPS_PG_BINDIR to programs of PostgreSQL {made_by} (and pg_dump the data "
            "with them), or move the directory away to start empty"
        )


def _create(data_dir: Path, binaries: PostgresBinaries, account: Account | None, *, durable: bool) -> None:
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    _remove_interrupted(data_dir)
    fresh = data_dir.with_name(f"{_fresh_prefix(data_dir)}{os.getpid()}")
    fresh.mkdir(mode=0o700)
    try:
        if account is not None:
            os.chown(fresh, account.uid, account.gid)
        _initdb(fresh, binaries, account, durable=durable)
        fresh.rename(data_dir)
    finally:
        if fresh.exists():
            shutil.rmtree(fresh, ignore_errors=True)


def _initdb(fresh: Path, binaries: PostgresBinaries, account: Account | None, *, durable: bool) -> None:
    where = place(fresh, account)
    argv = [str(binaries.bin_dir / "initdb"), "-D", str(where.argument), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    if binaries.major >= 17:
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        argv += ["--locale=C.UTF-8"]
    if not durable:
        argv.append("--no-sync")
    ended = run([*argv, "--no-instructions"], env=server_env(), cwd=where.cwd, account=account)
    if ended.returncode != 0:
        raise LocalError(f"cannot create a PostgreSQL data directory in {fresh.parent}: {diagnosis(ended.stderr, fresh)}")


def diagnosis(output: str, directory: Path) -> str:
    """What PostgreSQL's output says about its failure, with the remedy where it is known."""
    if "No space left on device" in output:
        free = shutil.disk_usage(directory.parent).free // 1024**2
        return f"the disk is full ({free} MB free at {directory.parent}): free some space or choose another directory"
    if "Cannot allocate memory" in output or "could not create shared memory" in output:
        return "not enough memory for shared_buffers: lower that setting or free memory"
    if "Permission denied" in output or "Read-only file system" in output or "wrong ownership" in output:
        return f"no permission to use {directory}: change its owner or choose another directory. {_essence(output)}"
    return _essence(output)


def _essence(output: str) -> str:
    lines = [line for line in output.strip().splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error:" in line or "DETAIL" in line or "child:" in line]
    return " / ".join(telling or lines[-5:]) or "it ended without a message"


def _fresh_prefix(data_dir: Path) -> str:
    return f".{data_dir.name}.initdb-"


def _remove_interrupted(data_dir: Path) -> None:
    for leftover in data_dir.parent.glob(f"{_fresh_prefix(data_dir)}*"):
        if not is_alive(int(leftover.name.rpartition("-")[2])):
            shutil.rmtree(leftover, ignore_errors=True)


def is_alive(pid: int) -> bool:
    """Whether a process with this pid exists, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _account(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # a number without a name, as in containers
        return Account(str(uid), uid, uid)
    return Account(entry.pw_name, uid, entry.pw_gid)
