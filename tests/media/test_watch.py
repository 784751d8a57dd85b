"""What a process uses, seen from outside."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emoji_gallery.media.errors import Rejection
from emoji_gallery.media.watch import Allowance, watched
from tests.waiting import eventually


@contextmanager
def process(code: str) -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as running:
        try:
            yield running.pid
        finally:
            running.kill()


@pytest.mark.parametrize(
    ("code", "allowance", "excess"),
    [
        ("input()", Allowance(seconds=0.2), Rejection.TIMEOUT),
        ("while True: pass", Allowance(processor_seconds=0.1), Rejection.TIMEOUT),
        (
            "x = b'x' * 90_000_000; input()",
            Allowance(memory_bytes=80_000_000),
            Rejection.OUT_OF_MEMORY,
        ),
    ],
)
async def test_what_a_process_uses_too_much_of_is_said_once(
    code: str, allowance: Allowance, excess: Rejection
) -> None:
    said: list[Rejection] = []
    with process(code) as pid, watched(pid, allowance, said.append):
        await eventually(lambda: said, within=20)
    assert said == [excess]


async def test_a_process_that_is_gone_is_left_to_the_clock() -> None:
    with process("pass") as pid:
        pass
    said: list[Rejection] = []
    with watched(pid, Allowance(seconds=0.2), said.append):
        await eventually(lambda: said, within=20)
    assert said == [Rejection.TIMEOUT]


async def test_nothing_is_said_after_the_end() -> None:
    said: list[Rejection] = []
    with process("input()") as pid, watched(pid, Allowance(seconds=0), said.append):
        pass
    with process("input()") as pid, watched(pid, Allowance(seconds=0.15), said.append):
        await eventually(lambda: said, within=20)
    assert said == [Rejection.TIMEOUT]
