"""Where one feature's tasks are taken: a broker, its leases, its connections."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from random import Random
from typing import Any, Final

import structlog
from faststream.message import StreamMessage
from faststream_outbox import OutboxBroker
from faststream_outbox.message import OutboxInnerMessage
from sqlalchemy.ext.asyncio import AsyncEngine

from emoji_gallery.kit.outbox.leases import LeasingClient
from emoji_gallery.kit.outbox.runs import RetryByHandler, RunTask, TaskFailedError, reason_of
from emoji_gallery.kit.outbox.tables import TaskTables
from emoji_gallery.kit.queue import TaskHandler, TaskObserver, TaskOutcome

log = structlog.get_logger(__name__)

# A lease is renewed this often in its time, so that two renewals in a row may fail.
_RENEWALS_A_LEASE: Final = 4

# Shortest and longest pause, in seconds, between looks for tasks that no NOTIFY tells of: delayed
# ones and those of dead workers.
_LOOK_EVERY: Final = (0.5, 2.0)

# The transport's word for what became of a run.
_OUTCOMES: Final[Mapping[str, TaskOutcome]] = {
    "acked": "done",
    "nacked_retried": "retried",
    "nacked_terminal": "dead",
    "lease_lost": "lease_lost",
    "dispatch_abandoned": "abandoned",
}


class Station:
    """Claims the rows of one outbox and runs their handlers, `concurrency` at once."""

    def __init__(  # noqa: PLR0913 (each is one collaborator or one number, named at the one call)
        self,
        engine: AsyncEngine,
        tables: TaskTables,
        *,
        handlers: Mapping[str, TaskHandler],
        concurrency: int,
        lease_seconds: float,
        grace_seconds: float,
        observer: TaskObserver,
        random: Random,
    ) -> None:
        """Put the parts together; nothing is connected yet."""
        self._schema = tables.schema
        self._lease_seconds = lease_seconds
        self._observer = observer
        self._client = LeasingClient(engine, tables)
        self._broker = OutboxBroker(
            engine,
            outbox_table=tables.outbox,
            dlq_table=tables.dead,
            graceful_timeout=grace_seconds,
            metrics_recorder=self._record,
            last_exception_renderer=reason_of,
            logger=_TransportLog(tables.schema),
            apply_types=False,
        )
        # The broker makes a client of its own and has no argument for another one.
        self._broker.config.broker_config.client = self._client
        # The broker itself refers to its subscribers weakly.
        self._subscriber = self._broker.subscriber(
            sorted(handlers),
            max_workers=concurrency,
            # What waits here cannot be taken by an idle worker: claim one ahead, no more.
            fetch_batch_size=1,
            retry_strategy=RetryByHandler(random),
            min_fetch_interval=_LOOK_EVERY[0],
            max_fetch_interval=min(_LOOK_EVERY[1], lease_seconds / 2),
            lease_ttl_seconds=lease_seconds,
            decoder=_claimed_row,
        )
        self._subscriber(RunTask(handlers).run)
        self._renewing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to claim and to renew."""
        await self._broker.start()
        self._renewing = asyncio.create_task(self._renew(), name=f"leases-{self._schema}")

    async def stop(self) -> None:
        """Claim nothing more, wait for running tasks, give the others back."""
        await self._broker.stop()
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        try:
            released = await self._client.release()
        except Exception as error:  # noqa: BLE001 (their leases run out instead)
            log.warning("tasks.not_released", schema=self._schema, error=repr(error))
        else:
            if released:
                log.warning("tasks.released", schema=self._schema, tasks=released)

    def check(self) -> None:
        """Raise `RuntimeError` when a loop has ended that should run."""
        loops = self._subscriber.tasks
        if not loops or any(loop.done() for loop in loops):
            raise RuntimeError(f"no tasks of {self._schema} are taken")

    async def _renew(self) -> None:
        pause = self._lease_seconds / _RENEWALS_A_LEASE
        while True:
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(pause):
                    lost = await self._client.renew()
            except Exception as error:  # noqa: BLE001 (the next renewal may still come in time)
                log.warning("tasks.leases_not_renewed", schema=self._schema, error=repr(error))
            else:
                if lost:
                    log.warning("tasks.leases_lost", schema=self._schema, rows=lost)

    def _record(self, event: str, tags: Mapping[str, Any]) -> None:
        if event == "dispatched":
            self._observer.task_started(tags["queue"])
        elif event in _OUTCOMES:
            outcome = _OUTCOMES[event]
            self._observer.task_finished(tags["queue"], outcome, tags.get("duration_seconds", 0.0))


async def _claimed_row(message: StreamMessage[OutboxInnerMessage]) -> OutboxInnerMessage:
    """Hand the row itself to the handler instead of its decoded body."""
    return message.raw_message


class _TransportLog:
    """What faststream-outbox says of itself, as events; runs log their own failures."""

    def __init__(self, schema: str) -> None:
        self._schema = schema

    def log(
        self,
        level: int,
        msg: object,
        /,
        *,
        exc_info: object = None,
        extra: Mapping[str, object] | None = None,  # noqa: ARG002 (the transport's interface)
    ) -> None:
        if level >= logging.WARNING and not isinstance(exc_info, TaskFailedError):
            log.warning("tasks.transport", schema=self._schema, said=str(msg))
