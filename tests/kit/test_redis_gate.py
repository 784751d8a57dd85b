from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio
from redis.exceptions import ResponseError

from emoji_gallery.embedded.valkey import ValkeyServer
from emoji_gallery.kit.redis_gate import RedisAwayError, RedisGate, RedisSettings, open_gate
from tests.waiting import eventually


@asynccontextmanager
async def opened(url: str, *, timeout_ms: int = 5000) -> AsyncIterator[RedisGate]:
    gate = open_gate(RedisSettings(redis_url=url, redis_timeout_ms=timeout_ms))
    try:
        yield gate
    finally:
        await gate.close()


@asynccontextmanager
async def silent_server(socket: Path) -> AsyncIterator[str]:
    """A server that takes connections and never answers."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_unix_server(lambda _, writer: writers.append(writer), socket)
    try:
        yield f"unix://{socket}"
    finally:
        server.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()


async def get_x(client: redis.asyncio.Redis) -> object:
    return await client.get("x")


async def test_commands_pass_while_redis_answers(
    redis_url: str, redis_client: redis.asyncio.Redis
) -> None:
    await redis_client.set("x", "1")

    async with opened(redis_url) as gate:
        assert await gate.call(get_x) == b"1"
        await gate.ping()
        assert gate.available


async def test_nothing_listening_shuts_the_gate_at_once(tmp_path: Path) -> None:
    async with opened(f"unix://{tmp_path}/none.sock") as gate:
        with pytest.raises(RedisAwayError):
            await gate.ping()

        assert not gate.available


async def test_a_shut_gate_refuses_without_asking(tmp_path: Path) -> None:
    asked = []

    async def ask(_client: redis.asyncio.Redis) -> None:
        asked.append(1)

    async with opened(f"unix://{tmp_path}/none.sock") as gate:
        with pytest.raises(RedisAwayError):
            await gate.ping()
        with pytest.raises(RedisAwayError):
            await gate.call(ask)

    assert not asked


async def test_a_silent_server_costs_one_short_wait(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with (
        silent_server(tmp_path / "silent.sock") as url,
        opened(url, timeout_ms=50) as gate,
    ):
        started = loop.time()
        with pytest.raises(RedisAwayError):
            await gate.ping()
        with pytest.raises(RedisAwayError):
            await gate.ping()

        assert 0.05 <= loop.time() - started < 2
        assert not gate.available


async def test_a_wrong_command_is_the_callers_fault(
    redis_url: str, redis_client: redis.asyncio.Redis
) -> None:
    await redis_client.set("x", "no hash")

    async def wrong(client: redis.asyncio.Redis) -> object:
        return await client.hget("x", "y")

    async with opened(redis_url) as gate:
        with pytest.raises(ResponseError):
            await gate.call(wrong)

        assert gate.available


async def test_a_restarted_redis_is_found_again(redis_url: str, valkey: ValkeyServer) -> None:
    async with opened(redis_url) as gate:
        await asyncio.gather(*(gate.ping() for _ in range(8)))
        await valkey.stop()
        with pytest.raises(RedisAwayError):
            await gate.ping()

        await valkey.start()

        await eventually(lambda: gate.available, within=5)
        await asyncio.gather(*(gate.ping() for _ in range(8)))
        assert gate.available


async def test_calls_that_fail_together_start_one_probe(
    redis_url: str, valkey: ValkeyServer
) -> None:
    async with opened(redis_url) as gate:
        await asyncio.gather(*(gate.ping() for _ in range(8)))
        await valkey.stop()

        outcomes = await asyncio.gather(*(gate.ping() for _ in range(8)), return_exceptions=True)

        assert {type(outcome) for outcome in outcomes} == {RedisAwayError}
        probes = [task for task in asyncio.all_tasks() if task.get_name() == "redis-probe"]
        assert len(probes) == 1
