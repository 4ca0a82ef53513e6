"""Turns into another program that receives a signal when its parent dies (Linux `PR_SET_PDEATHSIG`, see prctl(2)).

Executed by path, never imported by the package: `python -I -S child.py SIGNAL PARENT_PID UID:GID|- PROGRAM [ARG…]`.
It exits with 126 when the program may not be executed and 127 when it does not exist, like a shell.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(death_signal: int, parent: int, account: str, program: list[str]) -> None:
    """Drops to `account`, asks for the death signal and executes `program`; returns only by raising."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    if account != "-":
        uid, gid = map(int, account.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the change of user, which clears the setting.
    if prctl is not None and prctl(PR_SET_PDEATHSIG, death_signal) != 0:
        sys.exit("child: prctl(PR_SET_PDEATHSIG) failed")
    # The parent may have died before the request; then nobody would ever signal us.
    if os.getppid() != parent:
        sys.exit("child: the parent process has already ended")
    # Python ignores these two, and an ignored signal stays ignored in the program.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execv(program[0], program)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
    except OSError as error:
        print(f"child: {sys.argv[4]} as {sys.argv[3]}: {error.strerror}", file=sys.stderr)
        sys.exit(127 if isinstance(error, FileNotFoundError) else 126)
