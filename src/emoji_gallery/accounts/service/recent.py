"""What was found out a moment ago, kept in this process for some seconds."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from emoji_gallery.kit.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most `size` answers, each believed for `ttl` from the moment it was asked for.

    The least recently used one makes room. One load serves all that wait for it.
    """

    def __init__(self, *, size: int, ttl: timedelta, clock: Clock) -> None:
        self._size = size
        self._ttl = ttl
        self._clock = clock
        self._kept: OrderedDict[K, tuple[datetime, V]] = OrderedDict()
        self._loading: dict[K, asyncio.Future[V]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """The answer, if it is known and young enough."""
        found = self._kept.get(key)
        if found is None:
            return None
        asked_at, value = found
        # A clock that was set back must not make an answer immortal.
        if not timedelta(0) <= self._clock() - asked_at < self._ttl:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return value

    def put(self, key: K, value: V, *, asked_at: datetime | None = None) -> None:
        """Keep an answer."""
        self._kept[key] = (asked_at or self._clock(), value)
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)

    async def get_or_load(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """The answer, loaded if need be; what `load` raises is raised and not kept.

        A caller that goes away does not cancel the load for the others.
        """
        kept = self.get(key)
        if kept is not None:
            return kept
        running = self._loading.get(key)
        if running is None:
            running = asyncio.ensure_future(self._load(key, load))
            self._loading[key] = running
            running.add_done_callback(_retrieve)
        return await asyncio.shield(running)

    def forget(self, key: K) -> None:
        """Drop an answer that has changed, and what is being loaded of it."""
        self._kept.pop(key, None)
        self._loading.pop(key, None)

    def forget_where(self, outdated: Callable[[V], bool]) -> None:
        """Drop every answer of which `outdated` says so."""
        for key in [key for key, (_, value) in self._kept.items() if outdated(value)]:
            self.forget(key)

    async def _load(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        asked_at = self._clock()
        try:
            value = await load()
            # Forgotten meanwhile: what was read may be the state before the change.
            if self._loading.get(key) is asyncio.current_task():
                self.put(key, value, asked_at=asked_at)
            return value
        finally:
            if self._loading.get(key) is asyncio.current_task():
                del self._loading[key]


def _retrieve(finished: asyncio.Future[V]) -> None:
    """Look at the outcome, lest asyncio complain when every caller has gone away."""
    if not finished.cancelled():
        finished.exception()
