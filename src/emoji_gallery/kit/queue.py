"""The queue port: what features see of tasks, whatever carries them.

A task is published inside the transaction that makes it necessary, so that both are committed or
neither. It is run at least once, in no particular order, perhaps twice at the same time: a handler
takes ids, claims its row, and changes nothing the second time.

Names are `<schema>.<verb>`: `user_emojis.process`. The schema says in whose tables a task waits;
each feature declares its tasks beside its tables (`kit.outbox.tables.declare_tasks`), and a worker
refuses to start when a declared or waiting task has no handler.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Literal, Protocol

from emoji_gallery.kit.database import WriteConnection
from emoji_gallery.kit.jsontypes import JSON

Payload = Mapping[str, JSON]


class PermanentTaskError(Exception):
    """Raised by a handler: trying again cannot help, so the task goes to the dead letters now."""


class UnknownTaskError(LookupError):
    """A task was published, or a handler offered, under a name that no feature declares."""


class UnhandledTaskError(RuntimeError):
    """A worker was started although declared or waiting tasks have no handler there."""


class Queue(Protocol):
    """Publishes tasks."""

    async def publish(
        self,
        tx: WriteConnection,
        task: str,
        payload: Payload,
        *,
        delay: timedelta | None = None,
        key: str | None = None,
    ) -> None:
        """Let `task` run once `tx` is committed, and at the earliest after `delay`.

        `key` (at most 200 characters) joins this task with one of the same name and key that
        still waits: one run serves both, at the later of both start times, and sees what both
        transactions wrote. A task that already runs is not joined, since it may have looked too
        early: another run is made, perhaps beside it. Tasks of one key have the same payload. A
        transaction that publishes several keys does so in sorted order, lest two of them wait for
        each other.

        Raises `UnknownTaskError` for a name that is not declared, `ValueError` for a payload that
        is not JSON.
        """
        ...


@dataclass(frozen=True)
class RetryPolicy:
    """How often, and after which pauses, a failing task is tried again.

    The pause doubles from `first_delay` up to `longest_delay`; a random quarter is added or taken
    so that tasks that failed together do not return together.
    """

    attempts: int = 6
    first_delay: timedelta = timedelta(seconds=1)
    longest_delay: timedelta = timedelta(minutes=5)

    def delay_after(self, attempt: int, random: Random) -> timedelta | None:
        """The pause after failed attempt number `attempt` (from 1); None when it was the last."""
        if attempt >= self.attempts:
            return None
        # Beyond 60 doublings every pause is the longest one, and far beyond floats overflow.
        doubled = self.first_delay.total_seconds() * 2.0 ** min(attempt - 1, 60)
        seconds = min(doubled, self.longest_delay.total_seconds())
        return timedelta(seconds=seconds * random.uniform(0.75, 1.25))


@dataclass(frozen=True)
class TaskHandler:
    """Runs the tasks of one name.

    `handle` gets the payload. Returning means done; `PermanentTaskError` means never; any other
    exception is tried again as `retry` says and then goes to the dead letters. A run that takes
    longer than `timeout` is cancelled and counts as failed. The lease of a running task is renewed
    by the worker: handlers need not hurry because of it.
    """

    task: str
    handle: Callable[[Payload], Awaitable[None]]
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeout: timedelta = timedelta(minutes=5)


TaskOutcome = Literal["done", "retried", "dead", "lease_lost", "abandoned"]


class TaskObserver(Protocol):
    """Hears of every run, for metrics. It is called on the event loop: it must not block."""

    def task_published(self, task: str) -> None:
        """A task was written; its transaction may still be rolled back."""
        ...

    def task_started(self, task: str) -> None:
        """A handler is about to run."""
        ...

    def task_finished(self, task: str, outcome: TaskOutcome, seconds: float) -> None:
        """A run ended, and its outcome is stored (or its lease was lost before it could be)."""
        ...


class Worker(Protocol):
    """Runs the tasks of the handlers it was given, in this process."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Take tasks during the block.

        Raises `UnhandledTaskError` or `UnknownTaskError` before it. At its end nothing more is
        taken, running tasks may end within the grace that the worker was made with, and the others
        are given back for somebody else to run at once.
        """
        ...

    async def check(self) -> None:
        """Raise unless tasks are being taken; for health reports."""
        ...
