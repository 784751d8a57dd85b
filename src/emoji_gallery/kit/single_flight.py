"""One piece of work at a time for each key, shared by all who want its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

_Outcome = TypeVar("_Outcome")


class SingleFlight(Generic[_Outcome]):
    """Runs work once for everybody who asks for the same key meanwhile.

    The work runs in a task of its own: a caller that goes away leaves it running for the others.
    An exception reaches all who waited and is then forgotten.
    """

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._flights: dict[str, asyncio.Task[_Outcome]] = {}

    async def do(self, key: str, work: Callable[[], Awaitable[_Outcome]]) -> _Outcome:
        """Join the work for `key` that is under way, or start it."""
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(_run(work))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight)

    def _landed(self, key: str, flight: asyncio.Task[_Outcome]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            # If everybody has left, nobody else looks at the exception.
            flight.exception()


async def _run(work: Callable[[], Awaitable[_Outcome]]) -> _Outcome:
    return await work()
