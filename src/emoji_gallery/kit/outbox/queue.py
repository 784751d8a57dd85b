"""Publishing into the outbox tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import orjson
import structlog
from faststream_outbox import OutboxBroker

from emoji_gallery.kit.database import WriteConnection
from emoji_gallery.kit.outbox.tables import TaskTables
from emoji_gallery.kit.queue import Payload, TaskObserver, UnknownTaskError
from emoji_gallery.kit.task_metrics import NobodyObserves

_MOST_KEY_CHARACTERS: Final = 200

# Behind a task that runs and holds its key, one more may wait under the key with this suffix.
_NEXT: Final = "\x1fnext"


class OutboxQueue:
    """Writes tasks into the outbox of the feature that declares them, in the caller's transaction.

    The commit wakes the workers (NOTIFY).
    """

    def __init__(
        self, features: Sequence[TaskTables], *, observer: TaskObserver | None = None
    ) -> None:
        """Publish the tasks that `features` declare."""
        self._observer = observer or NobodyObserves()
        self._brokers: dict[str, OutboxBroker] = {}
        for tables in features:
            broker = OutboxBroker(outbox_table=tables.outbox, logger=None)
            self._brokers.update(dict.fromkeys(tables.tasks, broker))

    async def publish(
        self,
        tx: WriteConnection,
        task: str,
        payload: Payload,
        *,
        delay: timedelta | None = None,
        key: str | None = None,
    ) -> None:
        """Write one row on `tx`; see the port for the promise."""
        broker = self._brokers.get(task)
        if broker is None:
            raise UnknownTaskError(task)
        message = _Message(broker, task, _encoded(task, payload), delay, _origin())
        if key is None:
            await message.write(tx, None)
        else:
            await _write_keyed(message, tx, key)
        self._observer.task_published(task)


async def _write_keyed(message: _Message, tx: WriteConnection, key: str) -> None:
    """Join the row that waits under `key`, unless it is being run: then follow it.

    Joining locks the waiting row until `tx` ends, so no worker takes it before it can see what
    `tx` wrote. A run under way may have looked too early: the task waits behind it instead.
    """
    if not 1 <= len(key) <= _MOST_KEY_CHARACTERS:
        raise ValueError(f"a key has 1 to {_MOST_KEY_CHARACTERS} characters, not {len(key)}")
    for timer in (key, key + _NEXT, None):
        if await message.write(tx, timer):
            return


@dataclass(frozen=True)
class _Message:
    """One task on its way into a table."""

    broker: OutboxBroker
    task: str
    body: bytes
    delay: timedelta | None
    origin: str | None

    async def write(self, tx: WriteConnection, timer: str | None) -> bool:
        """Insert or join a row; False when the row of that name is being run."""
        written = await self.broker.publish(
            self.body,
            queue=self.task,
            session=tx.raw,
            activate_in=self.delay,
            timer_id=timer,
            timer_conflict="ignore" if timer is None else "extend",
            correlation_id=self.origin,
        )
        return written is not None


def _encoded(task: str, payload: Payload) -> bytes:
    try:
        return orjson.dumps(dict(payload))
    except TypeError as error:
        raise ValueError(f"the payload of {task} is not JSON: {error}") from error


def _origin() -> str | None:
    """The id of the request that publishes, so that the task's log lines name it too."""
    origin = structlog.contextvars.get_contextvars().get("request_id")
    return origin if isinstance(origin, str) else None
