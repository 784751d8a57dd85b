"""Children that are killed, hang, eat memory or are no longer wanted."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from emoji_gallery.media.errors import ImageRejectedError, Rejection, RendererUnavailableError
from emoji_gallery.media.pool import Bounds
from emoji_gallery.media.process import Child, Family
from emoji_gallery.media.renderer import Renderer
from emoji_gallery.media.types import Format, Limits, Probe, Rendered
from emoji_gallery.media.watch import Allowance
from tests.media.pictures import png, slow_svg, svg
from tests.waiting import eventually

VECTOR = Probe(Format.SVG, 1_024, 1_024)
PATIENT = Allowance(seconds=100, processor_seconds=100)


@asynccontextmanager
async def running(
    allowance: Allowance = PATIENT, *, tasks_per_child: int = 100
) -> AsyncIterator[Renderer]:
    """A renderer with one child of each family, whose end leaves nothing behind."""
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (a look at the kernel's own)
    bounds = Bounds(1, allowance, queue_seconds=100, tasks_per_child=tasks_per_child)
    renderer = Renderer(bounds)
    seen: set[int] = set()
    async with renderer:
        try:
            yield renderer
        finally:
            seen = {child.process.pid for child in children(renderer)}
    assert not any(exists(pid) for pid in seen)
    assert not children(renderer)
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 3  # noqa: PTH208 (the loop has some)


def children(renderer: Renderer) -> list[Child]:
    return [child for pool in renderer._pools.values() for child in pool._live]


def vector_child(renderer: Renderer) -> Child:
    (child,) = renderer._pools[Family.VECTOR]._live
    return child


def exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def processor_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


async def drawing(
    renderer: Renderer, turbulences: int
) -> tuple[asyncio.Task[dict[str, Rendered]], int]:
    """Start something slow, and wait until a child is busy with it."""
    pid = vector_child(renderer).process.pid
    before = processor_ticks(pid)
    task = asyncio.create_task(renderer.render(slow_svg(turbulences), VECTOR, ["512.png"]))
    await eventually(lambda: processor_ticks(pid) > before + 3, within=60)
    return task, pid


async def works(renderer: Renderer) -> bool:
    return await renderer.probe(svg(), limits=Limits()) == VECTOR


async def test_a_task_survives_that_somebody_kills_its_child() -> None:
    async with running() as renderer:
        task, pid = await drawing(renderer, 5)
        os.kill(pid, signal.SIGKILL)
        made = await task
        assert made["512.png"].data.startswith(b"\x89PNG")
        assert vector_child(renderer).process.pid != pid


async def test_a_picture_whose_children_are_killed_twice_is_refused() -> None:
    async with running() as renderer:
        task, first = await drawing(renderer, 4_000)
        os.kill(first, signal.SIGKILL)
        again = await eventually(
            lambda: [
                child.process.pid
                for child in renderer._pools[Family.VECTOR]._live
                if child.process.pid != first and child.tasks_done
            ],
            within=60,
        )
        os.kill(again[0], signal.SIGTERM)
        with pytest.raises(ImageRejectedError, match="crashed"):
            await task
        assert await works(renderer)


@pytest.mark.parametrize("crash", [signal.SIGSEGV, signal.SIGABRT])
async def test_a_crash_is_a_refusal_and_the_next_picture_is_fine(crash: signal.Signals) -> None:
    async with running() as renderer:
        task, pid = await drawing(renderer, 4_000)
        os.kill(pid, crash)
        with pytest.raises(ImageRejectedError, match="crashed"):
            await task
        assert await works(renderer)


async def test_a_child_that_hangs_is_ended_by_the_clock() -> None:
    async with running(Allowance(seconds=0.3)) as renderer:
        hung = vector_child(renderer).process.pid
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(ImageRejectedError) as refusal:
            await renderer.probe(svg(), limits=Limits())
        assert refusal.value.reason is Rejection.TIMEOUT
        await eventually(lambda: not exists(hung), within=10)


async def test_a_picture_that_takes_too_long_is_refused() -> None:
    async with running(Allowance(seconds=100, processor_seconds=0.3)) as renderer:
        with pytest.raises(ImageRejectedError, match="timeout"):
            await renderer.render(slow_svg(4_000), VECTOR, ["512.png"])
        assert await works(renderer)


async def test_a_picture_that_takes_too_much_memory_is_refused() -> None:
    scarce = Allowance(seconds=100, processor_seconds=100, memory_bytes=100_000_000)
    async with running(scarce) as renderer:
        source, probe = png(4_096, 4_096, "RGBA"), Probe(Format.PNG, 4_096, 4_096)
        with pytest.raises(ImageRejectedError, match="out_of_memory"):
            await renderer.render(source, probe, ["64.webp"])
        assert (await renderer.probe(png(), limits=Limits())).width == 100


async def test_a_cancelled_task_ends_its_child() -> None:
    async with running() as renderer:
        task, pid = await drawing(renderer, 4_000)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: not exists(pid), within=10)
        assert await works(renderer)


async def test_a_child_that_died_while_idle_costs_nobody_anything() -> None:
    async with running() as renderer:
        child = vector_child(renderer)
        os.kill(child.process.pid, signal.SIGKILL)
        await eventually(lambda: not child.usable, within=10)
        assert await works(renderer)


async def test_a_child_is_replaced_after_its_share_of_tasks() -> None:
    async with running(tasks_per_child=3) as renderer:
        worked: list[int] = []
        for _ in range(7):
            before = children(renderer)
            assert await works(renderer)
            worked += [child.process.pid for child in before if child.tasks_done]
        ended = set(worked) - {child.process.pid for child in children(renderer)}
        assert len(ended) == 2


async def test_stopping_ends_children_at_work() -> None:
    async with running() as renderer:
        task, pid = await drawing(renderer, 4_000)
        await renderer.stop()
        with pytest.raises(RendererUnavailableError):
            await task
        assert not exists(pid)


async def test_a_renderer_starts_again_after_its_stop() -> None:
    async with running() as renderer:
        await renderer.stop()
        await renderer.start()
        assert await works(renderer)


async def test_the_event_loop_goes_on_while_a_child_works() -> None:
    async with running() as renderer:
        task, _ = await drawing(renderer, 8)
        turns = 0
        while not task.done():
            await asyncio.sleep(0.001)
            turns += 1
        assert turns > 20
        assert (await task)["512.png"].width == 512
