"""Turns into a server that runs under its account and ends with the process that wanted it.

Run as a script by `process.py`, in a child of its own, because this is no work for the time
between fork and exec of a process with threads:

    python -I -S launcher.py PARENT DEATH_SIGNAL UID GID PROGRAM ARGUMENT…
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Never returns: either the server runs in this process, or the exit status is not 0."""
    parent, death_signal, uid, gid = map(int, arguments[:4])
    command = arguments[4:]
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    if sys.platform == "linux":
        # Only after the account has changed: that change clears the wish.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            sys.exit(f"process {parent} ended before its server started")
    os.execv(command[0], command)  # noqa: S606 - the point is to become the server


if __name__ == "__main__":
    main(sys.argv[1:])
