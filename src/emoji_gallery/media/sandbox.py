"""What a child takes from itself before it touches a stranger's bytes.

Each measure is taken where the system allows it; `lock_down` answers which are in force. The
parent's own bounds, the clock and the kill, do not depend on any of them.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from typing import Final

from emoji_gallery.media import seccomp

_STRANGER: Final = 65_533
"""An account that owns nothing: not even `nobody`, who may own the embedded servers' files."""

_ADDRESS_SPACE_FACTOR: Final = 4
_OPEN_FILES: Final = 64
_CPU_SECONDS: Final = 900

_NEW_NETWORK: Final = 0x40000000
_SET_PARENT_DEATH_SIGNAL: Final = 1
_SET_DUMPABLE: Final = 4
_SET_NO_NEW_PRIVILEGES: Final = 38


def leave_network() -> bool:
    """Enter a network namespace with no way out. Only before the process has other threads."""
    return _system_call("unshare", _NEW_NETWORK)


def lock_down(*, data_bytes: int, parent: int) -> list[str]:
    """Give up memory, files, account and calls, for good; answer the names of what is in force.

    Everything that a job needs must be loaded before: afterwards the account may be unable to
    read the interpreter's own files. Ends the process where the parent is gone already.
    """
    _bound(resource.RLIMIT_DATA, data_bytes)
    _bound(resource.RLIMIT_AS, data_bytes * _ADDRESS_SPACE_FACTOR)
    _bound(resource.RLIMIT_CPU, _CPU_SECONDS)
    _bound(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _bound(resource.RLIMIT_FSIZE, 0)
    _bound(resource.RLIMIT_CORE, 0)
    in_force = ["limits"]
    if _become_stranger():
        in_force.append("account")
    # The kernel forgets both of these when the account changes, so they come after it.
    _system_call("prctl", _SET_DUMPABLE, 0, 0, 0, 0)
    _system_call("prctl", _SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)
    if _system_call("prctl", _SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) and seccomp.install():
        in_force.append("calls")
    return in_force


def _bound(kind: int, value: int) -> None:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (value, value))


def _become_stranger() -> bool:
    """Change from root to an account that owns nothing; any other account stays what it is."""
    if os.geteuid() != 0:
        return False
    os.setgroups([])
    os.setgid(_STRANGER)
    os.setuid(_STRANGER)
    return True


def _system_call(name: str, *arguments: int) -> bool:
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except AttributeError:
        return False
    return bool(function(*(ctypes.c_ulong(argument) for argument in arguments)) == 0)
