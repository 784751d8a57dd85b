from __future__ import annotations

import asyncio

import pytest

from emoji_gallery.assets.service.flights import Flights
from emoji_gallery.assets.service.line import WaitingLine
from emoji_gallery.kit.errors import UnavailableError


async def test_all_who_ask_at_once_share_one_run() -> None:
    flights: Flights[str, int] = Flights()
    runs = 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0)
        return runs

    assert await asyncio.gather(*(flights.share("key", work) for _ in range(9))) == [1] * 9
    assert await flights.share("key", work) == 2


async def test_keys_do_not_share() -> None:
    flights: Flights[str, str] = Flights()

    async def work(value: str) -> str:
        return value

    assert await flights.share("a", lambda: work("a")) == "a"
    assert await flights.share("b", lambda: work("b")) == "b"


async def test_all_get_the_same_error_and_the_next_runs_again() -> None:
    flights: Flights[str, int] = Flights()
    outcomes = iter([LookupError("first")])

    async def work() -> int:
        await asyncio.sleep(0)
        for error in outcomes:
            raise error
        return 1

    shared = await asyncio.gather(
        *(flights.share("key", work) for _ in range(3)), return_exceptions=True
    )
    assert {str(error) for error in shared} == {"first"}
    assert await flights.share("key", work) == 1


async def test_one_who_leaves_does_not_stop_the_work_for_others() -> None:
    flights: Flights[str, int] = Flights()
    go_on = asyncio.Event()

    async def work() -> int:
        await go_on.wait()
        return 1

    leaving = asyncio.create_task(flights.share("key", work))
    staying = asyncio.create_task(flights.share("key", work))
    await asyncio.sleep(0)
    leaving.cancel()
    go_on.set()
    assert await staying == 1
    assert (await asyncio.gather(leaving, return_exceptions=True))[0].__class__ is (
        asyncio.CancelledError
    )


async def test_closing_ends_the_work_under_way() -> None:
    flights: Flights[str, None] = Flights()
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    waiting = asyncio.create_task(flights.share("key", work))
    await asyncio.sleep(0.001)
    await flights.close()
    assert ended == [True]
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_line_serves_some_lets_some_wait_and_sends_the_rest_away() -> None:
    line = WaitingLine(at_once=1, waiting=1)
    inside: list[int] = []
    leave = asyncio.Event()

    async def stay(number: int) -> None:
        async with line.place():
            inside.append(number)
            await leave.wait()

    first, second = asyncio.create_task(stay(1)), asyncio.create_task(stay(2))
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await stay(3)
    assert inside == [1]
    leave.set()
    await asyncio.gather(first, second)
    await stay(4)
    assert inside == [1, 2, 4]


async def test_who_gives_up_waiting_makes_room() -> None:
    line = WaitingLine(at_once=1, waiting=1)
    async with line.place():
        waiting = asyncio.create_task(line.place().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        next_one = asyncio.create_task(line.place().__aenter__())
        await asyncio.sleep(0)
        assert not next_one.done()
    await next_one
