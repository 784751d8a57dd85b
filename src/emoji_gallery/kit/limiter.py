"""Counting what a caller may do: the port.

The count is kept in Redis, on Redis' clock, and is exact: in any stretch of one window's length,
however it is laid, at most `limit` units are allowed, whatever the concurrency. While Redis is
away every process counts for itself and allows its share, `limit` ÷ `REPLICAS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

# A window is counted in buckets of a sixtieth of its length. The units of one bucket come back
# together, a whole window after the latest of them: never early, at most a sixtieth late.
_BUCKETS: Final = 60


class LimiterSettings(BaseSettings):
    """How limits are shared out while Redis is away."""

    model_config = SettingsConfigDict(frozen=True)

    replicas: int = Field(
        default=1,
        ge=1,
        description="How many processes serve the same callers: each allows its share of every "
        "limit while Redis is away.",
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one hit found.

    Seconds are whole, rounded up. `reset_seconds` is when the oldest unit spent comes back (0 when
    nothing is spent); `retry_after` is when the hit would be allowed, and 0 for one that is.
    """

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

        `subject` is whoever is counted (`user:…`, `address:…`); it is stored hashed.
        """
        ...


def bucket_width_ms(window: timedelta) -> int:
    """The length of one bucket; raises `ValueError` for a window too short to count in."""
    width = window // timedelta(milliseconds=_BUCKETS)
    if width < 1:
        message = f"a window has at least {_BUCKETS} ms, not {window}"
        raise ValueError(message)
    return width


def seconds_up(milliseconds: float) -> int:
    """Whole seconds, rounded up."""
    return int(-(-milliseconds // 1000))
