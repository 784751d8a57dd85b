"""Ends a run in good order: on Ctrl-C, on SIGTERM, and when the program that started it dies."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


async def until_stopped(work: Coroutine[None, None, None]) -> None:
    """Run `work` to its end, or cancel it at the first SIGINT or SIGTERM and await its cleanup.

    Further signals change nothing: terminals and `make` may send the same one twice, and what
    the cleanup waits for has deadlines of its own.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def stop() -> None:
        if not asked.is_set():
            asked.set()
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not asked.is_set():
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def end_with_parent() -> None:
    """Ask the kernel for a SIGTERM when our parent dies, however it dies (Linux only)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
