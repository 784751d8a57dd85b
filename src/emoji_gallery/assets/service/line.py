"""A waiting line with an end: who does not fit in is sent away at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from emoji_gallery.kit.errors import UnavailableError


class WaitingLine:
    """Serves `at_once`, lets `waiting` wait."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        """Begin empty."""
        self._places = asyncio.Semaphore(at_once)
        self._room = at_once + waiting

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place, after waiting for it; raises `UnavailableError` when the line is full."""
        if self._room == 0:
            raise UnavailableError("Too many files are being made just now.", retry_after=2)
        self._room -= 1
        try:
            async with self._places:
                yield
        finally:
            self._room += 1
