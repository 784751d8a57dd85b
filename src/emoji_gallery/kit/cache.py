"""Bytes kept near: in this process, then in Redis, behind one interface.

A cache never fails a request: while Redis is away it answers from the process and makes the rest
anew. What it holds may vanish at any time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class CacheSettings(BaseSettings):
    """How much is kept in memory."""

    model_config = SettingsConfigDict(frozen=True)

    cache_mib: int = Field(
        default=64, ge=0, description="MiB of answers that one process keeps; 0 keeps none."
    )


class Cache(Protocol):
    """Two-level cache of bytes."""

    @property
    def available(self) -> bool:
        """Whether the shared level answers. Without it the cache still works, per process."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The value, or None: unknown, expired, damaged, or Redis is away. Never raises."""
        ...

    async def set(self, key: str, value: bytes, *, ttl: timedelta) -> None:
        """Keep `value` at both levels for `ttl`. Never raises."""
        ...

    async def delete(self, key: str) -> None:
        """Forget `key` here and in Redis; other processes keep theirs until it expires."""
        ...

    async def get_or_make(
        self, key: str, make: Callable[[], Awaitable[bytes]], *, ttl: timedelta
    ) -> bytes:
        """The value, made at most once at a time in this process however many ask.

        Everybody who waits gets the same value, or the exception that `make` raised, which is not
        kept. One caller going away does not cancel the work for the others.
        """
        ...
