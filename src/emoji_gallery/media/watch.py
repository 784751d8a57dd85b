"""Watches what a working child uses: time on the clock, processor time, memory it holds."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emoji_gallery.media.errors import Rejection

_INTERVAL_SECONDS: Final = 0.05
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one task may use.

    Processor time is what tells a hostile picture from a busy machine, so it is the tighter
    bound; the clock ends a child that waits for something.
    """

    seconds: float = 30
    processor_seconds: float = 10
    memory_bytes: int = 512 * 1_024 * 1_024


@dataclass(frozen=True, slots=True)
class _Usage:
    processor_seconds: float
    memory_bytes: int


@contextmanager
def watched(
    pid: int, allowance: Allowance, on_excess: Callable[[Rejection], None]
) -> Iterator[None]:
    """Look at a process every 50 ms until the block ends; say at most once what it exceeds.

    Where the system does not tell what a process uses, the clock alone counts.
    """
    watch = _Watch(pid, allowance, on_excess, asyncio.get_running_loop())
    watch.rest()
    try:
        yield
    finally:
        watch.end()


class _Watch:
    def __init__(
        self,
        pid: int,
        allowance: Allowance,
        on_excess: Callable[[Rejection], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._pid = pid
        self._allowance = allowance
        self._on_excess = on_excess
        self._loop = loop
        self._begun = loop.time()
        self._at_first: _Usage | None = None
        self._timer: asyncio.TimerHandle | None = None

    def rest(self) -> None:
        self._timer = self._loop.call_later(_INTERVAL_SECONDS, self._look)

    def end(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _look(self) -> None:
        excess = self._excess()
        if excess is None:
            self.rest()
        else:
            self._on_excess(excess)

    def _excess(self) -> Rejection | None:
        if self._loop.time() - self._begun > self._allowance.seconds:
            return Rejection.TIMEOUT
        usage = _read_usage(self._pid)
        if usage is None:
            return None
        if usage.memory_bytes > self._allowance.memory_bytes:
            return Rejection.OUT_OF_MEMORY
        self._at_first = self._at_first or usage
        spent = usage.processor_seconds - self._at_first.processor_seconds
        return Rejection.TIMEOUT if spent > self._allowance.processor_seconds else None


def _read_usage(pid: int) -> _Usage | None:
    """Read /proc (proc_pid_stat(5)); the name in parentheses may hold anything but the last one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    ticks = int(fields[11]) + int(fields[12])
    return _Usage(ticks / _TICKS_PER_SECOND, int(fields[21]) * _PAGE_BYTES)
