from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
import redis.asyncio

from emoji_gallery.embedded.valkey import ValkeyServer
from emoji_gallery.kit.memory_cache import MemoryCache
from emoji_gallery.kit.redis_gate import RedisSettings, open_gate
from emoji_gallery.kit.two_level_cache import TwoLevelCache
from tests.waiting import eventually

MINUTE: Final = timedelta(minutes=1)
NOON: Final = datetime(2026, 5, 1, 12, tzinfo=UTC)

# Makes the cache of one more process.
NewProcess = Callable[[], TwoLevelCache]


class FakeTime:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def new_process(redis_url: str, time: FakeTime) -> AsyncIterator[NewProcess]:
    async with AsyncExitStack() as stack:

        def make() -> TwoLevelCache:
            gate = open_gate(RedisSettings(redis_url=redis_url, redis_timeout_ms=5000))
            stack.push_async_callback(gate.close)
            return TwoLevelCache(MemoryCache(max_bytes=1_000_000), gate, clock=time)

        yield make


async def never() -> bytes:
    pytest.fail("the value was made although it was there")


async def test_processes_share_values_through_redis(new_process: NewProcess) -> None:
    await new_process().set("k", b"value", ttl=MINUTE)

    assert await new_process().get("k") == b"value"
    assert await new_process().get_or_make("k", never, ttl=MINUTE) == b"value"


async def test_a_process_asks_redis_once(
    new_process: NewProcess, redis_client: redis.asyncio.Redis
) -> None:
    await new_process().set("k", b"value", ttl=MINUTE)
    reader = new_process()
    await reader.get("k")
    await redis_client.flushall()

    assert await reader.get("k") == b"value"


async def test_values_expire_in_redis(
    new_process: NewProcess, redis_client: redis.asyncio.Redis
) -> None:
    await new_process().set("k", b"value", ttl=MINUTE)

    [key] = await redis_client.keys("*")
    assert 59_000 < await redis_client.pttl(key) <= 60_000


async def test_a_value_read_from_redis_keeps_its_first_end(
    new_process: NewProcess, time: FakeTime
) -> None:
    await new_process().set("k", b"value", ttl=MINUTE)

    time.now = NOON + MINUTE

    assert await new_process().get("k") is None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda stored: stored[:-1], id="cut"),
        pytest.param(lambda stored: stored[:-1] + b"X", id="changed"),
        pytest.param(lambda stored: stored[:5] + b"\xff" + stored[6:], id="later-end"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"something of another program", id="foreign"),
    ],
)
async def test_damaged_and_foreign_values_are_made_anew(
    new_process: NewProcess,
    redis_client: redis.asyncio.Redis,
    damage: Callable[[bytes], bytes],
) -> None:
    await new_process().set("k", b"value", ttl=MINUTE)
    [key] = await redis_client.keys("*")
    stored = await redis_client.get(key)
    assert isinstance(stored, bytes)
    await redis_client.set(key, damage(stored))

    async def make() -> bytes:
        return b"anew"

    assert await new_process().get("k") is None
    assert await new_process().get_or_make("k", make, ttl=MINUTE) == b"anew"
    assert await new_process().get("k") == b"anew"


async def test_a_value_under_another_key_is_not_believed(
    new_process: NewProcess, redis_client: redis.asyncio.Redis
) -> None:
    await new_process().set("k", b"value", ttl=MINUTE)
    await redis_client.copy("cache:k", "cache:other")

    assert await new_process().get("other") is None


async def test_another_type_of_value_is_overwritten(
    new_process: NewProcess, redis_client: redis.asyncio.Redis
) -> None:
    await redis_client.hset("cache:k", "field", "x")
    cache = new_process()

    assert await cache.get("k") is None
    await cache.set("k", b"value", ttl=MINUTE)
    assert await new_process().get("k") == b"value"
    assert cache.available


async def test_an_outage_costs_nothing_but_sharing(
    new_process: NewProcess, valkey: ValkeyServer
) -> None:
    cache = new_process()
    await cache.set("before", b"1", ttl=MINUTE)
    await valkey.stop()

    assert await cache.get("unknown") is None
    assert not cache.available
    assert await cache.get("before") == b"1"
    await cache.set("during", b"2", ttl=MINUTE)
    assert await cache.get("during") == b"2"

    await valkey.start()
    await eventually(lambda: cache.available, within=5)
    await cache.set("after", b"3", ttl=MINUTE)
    assert await new_process().get("after") == b"3"
