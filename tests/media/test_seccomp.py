"""The call filter's program, run by a small interpreter: also for machines that are not at hand."""

import errno
import os
import struct

import pytest

from emoji_gallery.media import seccomp

ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSE, MISSING = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
X86_64, ARM64 = seccomp._ARCHITECTURES["x86_64"], seccomp._ARCHITECTURES["aarch64"]
THREAD = 0x00010000


def verdict(
    architecture: seccomp._Architecture,
    number: int,
    *arguments: int,
    audit: int | None = None,
) -> int:
    """Run the program on a `struct seccomp_data` (seccomp(2))."""
    program = seccomp._program(architecture)
    lines = list(struct.iter_unpack("HBBI", program))
    values = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("IIQ6Q", number, audit or architecture.audit, 0, *values)
    at, loaded = 0, 0
    while True:
        code, if_true, if_false, operand = lines[at]
        at += 1
        if code == 0x06:
            return int(operand)
        if code == 0x20:
            (loaded,) = struct.unpack_from("I", data, operand)
            continue
        holds = {0x15: loaded == operand, 0x35: loaded >= operand, 0x45: bool(loaded & operand)}
        at += if_true if holds[code] else if_false


@pytest.mark.parametrize("architecture", [X86_64, ARM64])
def test_every_denied_call_is_refused(architecture: seccomp._Architecture) -> None:
    numbers = [numbers[architecture.column] for numbers in seccomp._DENIED.values()]
    known = [number for number in numbers if number is not None]
    assert len(set(known)) == len(known) > 30
    assert {verdict(architecture, number) for number in known} == {REFUSE}


@pytest.mark.parametrize(
    ("architecture", "number"),
    # read, mmap, munmap, sendto, recvmsg, futex, exit_group
    [
        *((X86_64, number) for number in (0, 9, 11, 44, 47, 202, 231)),
        *((ARM64, number) for number in (63, 222, 215, 206, 212, 98, 94)),
    ],
)
def test_what_a_decoder_needs_is_allowed(architecture: seccomp._Architecture, number: int) -> None:
    assert verdict(architecture, number) == ALLOW


@pytest.mark.parametrize("architecture", [X86_64, ARM64])
def test_threads_may_be_made_and_processes_may_not(architecture: seccomp._Architecture) -> None:
    assert verdict(architecture, architecture.clone, THREAD | 0x100) == ALLOW
    assert verdict(architecture, architecture.clone, 17) == REFUSE
    assert verdict(architecture, architecture.clone3) == MISSING


@pytest.mark.parametrize("architecture", [X86_64, ARM64])
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (os.O_RDONLY | os.O_CLOEXEC, ALLOW),
        (os.O_WRONLY, REFUSE),
        (os.O_RDWR, REFUSE),
        (os.O_RDONLY | os.O_CREAT, REFUSE),
        (os.O_RDONLY | os.O_TRUNC, REFUSE),
    ],
)
def test_files_open_for_reading_alone(
    architecture: seccomp._Architecture, flags: int, expected: int
) -> None:
    assert verdict(architecture, architecture.openat, 0, 0, flags) == expected
    assert verdict(architecture, architecture.openat2, 0, 0, flags) == MISSING
    if architecture.open is not None:
        assert verdict(architecture, architecture.open, 0, flags) == expected


def test_calls_of_another_architecture_end_the_process() -> None:
    assert verdict(X86_64, 0, audit=ARM64.audit) == KILL
    assert verdict(X86_64, 0x40000000 | 0) == REFUSE
