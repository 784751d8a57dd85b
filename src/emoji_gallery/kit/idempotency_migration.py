"""The DDL of the idempotency table, for migrations.

What a function does never changes once a migration calls it: a new shape is a new function.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB


def create_idempotency_v1(schema: str) -> None:
    """Create the table `idempotency` in an existing schema."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "idempotency",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("owner_id", sa.Text, nullable=False),
        sa.Column("token", sa.Uuid, nullable=False),
        sa.Column("claimed_at", moment, nullable=False),
        sa.Column("answered_at", moment),
        sa.Column("fingerprint", sa.LargeBinary),
        sa.Column("status", sa.SmallInteger),
        sa.Column("headers", JSONB),
        sa.Column("body", sa.LargeBinary),
        schema=schema,
    )
    op.create_index("idempotency_claimed_at_idx", "idempotency", ["claimed_at"], schema=schema)
    op.create_index("idempotency_owner_id_idx", "idempotency", ["owner_id"], schema=schema)


def drop_idempotency_v1(schema: str) -> None:
    """Drop what `create_idempotency_v1` made."""
    op.drop_table("idempotency", schema=schema)
