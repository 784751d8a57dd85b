from __future__ import annotations

import asyncio
import os
import signal

import pytest

from emoji_gallery.cli.stopping import until_stopped


async def test_work_that_ends_by_itself_is_awaited() -> None:
    done = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append("all")

    await until_stopped(work())
    assert done == ["all"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signal_cancels_the_work_and_its_cleanup_is_awaited(number: signal.Signals) -> None:
    done = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            done.append("cleaned up")

    await until_stopped(work())
    assert done == ["cleaned up"]


async def test_second_signal_does_not_cut_the_cleanup_short() -> None:
    done = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.05)
            done.append("cleaned up")

    await until_stopped(work())
    assert done == ["cleaned up"]


async def test_failure_of_the_work_is_passed_on() -> None:
    async def work() -> None:
        raise ConnectionError("no")

    with pytest.raises(ConnectionError):
        await until_stopped(work())


async def test_cancellation_from_elsewhere_is_passed_on() -> None:
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(until_stopped(work()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
