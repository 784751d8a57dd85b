"""Redis (or Valkey) behind a breaker.

A Redis that is away costs a request nothing: the first failure closes the gate, calls are refused
at once, and a probe in the background opens it again when Redis answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis import exceptions as refusals
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

log = structlog.get_logger(__name__)

_Result = TypeVar("_Result")

# What says "this server cannot serve now", as opposed to "this command is wrong".
_AWAY: Final = (
    refusals.ConnectionError,
    refusals.TimeoutError,
    refusals.ReadOnlyError,
    refusals.OutOfMemoryError,
    refusals.ClusterDownError,
    OSError,
    TimeoutError,
)


class RedisSettings(BaseSettings):
    """How to reach Redis or Valkey."""

    model_config = SettingsConfigDict(frozen=True)

    redis_url: str = Field(
        default="",
        description="Address of Redis or Valkey, `redis://…`, `rediss://…` or `unix://…`; "
        "empty means the embedded one.",
    )
    redis_timeout_ms: int = Field(
        default=250, ge=10, description="A command or connection that takes longer has failed."
    )
    redis_pool_size: int = Field(
        default=16, ge=1, le=500, description="Connections that one process keeps to Redis."
    )


class RedisAwayError(Exception):
    """Redis does not answer now; the caller goes on without it."""


class RedisGate:
    """Lets commands through to Redis as long as it answers."""

    def __init__(self, client: Redis, *, probe_every: float = 1.0) -> None:
        """Take over a client; while Redis is away it is probed every so many seconds."""
        self._client = client
        self._probe_every = probe_every
        self._open = True
        self._probe: asyncio.Task[None] | None = None

    @property
    def available(self) -> bool:
        """Whether Redis answered last."""
        return self._open

    async def call(self, command: Callable[[Redis], Awaitable[_Result]]) -> _Result:
        """Run a command; raises `RedisAwayError`, at once while the gate is closed."""
        if not self._open:
            raise RedisAwayError
        try:
            return await command(self._client)
        except _AWAY as error:
            self._shut(error)
            raise RedisAwayError from error

    async def ping(self) -> None:
        """Raise `RedisAwayError` unless Redis answers."""
        await self.call(_ping)

    async def close(self) -> None:
        """Stop probing and close every connection."""
        self._open = False
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.wait([self._probe])
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    def _shut(self, error: Exception) -> None:
        if not self._open:
            return
        self._open = False
        log.warning("redis.away", error=type(error).__name__, detail=str(error))
        self._probe = asyncio.create_task(self._until_it_answers(), name="redis-probe")

    async def _until_it_answers(self) -> None:
        # A single slow answer shuts the gate too: the first probe goes out without a pause.
        while True:
            try:
                # Connections made before the outage would each fail once more.
                await self._client.connection_pool.disconnect(inuse_connections=False)
                await _ping(self._client)
            except Exception:  # noqa: BLE001 (whatever goes wrong here, it is probed again)
                await asyncio.sleep(self._probe_every)
            else:
                self._open = True
                log.info("redis.back")
                return


def open_gate(settings: RedisSettings) -> RedisGate:
    """Make the client; nothing is connected before the first use."""
    seconds = settings.redis_timeout_ms / 1000
    pool = BlockingConnectionPool.from_url(
        settings.redis_url,
        max_connections=settings.redis_pool_size,
        timeout=seconds,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        # The gate decides when to try again; a retry inside a request would only add latency.
        retry=Retry(NoBackoff(), 0),
    )
    return RedisGate(Redis.from_pool(pool))


async def _ping(client: Redis) -> None:
    await client.ping()
