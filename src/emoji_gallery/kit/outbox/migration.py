"""The DDL of the task tables, for migrations.

A migration calls the function of the version that it was written with; what the function does
never changes afterwards. A new shape is a new function and a migration that calls it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB


def create_task_tables_v1(schema: str) -> None:
    """Create `outbox`, `outbox_dead` and `periodic` in an existing schema."""
    _create_outbox_v1(schema)
    _create_dead_v1(schema)
    op.create_table(
        "periodic",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("lease_token", sa.Uuid),
        sa.CheckConstraint(
            "(lease_token IS NULL) = (leased_until IS NULL)", name="periodic_lease_ck"
        ),
        schema=schema,
    )


def drop_task_tables_v1(schema: str) -> None:
    """Drop what `create_task_tables_v1` made."""
    for table in ("periodic", "outbox_dead", "outbox"):
        op.drop_table(table, schema=schema)


def _create_outbox_v1(schema: str) -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("queue", sa.String(255), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("headers", JSONB),
        sa.Column("attempts_count", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("deliveries_count", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created_at", moment, nullable=False, server_default=sa.func.now()),
        sa.Column("next_attempt_at", moment, nullable=False, server_default=sa.func.now()),
        sa.Column("first_attempt_at", moment),
        sa.Column("last_attempt_at", moment),
        sa.Column("acquired_at", moment),
        sa.Column("acquired_token", sa.Uuid),
        sa.Column("timer_id", sa.String(255)),
        sa.CheckConstraint(
            "(acquired_token IS NULL) = (acquired_at IS NULL)", name="outbox_lease_ck"
        ),
        schema=schema,
    )
    due = ["queue", "next_attempt_at", "id"]
    for name, state in (("pending", "IS NULL"), ("leased", "IS NOT NULL")):
        op.create_index(
            f"outbox_{name}_idx",
            "outbox",
            due,
            schema=schema,
            postgresql_where=sa.text(f"acquired_token {state}"),
        )
    op.create_index(
        "outbox_timer_id_uq",
        "outbox",
        ["queue", "timer_id"],
        unique=True,
        schema=schema,
        postgresql_where=sa.text("timer_id IS NOT NULL"),
    )
    # Rows live for seconds: vacuum by their number, not by a share of the table's size.
    op.execute(
        f'ALTER TABLE "{schema}".outbox SET ('
        "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, "
        "autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000)"
    )


def _create_dead_v1(schema: str) -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "outbox_dead",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("original_id", sa.BigInteger, nullable=False),
        sa.Column("queue", sa.String(255), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("headers", JSONB),
        sa.Column("deliveries_count", sa.BigInteger, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("failed_at", moment, nullable=False, server_default=sa.func.now()),
        sa.Column("failure_reason", sa.String(64), nullable=False),
        sa.Column("last_exception", sa.String),
        sa.Column("timer_id", sa.String(255)),
        schema=schema,
    )
    op.create_index(
        "outbox_dead_queue_failed_idx", "outbox_dead", ["queue", "failed_at"], schema=schema
    )
