"""The one place of the tests that waits: for a condition, with a deadline."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from time import monotonic, sleep
from typing import Final, TypeVar, overload

T = TypeVar("T")

_TICK_SECONDS: Final = 0.01
_PROCESS_TICK_SECONDS: Final = 0.05


@overload
async def eventually(condition: Callable[[], Awaitable[T]], *, within: float) -> T: ...


@overload
async def eventually(condition: Callable[[], T], *, within: float) -> T: ...


async def eventually(condition: Callable[[], object], *, within: float) -> object:
    """Look again and again until `condition` is true, and return what it returned.

    A failed assertion in the condition counts as "not yet". After `within` seconds the last
    failure is the test's failure.
    """
    deadline = monotonic() + within
    while True:
        try:
            outcome = condition()
            value = await outcome if inspect.isawaitable(outcome) else outcome
        except AssertionError:
            if monotonic() > deadline:
                raise
        else:
            if value:
                return value
            assert monotonic() < deadline, f"not within {within} s; last seen: {value!r}"
        await asyncio.sleep(_TICK_SECONDS)


def blocking_until(condition: Callable[[], object], *, within: float) -> None:
    """The same for what has no event loop, such as a process that starts."""
    deadline = monotonic() + within
    while not condition():
        assert monotonic() < deadline, f"not within {within} s"
        sleep(_PROCESS_TICK_SECONDS)
