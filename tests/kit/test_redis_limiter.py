from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

import pytest
import redis.asyncio

from emoji_gallery.embedded.valkey import ValkeyServer
from emoji_gallery.kit.local_limiter import LocalLimiter
from emoji_gallery.kit.redis_gate import RedisGate, RedisSettings, open_gate
from emoji_gallery.kit.redis_limiter import RedisLimiter
from tests.waiting import eventually

MINUTE: Final = timedelta(minutes=1)


@pytest.fixture
async def gate(redis_url: str) -> AsyncIterator[RedisGate]:
    gate = open_gate(RedisSettings(redis_url=redis_url, redis_timeout_ms=5000))
    yield gate
    await gate.close()


@pytest.fixture
def limiter(gate: RedisGate) -> RedisLimiter:
    return RedisLimiter(gate, LocalLimiter(replicas=4))


async def test_processes_share_one_count(redis_url: str) -> None:
    async with AsyncExitStack() as stack:
        limiters = []
        for _ in range(4):
            gate = open_gate(RedisSettings(redis_url=redis_url, redis_timeout_ms=5000))
            stack.push_async_callback(gate.close)
            limiters.append(RedisLimiter(gate, LocalLimiter(replicas=4)))
        hits = [limiters[n % 4].hit("reads", "user:a", limit=40, window=MINUTE) for n in range(64)]

        verdicts = await asyncio.gather(*hits)

    assert sum(verdict.allowed for verdict in verdicts) == 40


async def test_simultaneous_hits_travel_together(
    limiter: RedisLimiter, redis_client: redis.asyncio.Redis
) -> None:
    await limiter.hit("reads", "user:a", limit=200, window=MINUTE)
    await redis_client.config_resetstat()

    await asyncio.gather(
        *(limiter.hit("reads", "user:a", limit=200, window=MINUTE) for _ in range(100))
    )

    calls = (await redis_client.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert calls <= 2


async def test_subjects_are_stored_hashed_and_expire(
    limiter: RedisLimiter, redis_client: redis.asyncio.Redis
) -> None:
    await limiter.hit("reads", "address:192.0.2.7", limit=5, window=MINUTE)

    [key] = await redis_client.keys("*")

    assert b"192.0.2.7" not in key
    assert 59_000 < await redis_client.pttl(key) <= 60_000


async def test_a_forgotten_script_is_loaded_again(
    limiter: RedisLimiter, redis_client: redis.asyncio.Redis
) -> None:
    await limiter.hit("reads", "user:a", limit=5, window=MINUTE)
    await redis_client.script_flush()

    verdict = await limiter.hit("reads", "user:a", limit=5, window=MINUTE)

    assert verdict.remaining == 3


async def test_a_bug_reaches_whoever_asked_and_nobody_hangs(
    limiter: RedisLimiter, redis_client: redis.asyncio.Redis
) -> None:
    await limiter.hit("reads", "user:a", limit=5, window=MINUTE)
    [key] = await redis_client.keys("*")
    await redis_client.set(key, "not a hash")

    with pytest.raises(redis.exceptions.ResponseError, match="WRONGTYPE"):
        await limiter.hit("reads", "user:a", limit=5, window=MINUTE)

    assert limiter.available
    assert (await limiter.hit("reads", "user:b", limit=5, window=MINUTE)).allowed


async def test_a_caller_that_leaves_does_not_disturb_the_others(limiter: RedisLimiter) -> None:
    leaving = asyncio.create_task(limiter.hit("reads", "user:a", limit=5, window=MINUTE))
    staying = asyncio.create_task(limiter.hit("reads", "user:a", limit=5, window=MINUTE))
    await asyncio.sleep(0)
    leaving.cancel()

    assert (await staying).allowed


async def test_without_redis_each_process_allows_its_share_and_then_shares_again(
    limiter: RedisLimiter, valkey: ValkeyServer
) -> None:
    assert (await limiter.hit("reads", "user:a", limit=40, window=MINUTE)).allowed
    await valkey.stop()

    hits = [limiter.hit("reads", "user:a", limit=40, window=MINUTE) for _ in range(64)]
    verdicts = await asyncio.gather(*hits)

    assert sum(verdict.allowed for verdict in verdicts) == 10
    assert not limiter.available

    await valkey.start()
    await eventually(lambda: limiter.available, within=5)
    shared = await limiter.hit("reads", "user:a", limit=40, window=MINUTE)
    assert shared.remaining == 39
