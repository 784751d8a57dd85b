"""Runs periodic tasks, each by one worker at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Final
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Table, and_, func, or_, update
from sqlalchemy.dialects.postgresql import insert

from emoji_gallery.kit.clock import Clock
from emoji_gallery.kit.database import Database
from emoji_gallery.kit.outbox.tables import TaskTables
from emoji_gallery.kit.periodic import PeriodicTask
from emoji_gallery.kit.queue import TaskObserver, TaskOutcome

log = structlog.get_logger(__name__)

# A lease is renewed this often in its time, so that two renewals in a row may fail.
_RENEWALS_A_LEASE: Final = 4


@dataclass(frozen=True)
class Pace:
    """Seconds: how often to look whether something is due, and how long a dead run blocks it."""

    look_every: float = 5.0
    lease: float = 60.0


class Schedule:
    """Keeps periodic tasks going, together with the schedules of other workers.

    `clock` decides what is due; leases live on PostgreSQL's clock.
    """

    def __init__(
        self,
        database: Database,
        *,
        features: Sequence[TaskTables],
        tasks: Sequence[PeriodicTask],
        clock: Clock,
        observer: TaskObserver,
        random: Random,
        pace: Pace = Pace(),
    ) -> None:
        """Raise `ValueError` for a name that is not `<schema>.<verb>` or is used twice."""
        periodic = {tables.schema: tables.periodic for tables in features}
        self._runs = [
            _PeriodicRun(task, _table_of(task, periodic), database, clock, observer, pace)
            for task in tasks
        ]
        if len({task.name for task in tasks}) < len(tasks):
            raise ValueError("two periodic tasks have the same name")
        self._random = random
        self._pace = pace

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run what is due during the block; what runs at its end is cancelled and due at once."""
        loops = [
            asyncio.create_task(self._keep_going(run), name=f"periodic-{run.task.name}")
            for run in self._runs
        ]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    async def _keep_going(self, run: _PeriodicRun) -> None:
        pause = min(self._pace.look_every, run.task.every.total_seconds())
        while True:
            try:
                await run.run_if_due()
            except Exception as error:  # noqa: BLE001 (PostgreSQL may be away; it is tried again)
                log.warning("periodic.not_looked", task=run.task.name, error=repr(error))
            # Not all workers at the same moment.
            await asyncio.sleep(pause * self._random.uniform(0.75, 1.25))


@dataclass(frozen=True)
class _PeriodicRun:
    """One periodic task and the row that remembers it."""

    task: PeriodicTask
    table: Table
    database: Database
    clock: Clock
    observer: TaskObserver
    pace: Pace

    async def run_if_due(self) -> None:
        token = await self._claim()
        if token is None:
            return
        renewing = asyncio.create_task(self._renew(token))
        try:
            await self._run()
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(token))
            raise
        else:
            await asyncio.shield(self._finish(token))
        finally:
            renewing.cancel()
            # Not `await renewing`: its cancellation could not be told from our own.
            await asyncio.wait([renewing])

    async def _run(self) -> None:
        started = perf_counter()
        outcome: TaskOutcome = "done"
        self.observer.task_started(self.task.name)
        with structlog.contextvars.bound_contextvars(task=self.task.name):
            try:
                async with asyncio.timeout(self.task.timeout.total_seconds()):
                    await self.task.run()
            except Exception as error:
                log.warning("periodic.failed", error=repr(error), exc_info=error)
                outcome = "retried"
            seconds = perf_counter() - started
            self.observer.task_finished(self.task.name, outcome, seconds)

    async def _claim(self) -> UUID | None:
        """The token of a run that is due now and nobody else's; else None."""
        table, now = self.table, self.clock()
        claimed = {
            "started_at": now,
            "leased_until": func.now() + func.make_interval(0, 0, 0, 0, 0, 0, self.pace.lease),
            "lease_token": uuid4(),
        }
        is_due = and_(table.c.lease_token.is_(None), table.c.started_at <= now - self.task.every)
        its_worker_died = table.c.leased_until < func.now()
        statement = (
            insert(table)
            .values(name=self.task.name, **claimed)
            .on_conflict_do_update(
                index_elements=[table.c.name], set_=claimed, where=or_(is_due, its_worker_died)
            )
            .returning(table.c.lease_token)
        )
        async with self.database.transaction() as tx:
            token: UUID | None = (await tx.execute(statement)).scalar_one_or_none()
            return token

    async def _renew(self, token: UUID) -> None:
        lease = func.make_interval(0, 0, 0, 0, 0, 0, self.pace.lease)
        while True:
            await asyncio.sleep(self.pace.lease / _RENEWALS_A_LEASE)
            try:
                await self._update(token, leased_until=func.now() + lease)
            except Exception as error:  # noqa: BLE001 (the next renewal may still come in time)
                log.warning("periodic.lease_not_renewed", error=repr(error), task=self.task.name)

    async def _finish(self, token: UUID) -> None:
        await self._update(token, leased_until=None, lease_token=None)

    async def _give_back(self, token: UUID) -> None:
        """Leave the run as one whose worker died, so that another one takes it now."""
        try:
            await self._update(token, leased_until=func.to_timestamp(0))
        except Exception as error:  # noqa: BLE001 (its lease runs out instead)
            log.warning("periodic.not_given_back", error=repr(error), task=self.task.name)

    async def _update(self, token: UUID, **values: object) -> None:
        table = self.table
        held = (table.c.name == self.task.name, table.c.lease_token == token)
        async with self.database.transaction() as tx:
            await tx.execute(update(table).where(*held).values(**values))


def _table_of(task: PeriodicTask, periodic: dict[str, Table]) -> Table:
    table = periodic.get(task.name.partition(".")[0])
    if table is None:
        raise ValueError(f"no feature here has a periodic task named {task.name}")
    return table
