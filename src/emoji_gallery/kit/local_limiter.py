"""The limiter of one process: what is left of limits while Redis is away."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final

from emoji_gallery.kit.limiter import Verdict, bucket_width_ms, seconds_up

# Subjects beyond this many are forgotten, the one longest unseen first: about 30 MB.
_MOST_SUBJECTS: Final = 50_000


class LocalLimiter:
    """Counts in memory, by the same rules as the shared limiter, and allows a share.

    The share is `limit` ÷ `replicas`, but at least one. `clock` gives seconds and never goes back.
    """

    def __init__(self, *, replicas: int, clock: Callable[[], float] = monotonic) -> None:
        """Count nothing yet."""
        self._replicas = replicas
        self._clock = clock
        self._windows: OrderedDict[tuple[str, str, timedelta], _Window] = OrderedDict()

    @property
    def available(self) -> bool:
        """Nothing is shared here."""
        return False

    async def hit(
        self, policy: str, subject: str, *, limit: int, window: timedelta, cost: int = 1
    ) -> Verdict:
        """Take `cost` units of this process' share, all or none."""
        return self.hit_now(policy, subject, limit=limit, window=window, cost=cost)

    def hit_now(
        self, policy: str, subject: str, *, limit: int, window: timedelta, cost: int = 1
    ) -> Verdict:
        """As `hit`, without waiting for anything."""
        counted = self._window((policy, subject, window))
        now = self._clock() * 1000
        length = window.total_seconds() * 1000
        counted.forget(now - length)
        share = max(1, limit // self._replicas)
        allowed = counted.used + cost <= share
        if allowed:
            counted.spend(int(now // bucket_width_ms(window)), cost, now)
        wait = counted.latest_of_freed(counted.used + cost - share) + length - now
        return Verdict(
            allowed=allowed,
            limit=limit,
            remaining=max(0, share - counted.used),
            reset_seconds=max(0, seconds_up(counted.latest_of_freed(1) + length - now)),
            retry_after=0 if allowed else max(1, seconds_up(wait)),
        )

    def _window(self, key: tuple[str, str, timedelta]) -> _Window:
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window()
            if len(self._windows) > _MOST_SUBJECTS:
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end(key)
        return window


@dataclass(slots=True)
class _Bucket:
    number: int
    spent: int
    latest: float


class _Window:
    """Units spent by bucket, oldest first."""

    __slots__ = ("buckets", "used")

    def __init__(self) -> None:
        self.buckets: deque[_Bucket] = deque()
        self.used = 0

    def forget(self, until: float) -> None:
        while self.buckets and self.buckets[0].latest <= until:
            self.used -= self.buckets.popleft().spent

    def spend(self, number: int, cost: int, now: float) -> None:
        self.used += cost
        if self.buckets and self.buckets[-1].number == number:
            self.buckets[-1].spent += cost
            self.buckets[-1].latest = now
        else:
            self.buckets.append(_Bucket(number, cost, now))

    def latest_of_freed(self, units: int) -> float:
        """The moment of the last spending that has to come back until `units` are free."""
        latest = 0.0
        for bucket in self.buckets:
            latest = bucket.latest
            units -= bucket.spent
            if units <= 0:
                break
        return latest
