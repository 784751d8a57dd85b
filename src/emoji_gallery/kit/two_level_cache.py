"""The cache: memory first, then Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import blake2b
from typing import Final, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from emoji_gallery.kit.clock import Clock, utc_now
from emoji_gallery.kit.memory_cache import MemoryCache
from emoji_gallery.kit.redis_gate import RedisAwayError, RedisGate
from emoji_gallery.kit.single_flight import SingleFlight

# In Redis a value stands behind a mark of this format, when it expires (ms since 1970) and a
# checksum over key, moment and value: what something else wrote there, or half of a value, is
# never served.
_MARK: Final = b"EGC1"
_MOMENT_BYTES: Final = 8
_SUM_BYTES: Final = 16
_HEAD_BYTES: Final = len(_MARK) + _MOMENT_BYTES + _SUM_BYTES

_Answer = TypeVar("_Answer")


class TwoLevelCache:
    """Bytes in memory and, where there is a gate to it, in Redis."""

    def __init__(
        self, memory: MemoryCache[bytes], gate: RedisGate | None, *, clock: Clock = utc_now
    ) -> None:
        """Use `memory` for this process and `gate` for all."""
        self._memory = memory
        self._gate = gate
        self._clock = clock
        self._flights: SingleFlight[bytes] = SingleFlight()

    @property
    def available(self) -> bool:
        """Whether Redis answers."""
        return self._gate is not None and self._gate.available

    async def get(self, key: str) -> bytes | None:
        """The value at the nearest level that has it."""
        value = self._memory.get(key)
        return value if value is not None else await self._from_redis(key)

    async def set(self, key: str, value: bytes, *, ttl: timedelta) -> None:
        """Keep a value at both levels."""
        self._memory.set(key, value, size=len(value), seconds=ttl.total_seconds())
        milliseconds = ttl // timedelta(milliseconds=1)
        framed = _framed(key, value, expires_at=self._now_ms() + milliseconds)
        await self._ask(lambda redis: redis.set(_redis_key(key), framed, px=milliseconds))

    async def delete(self, key: str) -> None:
        """Forget a key at both levels."""
        self._memory.delete(key)
        await self._ask(lambda redis: redis.delete(_redis_key(key)))

    async def get_or_make(
        self, key: str, make: Callable[[], Awaitable[bytes]], *, ttl: timedelta
    ) -> bytes:
        """The value, made by one for all who wait in this process."""
        value = self._memory.get(key)
        if value is not None:
            return value
        return await self._flights.do(key, lambda: self._find_or_make(key, make, ttl))

    async def _find_or_make(
        self, key: str, make: Callable[[], Awaitable[bytes]], ttl: timedelta
    ) -> bytes:
        value = await self._from_redis(key)
        if value is None:
            value = await make()
            await self.set(key, value, ttl=ttl)
        return value

    async def _from_redis(self, key: str) -> bytes | None:
        framed = await self._ask(lambda redis: redis.get(_redis_key(key)))
        if not isinstance(framed, bytes):
            return None
        found = _unframed(key, framed)
        if found is None:
            return None
        value, expires_at = found
        seconds_left = (expires_at - self._now_ms()) / 1000
        if seconds_left <= 0:
            return None
        self._memory.set(key, value, size=len(value), seconds=seconds_left)
        return value

    async def _ask(self, command: Callable[[Redis], Awaitable[_Answer]]) -> _Answer | None:
        """Redis' answer; None without a gate, without an answer, and for a refusal.

        Redis refuses a command for instance when something else has left another type of value
        under the key; that is no reason to fail a request either.
        """
        if self._gate is None:
            return None
        try:
            return await self._gate.call(command)
        except (RedisAwayError, RedisError):
            return None

    def _now_ms(self) -> int:
        return int(self._clock().timestamp() * 1000)


def _redis_key(key: str) -> str:
    return f"cache:{key}"


def _framed(key: str, value: bytes, *, expires_at: int) -> bytes:
    moment = expires_at.to_bytes(_MOMENT_BYTES)
    return _MARK + moment + _checksum(key, moment, value) + value


def _unframed(key: str, framed: bytes) -> tuple[bytes, int] | None:
    if len(framed) < _HEAD_BYTES or not framed.startswith(_MARK):
        return None
    moment = framed[len(_MARK) : len(_MARK) + _MOMENT_BYTES]
    checksum = framed[len(_MARK) + _MOMENT_BYTES : _HEAD_BYTES]
    value = framed[_HEAD_BYTES:]
    if checksum != _checksum(key, moment, value):
        return None
    return value, int.from_bytes(moment)


def _checksum(key: str, moment: bytes, value: bytes) -> bytes:
    # The key's length keeps its end apart from the moment's beginning.
    name = key.encode()
    digest = blake2b(len(name).to_bytes(4) + name + moment, digest_size=_SUM_BYTES)
    digest.update(value)
    return digest.digest()
