"""Runs the tasks that wait in the outbox tables."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import select

from emoji_gallery.kit.database import Database
from emoji_gallery.kit.outbox.station import Station
from emoji_gallery.kit.outbox.tables import TaskTables
from emoji_gallery.kit.queue import (
    TaskHandler,
    TaskObserver,
    UnhandledTaskError,
    UnknownTaskError,
)
from emoji_gallery.kit.task_metrics import NobodyObserves


class WorkerSettings(BaseSettings):
    """How a worker runs tasks."""

    model_config = SettingsConfigDict(frozen=True)

    task_concurrency: int = Field(
        default=3, ge=1, le=50, description="Tasks of one feature that a worker runs at once."
    )
    task_lease_seconds: float = Field(
        default=12,
        ge=1,
        le=600,
        description="So long after a worker was killed its tasks are run by another one.",
    )
    task_grace_seconds: float = Field(
        default=20, ge=0, description="A stopping worker lets running tasks end within this time."
    )


class OutboxWorker:
    """Runs the tasks of some features; each has connections and a bound of its own.

    `database` needs `worker_connections(…)` connections, which no one else uses.
    """

    def __init__(
        self,
        database: Database,
        *,
        features: Sequence[TaskTables],
        handlers: Sequence[TaskHandler],
        settings: WorkerSettings,
        observer: TaskObserver | None = None,
        random: Random | None = None,
    ) -> None:
        """Check the handlers against what the features declare; nothing runs yet."""
        self._handlers = _checked(features, handlers)
        self._database = database
        self._features = [tables for tables in features if tables.tasks]
        self._stations = [
            Station(
                database.engine,
                tables,
                handlers={task: self._handlers[task] for task in tables.tasks},
                concurrency=settings.task_concurrency,
                lease_seconds=settings.task_lease_seconds,
                grace_seconds=settings.task_grace_seconds,
                observer=observer or NobodyObserves(),
                random=random or Random(),  # noqa: S311 (it spreads pauses, it guards nothing)
            )
            for tables in self._features
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take tasks during the block; see the port."""
        await self._refuse_orphans()
        try:
            for station in self._stations:
                await station.start()
            yield
        finally:
            # Together, so that the grace is spent once and not once a feature.
            await asyncio.gather(*(station.stop() for station in self._stations))

    async def check(self) -> None:
        """Raise `RuntimeError` unless every loop that takes tasks still runs."""
        for station in self._stations:
            station.check()

    async def _refuse_orphans(self) -> None:
        async with self._database.reading() as connection:
            for tables in self._features:
                rows = await connection.execute(select(tables.outbox.c.queue).distinct())
                orphans = {row.queue for row in rows} - self._handlers.keys()
                if orphans:
                    raise UnhandledTaskError(
                        f"tasks wait that nobody handles: {', '.join(sorted(orphans))}; "
                        "`emoji-gallery tasks bury NAME` puts them among the dead letters"
                    )


def worker_connections(features: Sequence[TaskTables], settings: WorkerSettings) -> int:
    """How many connections to PostgreSQL a worker and its schedule need in their pool.

    Beside them it holds one for each feature that listens for NOTIFY.
    """
    # For each feature one that claims, one that renews and one for each task at once; two for
    # the schedule and for checks.
    stations = sum(1 for tables in features if tables.tasks)
    return stations * (2 + settings.task_concurrency) + 2


def _checked(
    features: Sequence[TaskTables], handlers: Sequence[TaskHandler]
) -> dict[str, TaskHandler]:
    declared = {task for tables in features for task in tables.tasks}
    by_task = {handler.task: handler for handler in handlers}
    offered = Counter(handler.task for handler in handlers)
    if twice := sorted(task for task, times in offered.items() if times > 1):
        raise ValueError(f"tasks with two handlers: {', '.join(twice)}")
    if unknown := sorted(by_task.keys() - declared):
        raise UnknownTaskError(f"handlers for tasks that no feature declares: {', '.join(unknown)}")
    if unhandled := sorted(declared - by_task.keys()):
        raise UnhandledTaskError(f"tasks without a handler: {', '.join(unhandled)}")
    return by_task
