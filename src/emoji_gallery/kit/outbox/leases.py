"""Leases that last as long as their worker lives.

faststream-outbox gives a claimed row to somebody else when its lease is older than a fixed time. A
short time lets the tasks of a killed worker go on soon, but long tasks would be run twice: so this
client remembers every row that it has claimed and renews the leases until the outcome is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from faststream_outbox.client import OutboxClient
from faststream_outbox.message import OutboxInnerMessage
from sqlalchemy import ARRAY, BigInteger, Uuid, bindparam, cast, func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import Update
from typing_extensions import override

from emoji_gallery.kit.outbox.tables import TaskTables


class LeasingClient(OutboxClient):
    """faststream-outbox's client, and what it has claimed."""

    def __init__(self, engine: AsyncEngine, tables: TaskTables) -> None:
        """Claim from one feature's outbox."""
        super().__init__(engine, tables.outbox, dlq_table=tables.dead)
        self._tables = tables
        self._held: dict[int, UUID] = {}

    @override
    async def fetch(
        self,
        conn: AsyncConnection | None,
        queues: Sequence[str],
        *,
        limit: int,
        lease_ttl_seconds: float,
    ) -> list[OutboxInnerMessage]:
        """Claim rows and remember them."""
        rows = await super().fetch(conn, queues, limit=limit, lease_ttl_seconds=lease_ttl_seconds)
        self._held.update((row.id, row.acquired_token) for row in rows if row.acquired_token)
        return rows

    @override
    async def delete_with_lease(
        self,
        conn: AsyncConnection | None,
        message_id: int,
        acquired_token: UUID,
        *,
        dlq_payload: Mapping[str, Any] | None = None,
    ) -> bool:
        """Delete a row that is done or dead, and forget it whatever comes of that.

        Where the write fails, the lease runs out and the task is run again.
        """
        self._forget(message_id, acquired_token)
        return await super().delete_with_lease(
            conn, message_id, acquired_token, dlq_payload=dlq_payload
        )

    @override
    async def mark_pending_with_lease(
        self,
        conn: AsyncConnection | None,
        message_id: int,
        acquired_token: UUID,
        *,
        delay_seconds: float,
        attempts_count: int,
        first_attempt_at: datetime,
        last_attempt_at: datetime,
    ) -> bool:
        """Put a row back for another attempt, and forget it whatever comes of that."""
        self._forget(message_id, acquired_token)
        return await super().mark_pending_with_lease(
            conn,
            message_id,
            acquired_token,
            delay_seconds=delay_seconds,
            attempts_count=attempts_count,
            first_attempt_at=first_attempt_at,
            last_attempt_at=last_attempt_at,
        )

    async def renew(self) -> Sequence[int]:
        """Renew all leases; the ids of the rows that somebody else has taken or removed."""
        if not self._held:
            return ()
        held = dict(self._held)
        renewal = self._of_held().values(acquired_at=func.now())
        async with self.engine.begin() as connection:
            result = await connection.execute(renewal, _parameters(held))
            kept = {row.id for row in result}
        # Rows that were finished while the statement ran are neither kept nor lost.
        lost = [row for row, token in held.items() if row not in kept and row in self._held]
        for row in lost:
            self._forget(row, held[row])
        return lost

    async def release(self) -> int:
        """Give every row back that has no outcome yet; how many that were.

        The delivery is not counted: its task did not fail, its worker was asked to stop.
        """
        if not self._held:
            return 0
        outbox = self._tables.outbox
        deliveries = func.greatest(outbox.c.deliveries_count - 1, 0)
        released = self._of_held().values(
            acquired_at=None, acquired_token=None, deliveries_count=deliveries
        )
        async with self.engine.begin() as connection:
            result = await connection.execute(released, _parameters(self._held))
            tasks = [row.queue for row in result]
            for task in sorted(set(tasks)):
                await connection.execute(
                    text("SELECT pg_notify(:channel, :task)"),
                    {"channel": f"outbox_{outbox.name}", "task": task},
                )
        self._held.clear()
        return len(tasks)

    def _of_held(self) -> Update:
        outbox = self._tables.outbox
        ids, tokens = ARRAY(BigInteger), ARRAY(Uuid)
        held = (
            func.unnest(
                cast(bindparam("ids", type_=ids), ids),
                cast(bindparam("tokens", type_=tokens), tokens),
            )
            .table_valued("id", "token")
            .render_derived(name="held")
        )
        return (
            update(outbox)
            .where(outbox.c.id == held.c.id, outbox.c.acquired_token == held.c.token)
            .returning(outbox.c.id, outbox.c.queue)
        )

    def _forget(self, row: int, token: UUID) -> None:
        if self._held.get(row) == token:
            del self._held[row]


def _parameters(held: Mapping[int, UUID]) -> dict[str, object]:
    return {"ids": list(held), "tokens": list(held.values())}
