"""Keeps the children of one family: lends them out, replaces the spent and the failed."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from emoji_gallery.media.errors import ImageRejectedError, Rejection, RendererUnavailableError
from emoji_gallery.media.process import Child, ChildKilledError, Family, spawn
from emoji_gallery.media.protocol import Answer, Task
from emoji_gallery.media.turnstile import Priority, Turnstile
from emoji_gallery.media.watch import Allowance

log: Final = structlog.get_logger()


_PROCESSORS: Final = 4

_RESERVE: Final = 1.25
"""Decoders set more memory aside than they come to hold; past this they are refused more."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many children there are, what a task may use, and how long callers wait for a place."""

    children: int = 0
    """How many work at a time on each family; 0 means one more than there are processors, up to
    four: what a container may use of a large machine is not seen from inside."""
    allowance: Allowance = field(default_factory=Allowance)
    queue_seconds: float = 30
    tasks_per_child: int = 200


@dataclass
class Pool:
    """Children of one family, started ahead and on demand."""

    family: Family
    bounds: Bounds
    _live: set[Child] = field(default_factory=set)
    _idle: list[Child] = field(default_factory=list)
    _endings: set[asyncio.Task[int]] = field(default_factory=set)
    _turnstile: Turnstile = field(init=False)
    _stopped: bool = True

    def __post_init__(self) -> None:
        """Keep one place for probes alone, unless there is one place in all."""
        places = self.bounds.children or min(os.cpu_count() or 1, _PROCESSORS) + 1
        self._turnstile = Turnstile(places, reserved=1 if places > 1 else 0)

    @property
    def measures(self) -> frozenset[str]:
        """Which measures of the sandbox are in force in every child."""
        sets = [frozenset(child.measures) for child in self._live]
        return frozenset.intersection(*sets) if sets else frozenset()

    async def start(self) -> None:
        """Start the first child. Raises RendererUnavailableError where that is impossible."""
        self._stopped = False
        self._idle.append(await self._start_child())

    async def stop(self) -> None:
        """End every child, also those at work: their tasks fail as unavailable."""
        self._stopped = True
        self._idle.clear()
        for child in list(self._live):
            self._end(child)
        while self._endings:
            await asyncio.gather(*self._endings)

    async def run(
        self, task: Task, source: int, priority: Priority
    ) -> tuple[Answer, Sequence[bytes]]:
        """Work a task in some child.

        Raises what `Child.ask` raises, and RendererUnavailableError where no child is free in
        time. A child that another process ends is replaced once, as the picture is not to blame.
        """
        async with self._turnstile.place(priority, seconds=self.bounds.queue_seconds):
            try:
                return await self._attempt(task, source)
            except ChildKilledError as error:
                log.warning("media.child_killed", family=self.family, cause=str(error))
            try:
                return await self._attempt(task, source)
            except ChildKilledError:
                raise ImageRejectedError(Rejection.CRASHED) from None

    async def _attempt(self, task: Task, source: int) -> tuple[Answer, Sequence[bytes]]:
        child = await self._borrow()
        try:
            return await child.ask(task, source, self.bounds.allowance)
        except ImageRejectedError as refusal:
            if refusal.__cause__ is not None or refusal.reason is Rejection.CRASHED:
                log.warning("media.child_failed", family=self.family, cause=repr(refusal.__cause__))
            raise
        finally:
            self._give_back(child)

    async def _borrow(self) -> Child:
        while self._idle:
            child = self._idle.pop()
            if child.usable:
                return child
            self._end(child)
        return await self._start_child()

    async def _start_child(self) -> Child:
        self._check_running()
        data_bytes = int(self.bounds.allowance.memory_bytes * _RESERVE)
        child = spawn(self.family, data_bytes=data_bytes)
        self._live.add(child)
        try:
            await child.greet()
            self._check_running()
        except BaseException:
            self._end(child)
            raise
        return child

    def _check_running(self) -> None:
        if self._stopped:
            raise RendererUnavailableError("the renderer is stopped")

    def _give_back(self, child: Child) -> None:
        spent = child.tasks_done >= self.bounds.tasks_per_child
        if self._stopped or spent or not child.usable:
            self._end(child)
        else:
            self._idle.append(child)

    def _end(self, child: Child) -> None:
        """Kill a child, and wait for its end beside the caller."""
        child.kill()
        if child in self._live:
            self._live.discard(child)
            ending = asyncio.create_task(child.reap())
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
