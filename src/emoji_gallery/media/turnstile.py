"""Lets as many jobs in as there are children, urgent ones first and never shut out by others."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum

from emoji_gallery.media.errors import RendererUnavailableError


class Priority(IntEnum):
    """Who goes first: somebody waits for a probe, soon for an upload, perhaps for a miss."""

    PROBE = 0
    UPLOAD = 1
    MISS = 2


@dataclass
class Turnstile:
    """Counts jobs in and out. `reserved` of the `places` are for probes alone."""

    places: int
    reserved: int
    _busy: int = 0
    _waiting: list[tuple[Priority, int, asyncio.Future[None]]] = field(default_factory=list)
    _arrivals: int = 0

    @asynccontextmanager
    async def place(self, priority: Priority, *, seconds: float) -> AsyncIterator[None]:
        """Hold a place. Raises RendererUnavailableError when none comes free in time."""
        await self._enter(priority, seconds)
        try:
            yield
        finally:
            self._busy -= 1
            self._admit()

    async def _enter(self, priority: Priority, seconds: float) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._waiting, (priority, self._arrivals, turn))
        self._admit()
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                # The turn came in the same instant as the end of the wait: pass it on.
                self._busy -= 1
            turn.cancel()
            self._admit()
            if isinstance(error, TimeoutError):
                raise RendererUnavailableError("every child is busy") from None
            raise

    def _admit(self) -> None:
        while self._waiting:
            priority, _, turn = self._waiting[0]
            reserved = 0 if priority is Priority.PROBE else self.reserved
            if turn.cancelled():
                heapq.heappop(self._waiting)
            elif self._busy < self.places - reserved:
                heapq.heappop(self._waiting)
                self._busy += 1
                turn.set_result(None)
            else:
                return
