"""Where a feature keeps claimed idempotency keys and the answers they got."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB


def declare_idempotency(metadata: sa.MetaData) -> sa.Table:
    """Attach the table `idempotency` to the metadata of a feature's schema."""
    table = sa.Table(
        "idempotency",
        metadata,
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("owner_id", sa.Text, nullable=False),
        sa.Column("token", sa.Uuid, nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("fingerprint", sa.LargeBinary),
        sa.Column("status", sa.SmallInteger),
        sa.Column("headers", JSONB),
        sa.Column("body", sa.LargeBinary),
    )
    sa.Index("idempotency_claimed_at_idx", table.c.claimed_at)
    sa.Index("idempotency_owner_id_idx", table.c.owner_id)
    return table
