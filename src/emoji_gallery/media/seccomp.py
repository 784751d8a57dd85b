"""A system call filter for children: no sockets, no programs, no new processes, no file writes.

It is a list of what is denied, laid under everything else: what a decoder needs stays allowed.
Denied calls fail with an error code instead of ending the child, so that libraries which merely
probe for a feature go on without it.
"""

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass
from typing import Final

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_JUMP_ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_FAIL: Final = 0x00050000

_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_OTHER_ABI: Final = 0x40000000
_CLONE_THREAD: Final = 0x00010000
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_SET_MODE_FILTER: Final = 1
_ALL_THREADS: Final = 1

# fmt: off
_DENIED: Final = {
    # name: (x86-64, arm64); None where the architecture has no such call.
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242),
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438), "io_uring_setup": (425, 425), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "unshare": (272, 97), "setns": (308, 268), "open_by_handle_at": (304, 265),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "creat": (85, None), "truncate": (76, 45), "mknod": (133, None), "mknodat": (259, 33),
    "unlink": (87, None), "unlinkat": (263, 35), "mkdir": (83, None), "mkdirat": (258, 34),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276),
    "link": (86, None), "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchownat": (260, 54),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class _Architecture:
    audit: int
    column: int
    seccomp: int
    clone: int
    clone3: int
    openat: int
    openat2: int
    open: int | None


_ARCHITECTURES: Final = {
    "x86_64": _Architecture(0xC000003E, 0, 317, 56, 435, 257, 437, 2),
    "aarch64": _Architecture(0xC00000B7, 1, 277, 220, 435, 56, 437, None),
}


def install() -> bool:
    """Put the filter on every thread of this process; False where that is not possible.

    The process must have given up gaining privileges (`PR_SET_NO_NEW_PRIVS`) before.
    """
    architecture = _ARCHITECTURES.get(platform.machine())
    if architecture is None:
        return False
    program = _program(architecture)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    answer = libc.syscall(
        architecture.seccomp, _SET_MODE_FILTER, _ALL_THREADS, ctypes.c_char_p(header)
    )
    return bool(answer == 0)


def _program(architecture: _Architecture) -> bytes:
    """Assemble the filter. Each test stands alone, so jumps never leave their own few lines."""
    refuse, missing = _FAIL | errno.EPERM, _FAIL | errno.ENOSYS
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_AT_LEAST, 0, 1, _OTHER_ABI),
        (_RETURN, 0, 0, refuse),
    ]
    for numbers in _DENIED.values():
        number = numbers[architecture.column]
        if number is not None:
            lines += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, refuse)]
    # Both have a predecessor whose arguments can be looked at, which libc falls back to.
    for number in (architecture.clone3, architecture.openat2):
        lines += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, missing)]
    lines += _unless_bit(architecture.clone, argument=0, bits=_CLONE_THREAD, code=refuse)
    lines += _if_bit(architecture.openat, argument=2, bits=_WRITING, code=refuse)
    if architecture.open is not None:
        lines += _if_bit(architecture.open, argument=1, bits=_WRITING, code=refuse)
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _if_bit(number: int, *, argument: int, bits: int, code: int) -> list[tuple[int, int, int, int]]:
    return [
        (_JUMP_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument),
        (_JUMP_ANY_BIT, 0, 1, bits),
        (_RETURN, 0, 0, code),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _unless_bit(
    number: int, *, argument: int, bits: int, code: int
) -> list[tuple[int, int, int, int]]:
    return [
        (_JUMP_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument),
        (_JUMP_ANY_BIT, 1, 0, bits),
        (_RETURN, 0, 0, code),
        (_RETURN, 0, 0, _ALLOW),
    ]
