"""One piece of work for all who ask for it at the same time in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Flights(Generic[K, V]):
    """Work in progress by key. Who goes away early leaves it to the others, and to the next."""

    def __init__(self) -> None:
        """Begin with no work."""
        self._tasks: dict[K, asyncio.Task[V]] = {}

    async def share(self, key: K, make: Callable[[], Awaitable[V]]) -> V:
        """The outcome of the work that is under way for `key`; begins it if there is none.

        Everybody gets the same value, or the same exception. Nothing is kept afterwards.
        """
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.ensure_future(_run(make))
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Cancel what is under way and wait until it has ended."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _land(self, key: K, task: asyncio.Task[V]) -> None:
        self._tasks.pop(key, None)
        if not task.cancelled():
            # Looked at here, lest asyncio complains when everybody who waited has gone.
            task.exception()


async def _run(make: Callable[[], Awaitable[V]]) -> V:
    return await make()
