"""One at a time for each key, within this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Turns:
    """Lets callers with the same key wait for each other before they take a connection.

    A lock in the database decides between processes, but who waits for it there holds a connection
    meanwhile: a crowd behind one key would leave none for all others.
    """

    def __init__(self) -> None:
        """Nobody waits yet; a key is forgotten when nobody uses it."""
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Wait for one's turn and keep it for the block."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        async with lock:
            yield
