"""One run of one task: what happens between the claim of its row and its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

import orjson
import structlog
from faststream_outbox.message import OutboxInnerMessage

from emoji_gallery.kit.queue import Payload, PermanentTaskError, TaskHandler

log = structlog.get_logger(__name__)

# A row that was claimed this many times more often than it may be tried took its workers down.
_CRASHES_BORNE: Final = 3

_MOST_REASON_CHARACTERS: Final = 2000


class TaskFailedError(Exception):
    """What a run raises into the transport: the handler's policy goes with the cause."""

    def __init__(self, handler: TaskHandler, cause: BaseException) -> None:
        """Wrap what the handler raised."""
        super().__init__(f"{handler.task}: {cause!r}")
        self.handler = handler
        self.cause = cause


@dataclass(frozen=True)
class RunTask:
    """Runs the handler of a claimed row; raises `TaskFailedError`."""

    handlers: Mapping[str, TaskHandler]

    async def run(self, row: OutboxInnerMessage) -> None:
        """Run one row."""
        handler = self.handlers[row.queue]
        origin = (row.headers or {}).get("correlation_id")
        with structlog.contextvars.bound_contextvars(
            task=row.queue, task_id=row.id, request_id=origin
        ):
            try:
                await _attempt(handler, row)
            except Exception as error:
                attempt = row.attempts_count + 1
                log.warning("task.failed", attempt=attempt, error=repr(error), exc_info=error)
                raise TaskFailedError(handler, error) from error
            log.info("task.done", attempt=row.attempts_count + 1)


async def _attempt(handler: TaskHandler, row: OutboxInnerMessage) -> None:
    if row.deliveries_count > handler.retry.attempts + _CRASHES_BORNE:
        raise PermanentTaskError(f"claimed {row.deliveries_count} times: its workers were lost")
    payload = _payload_of(row)
    async with asyncio.timeout(handler.timeout.total_seconds()):
        await handler.handle(payload)


def _payload_of(row: OutboxInnerMessage) -> Payload:
    try:
        payload = orjson.loads(row.payload)
    except orjson.JSONDecodeError as error:
        raise PermanentTaskError("the payload is not JSON") from error
    if not isinstance(payload, dict):
        raise PermanentTaskError("the payload is not an object")
    return payload


@dataclass(frozen=True)
class RetryByHandler:
    """faststream-outbox's retry strategy: each failed run says by whose policy it goes on."""

    random: Random

    def get_next_attempt_delay(
        self,
        *,
        first_attempt_at: datetime,  # noqa: ARG002 (the transport's interface)
        last_attempt_at: datetime,  # noqa: ARG002
        attempts_count: int,
        exception: BaseException | None = None,
    ) -> float | None:
        """Seconds until the next attempt; None sends the task to the dead letters."""
        if not isinstance(exception, TaskFailedError):
            raise TypeError("a run raises TaskFailedError alone")
        if isinstance(exception.cause, PermanentTaskError):
            return None
        delay = exception.handler.retry.delay_after(attempts_count, self.random)
        return None if delay is None else delay.total_seconds()


def reason_of(error: BaseException) -> str:
    """What the dead letter says of the failure."""
    cause = error.cause if isinstance(error, TaskFailedError) else error
    return f"{type(cause).__name__}: {cause}"[:_MOST_REASON_CHARACTERS]
