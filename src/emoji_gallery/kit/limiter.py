"""Counting what a caller may do: the port.

The count is kept in Redis, on Redis' clock, and is exact: in any `window`, however it is laid, at
most `limit` units are allowed, whatever the concurrency. While Redis is away every process counts
for itself and allows its share, `limit` ÷ REPLICAS.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one hit found. Seconds are whole, rounded up; `retry_after` is 0 when allowed."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int
    retry_after: int


class Limiter(Protocol):
    """Limits units a window for each (policy, subject)."""

    @property
    def available(self) -> bool:
        """Whether counts are shared. A caller that must not guess refuses when they are not."""
        ...

    async def hit(
        self, policy: str, subject: str, *, limit: int, window: timedelta, cost: int = 1
    ) -> Verdict:
        """Take `cost` units, all or none. Never raises because of Redis.

        `subject` is whoever is counted (`user:…`, `address:…`); it is hashed before it is stored.
        """
        ...

    async def peek(self, policy: str, subject: str, *, limit: int, window: timedelta) -> Verdict:
        """What a hit of cost 1 would find; nothing is taken."""
        ...
