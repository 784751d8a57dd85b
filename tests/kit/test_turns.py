import asyncio

import pytest

from emoji_gallery.kit.turns import Turns


async def test_callers_with_one_key_go_one_after_the_other() -> None:
    turns = Turns()
    inside: list[int] = []
    most = 0

    async def go(number: int) -> None:
        nonlocal most
        async with turns.of("ada"):
            inside.append(number)
            most = max(most, len(inside))
            await asyncio.sleep(0)
            inside.remove(number)

    await asyncio.gather(*(go(number) for number in range(20)))
    assert most == 1


async def test_callers_with_other_keys_do_not_wait() -> None:
    turns = Turns()
    async with turns.of("ada"), asyncio.timeout(1), turns.of("bob"):
        pass


async def test_an_error_or_a_cancellation_ends_the_turn() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError):
        async with turns.of("ada"):
            raise ZeroDivisionError
    async with turns.of("ada"):
        waiting = asyncio.create_task(_once(turns))
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.wait_for(_once(turns), 1)


async def _once(turns: Turns) -> None:
    async with turns.of("ada"):
        pass
