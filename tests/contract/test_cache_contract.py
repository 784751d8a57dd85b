"""What the cache promises with Redis, without one, and with one that is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from emoji_gallery.kit.cache import Cache
from emoji_gallery.kit.memory_cache import MemoryCache
from emoji_gallery.kit.redis_gate import RedisSettings, open_gate
from emoji_gallery.kit.two_level_cache import TwoLevelCache

MINUTE: Final = timedelta(minutes=1)


@pytest.fixture(params=["redis", "away", "none"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "redis":
        return str(request.getfixturevalue("redis_url"))
    return f"unix://{tmp_path}/none.sock" if request.param == "away" else ""


@pytest.fixture
async def cache(shared_url: str) -> AsyncIterator[Cache]:
    memory: MemoryCache[bytes] = MemoryCache(max_bytes=1_000_000)
    if not shared_url:
        yield TwoLevelCache(memory, None)
        return
    gate = open_gate(RedisSettings(redis_url=shared_url, redis_timeout_ms=5000))
    yield TwoLevelCache(memory, gate)
    await gate.close()


class Maker:
    """Makes a value when it is let, and counts how often."""

    def __init__(self) -> None:
        self.made = 0
        self.may_finish = asyncio.Event()

    async def __call__(self) -> bytes:
        self.made += 1
        await self.may_finish.wait()
        return b"made"


async def test_what_was_set_is_found(cache: Cache) -> None:
    await cache.set("k", b"value", ttl=MINUTE)

    assert await cache.get("k") == b"value"


async def test_what_was_never_set_is_not_found(cache: Cache) -> None:
    assert await cache.get("k") is None


async def test_an_empty_value_is_a_value(cache: Cache) -> None:
    await cache.set("k", b"", ttl=MINUTE)

    assert await cache.get("k") == b""


async def test_what_was_deleted_is_gone(cache: Cache) -> None:
    await cache.set("k", b"value", ttl=MINUTE)

    await cache.delete("k")

    assert await cache.get("k") is None


async def test_one_makes_the_value_for_all_who_wait(cache: Cache) -> None:
    make = Maker()
    waiting = [asyncio.create_task(cache.get_or_make("k", make, ttl=MINUTE)) for _ in range(64)]
    await asyncio.sleep(0)
    make.may_finish.set()

    assert set(await asyncio.gather(*waiting)) == {b"made"}
    assert make.made == 1


async def test_a_made_value_is_kept(cache: Cache) -> None:
    make = Maker()
    make.may_finish.set()

    await cache.get_or_make("k", make, ttl=MINUTE)
    await cache.get_or_make("k", make, ttl=MINUTE)

    assert make.made == 1
    assert await cache.get("k") == b"made"


async def test_the_first_caller_may_leave(cache: Cache) -> None:
    make = Maker()
    first = asyncio.create_task(cache.get_or_make("k", make, ttl=MINUTE))
    second = asyncio.create_task(cache.get_or_make("k", make, ttl=MINUTE))
    await asyncio.sleep(0)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    make.may_finish.set()

    assert await second == b"made"
    assert make.made == 1


async def test_a_failure_reaches_all_who_wait_and_is_not_kept(cache: Cache) -> None:
    attempts = 0

    async def fail() -> bytes:
        nonlocal attempts
        attempts += 1
        message = "no database"
        raise LookupError(message)

    outcomes = await asyncio.gather(
        *(cache.get_or_make("k", fail, ttl=MINUTE) for _ in range(3)), return_exceptions=True
    )
    with pytest.raises(LookupError):
        await cache.get_or_make("k", fail, ttl=MINUTE)

    assert {type(outcome) for outcome in outcomes} == {LookupError}
    assert attempts == 2
