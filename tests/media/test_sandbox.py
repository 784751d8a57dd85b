"""What a locked-in process can still do. Each try runs in a process of its own."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

PREAMBLE = """
import ctypes, json, os, socket, subprocess, sys, threading
from emoji_gallery.media import sandbox
off_network = sandbox.leave_network()
network = socket.socket()
measures = sandbox.lock_down(data_bytes=300_000_000, parent=os.getppid())
def attempt(function):
    try:
        return repr(function())
    except BaseException as error:
        return type(error).__name__
"""


def inside(expression: str, *, setup: str = "") -> object:
    """Evaluate an expression after lock-down and answer its value."""
    code = PREAMBLE + textwrap.dedent(setup) + f"\nprint(json.dumps({expression}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "function",
    [
        "socket.socket",
        "socket.socketpair",
        "lambda: network.connect(('127.0.0.1', 9))",
        "lambda: network.bind(('127.0.0.1', 0))",
        "os.fork",
        "lambda: os.execv('/bin/true', ['true'])",
        "lambda: subprocess.run(['/bin/true'])",
        "lambda: os.kill(os.getppid(), 0)",
        "lambda: open('/tmp/emoji-gallery-escape', 'w')",
        "lambda: os.open('/dev/null', os.O_RDWR)",
        "lambda: os.mkdir('/tmp/emoji-gallery-escape')",
        "lambda: os.unlink('/tmp/emoji-gallery-escape')",
        "lambda: os.rename('/tmp/a', '/tmp/b')",
        "lambda: os.symlink('/tmp/a', '/tmp/b')",
        "lambda: os.chmod('/tmp', 0o777)",
    ],
)
def test_calls_that_no_decoder_needs_are_refused(function: str) -> None:
    assert inside(f"attempt({function})") == "PermissionError"


def test_reading_and_threads_still_work() -> None:
    setup = """
        said = []
        thread = threading.Thread(target=lambda: said.append(open("/proc/self/stat").read()))
        thread.start()
        thread.join()
    """
    assert inside("len(said)", setup=setup) == 1


def test_memory_is_bounded() -> None:
    assert inside("attempt(lambda: len(bytearray(310_000_000)))") == "MemoryError"


def test_threads_of_before_are_bound_too() -> None:
    code = PREAMBLE.replace(
        "measures =",
        """
go, said = threading.Event(), []
def late():
    go.wait()
    said.append(attempt(socket.socket))
thread = threading.Thread(target=late)
thread.start()
measures =""",
    )
    code += "\ngo.set(); thread.join(); print(json.dumps(said))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout) == ["PermissionError"]


def test_root_becomes_a_stranger_for_good_and_others_stay_who_they_are() -> None:
    account = os.geteuid() or 65_533
    assert inside("[os.getuid(), os.geteuid()]") == [account, account]
    assert inside("attempt(lambda: os.setuid(0))") == "PermissionError"
    assert inside("attempt(lambda: open('/etc/shadow'))") == "PermissionError"


def test_what_is_in_force_is_told() -> None:
    measures = inside("measures")
    assert isinstance(measures, list)
    assert {"limits", "calls"} <= set(measures)


def test_a_process_whose_parent_is_gone_ends() -> None:
    code = PREAMBLE.replace("parent=os.getppid()", "parent=1_000_000_000") + "\nprint('on')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == ""


def test_an_unknown_machine_goes_without_the_filter() -> None:
    setup = """
        import platform
        from emoji_gallery.media import seccomp
        platform.machine = lambda: "pdp11"
    """
    assert inside("seccomp.install()", setup=setup) is False


def test_only_named_loaders_open_anything() -> None:
    code = """
import pyvips
from emoji_gallery.media.vips import RASTER_LOADERS, VECTOR_LOADERS, allow_only
dot = pyvips.Image.black(2, 2)
tiff, png = dot.tiffsave_buffer(), dot.pngsave_buffer()
svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'
for loaders in (RASTER_LOADERS, VECTOR_LOADERS):
    allow_only(loaders)
    for data in (tiff, png, svg):
        try:
            pyvips.Image.new_from_buffer(data, "")
            print("opened")
        except pyvips.Error:
            print("refused")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == [
        *("refused", "opened", "refused"),
        *("refused", "refused", "opened"),
    ]
