"""The tasks that failed for good: seen, run again, or dropped by an operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    MetaData,
    Row,
    Select,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    union_all,
)

from emoji_gallery.kit.database import Database, ReadConnection
from emoji_gallery.kit.outbox.tables import TaskTables, declare_tasks


@dataclass(frozen=True)
class DeadLetter:
    """One task that was given up. `deliveries` counts how often it was tried."""

    letter_id: str
    task: str
    payload: str
    failed_at: datetime
    deliveries: int
    reason: str


@dataclass(frozen=True)
class Choice:
    """Which letters are meant: those of the ids, those of a task, or all."""

    letter_ids: Sequence[str] | None = None
    task: str | None = None


class UnknownLetterError(ValueError):
    """An id is not `<schema>/<number>`, or there is no such letter."""


@dataclass(frozen=True)
class DeadLetters:
    """The dead-letter tables of every feature in a database."""

    db: Database

    async def list(self, choice: Choice, *, limit: int) -> Sequence[DeadLetter]:
        """The latest letters first; at most `limit` of them."""
        async with self.db.reading() as connection:
            features = await _features(connection)
            if not features:
                return ()
            every = union_all(*(_selected(tables, choice) for tables in features)).subquery()
            rows = await connection.execute(
                select(every).order_by(every.c.failed_at.desc(), every.c.id.desc()).limit(limit)
            )
            return [_letter(row) for row in rows]

    async def retry(self, choice: Choice) -> int:
        """Put letters back as new tasks, to be tried as often as any; how many that were.

        Raises `UnknownLetterError` when one of the ids is of none, and then changes nothing.
        """
        retried = 0
        async with self.db.transaction() as tx:
            for tables in await _features(tx):
                gone = (
                    delete(tables.dead)
                    .where(*_chosen(tables, choice))
                    .returning(tables.dead.c.queue, tables.dead.c.payload, tables.dead.c.headers)
                    .cte("gone")
                )
                columns = ["queue", "payload", "headers"]
                again = insert(tables.outbox).from_select(columns, select(gone))
                tasks = [
                    row.queue for row in await tx.execute(again.returning(tables.outbox.c.queue))
                ]
                retried += len(tasks)
                for task in sorted(set(tasks)):
                    await tx.execute(
                        text("SELECT pg_notify(:channel, :task)"),
                        {"channel": f"outbox_{tables.outbox.name}", "task": task},
                    )
            _check_found(choice, retried)
        return retried

    async def bury(self, task: str) -> int:
        """Put the waiting tasks of a name among the letters, for instance of one given up."""
        buried = 0
        async with self.db.transaction() as tx:
            for tables in await _features(tx):
                outbox, dead = tables.outbox, tables.dead
                kept = (outbox.c.queue, outbox.c.payload, outbox.c.headers)
                counted = (outbox.c.deliveries_count, outbox.c.created_at, outbox.c.timer_id)
                gone = (
                    delete(outbox)
                    .where(outbox.c.queue == task, outbox.c.acquired_token.is_(None))
                    .returning(outbox.c.id.label("original_id"), *kept, *counted)
                    .cte("gone")
                )
                said = literal("buried").label("failure_reason")
                letters = select(gone, said)
                result = await tx.execute(
                    insert(dead).from_select(
                        [column.name for column in letters.selected_columns], letters
                    )
                )
                buried += result.rowcount
        return buried

    async def drop(self, choice: Choice) -> int:
        """Remove letters; how many that were.

        Raises `UnknownLetterError` when one of the ids is of none, and then changes nothing.
        """
        dropped = 0
        async with self.db.transaction() as tx:
            for tables in await _features(tx):
                result = await tx.execute(delete(tables.dead).where(*_chosen(tables, choice)))
                dropped += result.rowcount
            _check_found(choice, dropped)
        return dropped


async def _features(connection: ReadConnection) -> list[TaskTables]:
    """The task tables in the database: a tool for operators asks it, not the code's version."""
    found = await connection.execute(
        text(
            "SELECT table_schema FROM information_schema.tables "
            "WHERE table_name = 'outbox_dead' ORDER BY table_schema"
        )
    )
    return [declare_tasks(MetaData(schema=row.table_schema), []) for row in found]


def _selected(tables: TaskTables, choice: Choice) -> Select[Any]:
    dead = tables.dead
    return select(
        literal(tables.schema).label("schema"),
        dead.c.id,
        dead.c.queue,
        dead.c.payload,
        dead.c.failed_at,
        dead.c.deliveries_count,
        func.coalesce(dead.c.last_exception, dead.c.failure_reason).label("reason"),
    ).where(*_chosen(tables, choice))


def _chosen(tables: TaskTables, choice: Choice) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if choice.letter_ids is not None:
        numbers = [
            number for schema, number in map(_split, choice.letter_ids) if schema == tables.schema
        ]
        conditions.append(tables.dead.c.id.in_(numbers))
    if choice.task is not None:
        conditions.append(tables.dead.c.queue == choice.task)
    return conditions


def _split(letter_id: str) -> tuple[str, int]:
    schema, _, number = letter_id.partition("/")
    if not schema or not number.isascii() or not number.isdigit():
        raise UnknownLetterError(f"{letter_id!r} is not the id of a letter, like user_emojis/12")
    return schema, int(number)


def _check_found(choice: Choice, found: int) -> None:
    if choice.letter_ids is not None and found != len(set(choice.letter_ids)):
        raise UnknownLetterError("there are no letters of some of these ids")


def _letter(row: Row[Any]) -> DeadLetter:
    return DeadLetter(
        letter_id=f"{row.schema}/{row.id}",
        task=row.queue,
        payload=row.payload.decode(errors="replace"),
        failed_at=row.failed_at,
        deliveries=row.deliveries_count,
        reason=row.reason,
    )
