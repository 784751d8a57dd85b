"""The schema `user_emojis`: emojis, quotas, erasures, tasks and kept answers.

Revision ID: 0004
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from emoji_gallery.kit.idempotency_migration import create_idempotency_v1, drop_idempotency_v1
from emoji_gallery.kit.outbox.migration import create_task_tables_v1, drop_task_tables_v1

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA: Final = "user_emojis"


def upgrade() -> None:
    op.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    _create_emojis()
    _index_emojis()
    op.create_table(
        "quotas",
        sa.Column("owner_id", sa.Text, primary_key=True),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("listed", sa.Integer, nullable=False),
        sa.CheckConstraint("used >= 0", name="quotas_used_not_negative"),
        sa.CheckConstraint("listed >= used", name="quotas_used_are_listed"),
        schema=SCHEMA,
    )
    op.create_table(
        "erasures",
        sa.Column("owner_id", sa.Text, primary_key=True),
        sa.Column("before", sa.DateTime(timezone=True), nullable=False),
        schema=SCHEMA,
    )
    create_task_tables_v1(SCHEMA)
    create_idempotency_v1(SCHEMA)
    # What the collector may see of this schema: the files that some row needs.
    op.execute(
        "CREATE VIEW user_emojis.asset_references AS "
        "SELECT digest FROM user_emojis.emojis WHERE status <> 'rejected'"
    )


def downgrade() -> None:
    op.execute(f"DROP VIEW {SCHEMA}.asset_references")
    drop_idempotency_v1(SCHEMA)
    drop_task_tables_v1(SCHEMA)
    for table in ("erasures", "quotas", "emojis"):
        op.drop_table(table, schema=SCHEMA)
    op.execute(f"DROP SCHEMA {SCHEMA}")


def _create_emojis() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "emojis",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("owner_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tags", ARRAY(sa.Text), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("original_name", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("attempts", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("rejected_at", moment),
        sa.Column("deleted_at", moment),
        sa.CheckConstraint(
            "status IN ('processing', 'ready', 'rejected')", name="emojis_status_known"
        ),
        sa.CheckConstraint(
            "(status = 'rejected') = (reason IS NOT NULL)", name="emojis_rejected_for_a_reason"
        ),
        sa.CheckConstraint(
            "(status = 'rejected') = (rejected_at IS NOT NULL)", name="emojis_rejected_at_a_time"
        ),
        sa.CheckConstraint(
            "status <> 'rejected' OR deleted_at IS NULL", name="emojis_rejected_not_restorable"
        ),
        schema=SCHEMA,
    )


def _index_emojis() -> None:
    _index("emojis_owner_digest", ["owner_id", "digest"], "status <> 'rejected'", unique=True)
    _index("emojis_listed", ["owner_id", "id"], "deleted_at IS NULL")
    _index("emojis_restorable", ["owner_id", "deleted_at"], "deleted_at IS NOT NULL")
    _index("emojis_deleted", ["deleted_at"], "deleted_at IS NOT NULL")
    _index("emojis_waiting", ["updated_at"], "status = 'processing'")
    _index("emojis_rejected", ["rejected_at"], "rejected_at IS NOT NULL")
    op.create_index("emojis_digest", "emojis", ["digest"], schema=SCHEMA)


def _index(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(
        name, "emojis", columns, unique=unique, schema=SCHEMA, postgresql_where=sa.text(where)
    )
