"""Assets: content-addressed files and what is known of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from emoji_gallery.kit.outbox.migration import create_task_tables_v1, drop_task_tables_v1

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "assets"


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS assets")
    _create_assets()
    _create_renditions()
    _create_guards()
    create_task_tables_v1(SCHEMA)


def downgrade() -> None:
    drop_task_tables_v1(SCHEMA)
    for table in ("guards", "renditions", "assets"):
        op.drop_table(table, schema=SCHEMA)
    op.execute("DROP SCHEMA assets")


def _create_assets() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "assets",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("is_public", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("created_at", moment, nullable=False, server_default=sa.func.now()),
        sa.Column("changed_at", moment, nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("unreferenced_since", moment),
        sa.Column("collecting_since", moment),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="assets_digest_is_sha256"),
        sa.CheckConstraint("width > 0 AND height > 0 AND frames > 0", name="assets_measured"),
        schema=SCHEMA,
    )
    op.create_index("assets_changed", "assets", ["changed_at"], schema=SCHEMA)
    op.create_index(
        "assets_unreferenced",
        "assets",
        ["unreferenced_since"],
        schema=SCHEMA,
        postgresql_where=sa.text("unreferenced_since IS NOT NULL"),
    )


def _create_renditions() -> None:
    op.create_table(
        "renditions",
        sa.Column(
            "digest",
            sa.Text,
            sa.ForeignKey("assets.assets.digest", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("failure", sa.Text),
        sa.Column("lease_token", sa.Uuid, nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("bytes IS NULL OR failure IS NULL", name="renditions_made_or_failed"),
        schema=SCHEMA,
    )


def _create_guards() -> None:
    op.create_table(
        "guards",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("holds", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("held_until", sa.DateTime(timezone=True)),
        sa.Column("collector", sa.Uuid),
        sa.Column("collecting_until", sa.DateTime(timezone=True)),
        sa.CheckConstraint("holds >= 0", name="guards_holds_not_negative"),
        sa.CheckConstraint(
            "(collector IS NULL) = (collecting_until IS NULL)", name="guards_collected_by_someone"
        ),
        schema=SCHEMA,
    )
