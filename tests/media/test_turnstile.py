"""Who gets in, and when."""

import asyncio

import pytest

from emoji_gallery.media.errors import RendererUnavailableError
from emoji_gallery.media.turnstile import Priority, Turnstile
from tests.waiting import eventually


class Visit:
    """A caller that stays inside until it is let go."""

    def __init__(self, turnstile: Turnstile, priority: Priority, seconds: float = 10) -> None:
        self.inside = asyncio.Event()
        self.leave = asyncio.Event()
        self.task = asyncio.create_task(self._visit(turnstile, priority, seconds))

    async def _visit(self, turnstile: Turnstile, priority: Priority, seconds: float) -> None:
        async with turnstile.place(priority, seconds=seconds):
            self.inside.set()
            await self.leave.wait()

    async def end(self) -> None:
        self.leave.set()
        await self.task


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_as_many_get_in_as_there_are_places() -> None:
    turnstile = Turnstile(places=2, reserved=0)
    visits = [Visit(turnstile, Priority.UPLOAD) for _ in range(3)]
    await settle()
    assert [visit.inside.is_set() for visit in visits] == [True, True, False]
    await visits[0].end()
    await settle()
    assert visits[2].inside.is_set()
    await asyncio.gather(visits[1].end(), visits[2].end())


async def test_a_reserved_place_is_for_probes_alone() -> None:
    turnstile = Turnstile(places=2, reserved=1)
    first, second = (Visit(turnstile, Priority.MISS) for _ in range(2))
    probe = Visit(turnstile, Priority.PROBE)
    await settle()
    assert [visit.inside.is_set() for visit in (first, second, probe)] == [True, False, True]
    await asyncio.gather(first.end(), second.end(), probe.end())


async def test_who_is_more_urgent_goes_first_and_equals_go_in_order() -> None:
    turnstile = Turnstile(places=1, reserved=0)
    holder = Visit(turnstile, Priority.MISS)
    await settle()
    order: list[str] = []

    async def pass_through(name: str, priority: Priority) -> None:
        async with turnstile.place(priority, seconds=10):
            order.append(name)

    waiting = [
        asyncio.create_task(pass_through(name, priority))
        for name, priority in (
            ("miss", Priority.MISS),
            ("upload 1", Priority.UPLOAD),
            ("upload 2", Priority.UPLOAD),
            ("probe", Priority.PROBE),
        )
    ]
    await settle()
    await holder.end()
    await asyncio.gather(*waiting)
    assert order == ["probe", "upload 1", "upload 2", "miss"]


async def test_waiting_ends_after_a_time_and_leaves_the_queue_sound() -> None:
    turnstile = Turnstile(places=1, reserved=0)
    holder = Visit(turnstile, Priority.UPLOAD)
    late = Visit(turnstile, Priority.UPLOAD, seconds=0.01)
    patient = Visit(turnstile, Priority.UPLOAD)
    await eventually(late.task.done, within=5)
    with pytest.raises(RendererUnavailableError, match="busy"):
        late.task.result()
    await holder.end()
    await settle()
    assert patient.inside.is_set()
    await patient.end()


async def test_a_cancelled_wait_takes_no_place() -> None:
    turnstile = Turnstile(places=1, reserved=0)
    holder, waiting = Visit(turnstile, Priority.UPLOAD), Visit(turnstile, Priority.UPLOAD)
    await settle()
    waiting.task.cancel()
    await settle()
    await holder.end()
    after = Visit(turnstile, Priority.UPLOAD)
    await settle()
    assert after.inside.is_set()
    await after.end()


async def test_a_wait_that_is_cancelled_as_its_turn_comes_passes_it_on() -> None:
    turnstile = Turnstile(places=1, reserved=0)
    holder = Visit(turnstile, Priority.UPLOAD)
    await settle()
    unlucky, next_one = Visit(turnstile, Priority.UPLOAD), Visit(turnstile, Priority.UPLOAD)
    await settle()
    holder.leave.set()
    await asyncio.sleep(0)
    unlucky.task.cancel()
    await settle()
    assert not unlucky.inside.is_set()
    assert next_one.inside.is_set()
    await asyncio.gather(holder.task, next_one.end())


async def test_an_error_inside_gives_the_place_back() -> None:
    turnstile = Turnstile(places=1, reserved=0)
    with pytest.raises(ZeroDivisionError):
        async with turnstile.place(Priority.PROBE, seconds=1):
            raise ZeroDivisionError
    async with turnstile.place(Priority.MISS, seconds=1):
        pass
