"""The tables that carry one feature's tasks, in that feature's schema.

Columns, constraints and indexes are those that faststream-outbox 0.19 reads and writes; they are
spelt out here so that models need not import it, and a test holds them against its own check.
The migration's side is `kit.outbox.migration`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB


@dataclass(frozen=True)
class TaskTables:
    """One feature's task tables and the names of the tasks that may wait in them."""

    schema: str
    tasks: frozenset[str]
    outbox: Table
    dead: Table
    periodic: Table


def declare_tasks(metadata: MetaData, tasks: Iterable[str]) -> TaskTables:
    """Attach `outbox`, `outbox_dead` and `periodic` to `metadata`, whose schema is the feature's.

    `tasks` are the full names, each `<schema>.<verb>`. Raises `ValueError` for any other form.
    """
    schema = metadata.schema
    if schema is None:
        message = "task tables belong to a feature's schema; the metadata has none"
        raise ValueError(message)
    names = frozenset(tasks)
    for name in names:
        if not name.startswith(f"{schema}.") or len(name) > 200:  # noqa: PLR2004
            message = f"task {name!r} is not named {schema}.<verb>"
            raise ValueError(message)
    return TaskTables(
        schema=schema,
        tasks=names,
        outbox=_outbox(metadata),
        dead=_dead(metadata),
        periodic=_periodic(metadata),
    )


def _outbox(metadata: MetaData) -> Table:
    table = Table(
        "outbox",
        metadata,
        Column("id", BigInteger, primary_key=True, autoincrement=True),
        Column("queue", String(255), nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("headers", JSONB),
        Column("attempts_count", BigInteger, nullable=False, server_default="0"),
        Column("deliveries_count", BigInteger, nullable=False, server_default="0"),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column(
            "next_attempt_at", DateTime(timezone=True), nullable=False, server_default=func.now()
        ),
        Column("first_attempt_at", DateTime(timezone=True)),
        Column("last_attempt_at", DateTime(timezone=True)),
        Column("acquired_at", DateTime(timezone=True)),
        Column("acquired_token", Uuid),
        Column("timer_id", String(255)),
        CheckConstraint("(acquired_token IS NULL) = (acquired_at IS NULL)", name="outbox_lease_ck"),
    )
    due = (table.c.queue, table.c.next_attempt_at, table.c.id)
    Index("outbox_pending_idx", *due, postgresql_where=table.c.acquired_token.is_(None))
    Index("outbox_leased_idx", *due, postgresql_where=table.c.acquired_token.is_not(None))
    Index(
        "outbox_timer_id_uq",
        table.c.queue,
        table.c.timer_id,
        unique=True,
        postgresql_where=table.c.timer_id.is_not(None),
    )
    return table


def _dead(metadata: MetaData) -> Table:
    table = Table(
        "outbox_dead",
        metadata,
        Column("id", BigInteger, primary_key=True, autoincrement=True),
        Column("original_id", BigInteger, nullable=False),
        Column("queue", String(255), nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("headers", JSONB),
        Column("deliveries_count", BigInteger, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("failed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("failure_reason", String(64), nullable=False),
        Column("last_exception", String),
        Column("timer_id", String(255)),
    )
    Index("outbox_dead_queue_failed_idx", table.c.queue, table.c.failed_at)
    return table


def _periodic(metadata: MetaData) -> Table:
    return Table(
        "periodic",
        metadata,
        Column("name", Text, primary_key=True),
        Column("started_at", DateTime(timezone=True), nullable=False),
        Column("leased_until", DateTime(timezone=True)),
        Column("lease_token", Uuid),
        CheckConstraint("(lease_token IS NULL) = (leased_until IS NULL)", name="periodic_lease_ck"),
    )
