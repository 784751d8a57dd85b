"""What is to be done every so often, by one worker at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class PeriodicTask:
    """Something to do every so often.

    `name` is `<schema>.<verb>`, as for tasks: the schema's `periodic` table remembers the last
    run. The first run is due at once. A run that fails is logged and comes again after `every`, as
    one that succeeds does; one whose worker died comes again when its lease has run out. `run` is
    cancelled after `timeout`.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]
    timeout: timedelta = timedelta(minutes=10)
