"""A feature that exists in tests alone: the schema `demo` with task and idempotency tables.

Its database is made once a pytest process and emptied before each test.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, MetaData, Table, func, select, text

from emoji_gallery.kit.database import Database, DatabaseSettings, connect
from emoji_gallery.kit.idempotency_migration import create_idempotency_v1
from emoji_gallery.kit.idempotency_tables import declare_idempotency
from emoji_gallery.kit.jsontypes import JSON
from emoji_gallery.kit.outbox.migration import create_task_tables_v1
from emoji_gallery.kit.outbox.tables import declare_tasks
from emoji_gallery.kit.outbox.worker import WorkerSettings
from emoji_gallery.kit.queue import Payload, RetryPolicy, TaskHandler
from tests.parts import Parts

PAINT: Final = "demo.paint"
SWEEP: Final = "demo.sweep"

METADATA: Final = MetaData(schema="demo")
TASKS: Final = declare_tasks(METADATA, [PAINT, SWEEP])
IDEMPOTENCY: Final = declare_idempotency(METADATA)

# Quick enough for tests, and every pause still much longer than the machine's hiccups.
QUICK: Final = WorkerSettings(task_concurrency=3, task_lease_seconds=2, task_grace_seconds=5)
SOON: Final = RetryPolicy(attempts=3, first_delay=timedelta(milliseconds=20))


@pytest.fixture(scope="session")
def demo_url(parts: Parts) -> Iterator[str]:
    """The address of the database that holds the demo's schema, as a migration makes it."""
    with parts.fresh_database() as url:
        parts.runner.run(make_demo_schema(url))
        yield url


@pytest.fixture
async def demo(demo_url: str) -> AsyncIterator[Database]:
    """A pool of connections to the demo's database, with nothing in its tables."""
    pool = connect(DatabaseSettings(database_url=demo_url), application_name="tests")
    tables = ", ".join(str(table) for table in METADATA.sorted_tables)
    async with pool.transaction() as tx:
        await tx.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    yield pool
    await pool.close()


async def make_demo_schema(url: str) -> None:
    """Make the schema `demo` in a database that lacks it."""
    pool = connect(DatabaseSettings(database_url=url), application_name="tests")
    async with pool.transaction() as tx:
        await tx.execute(text("CREATE SCHEMA demo"))
        await tx.raw.run_sync(_create_tables)
    await pool.close()


@asynccontextmanager
async def without_table(database: Database, table: Table) -> AsyncIterator[None]:
    """Let every statement on a table fail during the block."""
    async with database.transaction() as tx:
        await tx.execute(text(f"ALTER TABLE {table} RENAME TO lost"))
    try:
        yield
    finally:
        async with database.transaction() as tx:
            await tx.execute(text(f"ALTER TABLE {table.schema}.lost RENAME TO {table.name}"))


def _create_tables(connection: Connection) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        create_task_tables_v1("demo")
        create_idempotency_v1("demo")


@dataclass
class Painter:
    """A handler that remembers what it was given, and does what a test wants then."""

    then: Callable[[Payload], Awaitable[None]] | None = None
    seen: list[Mapping[str, JSON]] = field(default_factory=list)

    async def __call__(self, payload: Payload) -> None:
        self.seen.append(payload)
        if self.then is not None:
            await self.then(payload)


def handlers_of(
    paint: Callable[[Payload], Awaitable[None]],
    *,
    sweep: Callable[[Payload], Awaitable[None]] | None = None,
    retry: RetryPolicy = SOON,
    timeout: timedelta = timedelta(seconds=30),
) -> list[TaskHandler]:
    """Handlers for both tasks of the demo."""
    return [
        TaskHandler(PAINT, paint, retry=retry, timeout=timeout),
        TaskHandler(SWEEP, sweep or Painter(), retry=retry, timeout=timeout),
    ]


async def waiting_rows(database: Database) -> int:
    """How many tasks wait or run."""
    async with database.reading() as connection:
        result = await connection.execute(select(func.count()).select_from(TASKS.outbox))
        return int(result.scalar_one())


async def dead_reasons(database: Database) -> list[str]:
    """What the dead letters say, oldest first."""
    async with database.reading() as connection:
        result = await connection.execute(
            select(TASKS.dead.c.last_exception).order_by(TASKS.dead.c.id)
        )
        return [str(row.last_exception) for row in result]


def numbers(seen: Iterable[Mapping[str, JSON]]) -> list[JSON]:
    """The `n` of each payload, in the order of the runs."""
    return [payload["n"] for payload in seen]


async def for_ever(_payload: Payload) -> None:
    """A handler's work that never ends by itself."""
    await asyncio.Event().wait()
