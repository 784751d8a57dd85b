"""Tiers, users, API keys and the tasks of accounts.

Revision ID: 0001
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from emoji_gallery.kit.outbox.migration import create_task_tables_v1, drop_task_tables_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA: Final = "accounts"
MIB: Final = 1024 * 1024

# name, rank, uploads kept, bytes a file, reads a minute, uploads a minute, anonymous reads
SEEDS: Final = (
    ("free", 10, 5, 10 * MIB, 1_200, 120, 600),
    ("premium", 20, 100, 20 * MIB, 3_000, 300, None),
    ("business", 30, None, 32 * MIB, 12_000, 3_000, None),
)


def upgrade() -> None:
    op.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    _create_tiers()
    _create_users()
    _create_api_keys()
    create_task_tables_v1(SCHEMA)
    # What other services may read of a user: never a key, never when the user came.
    op.execute(
        "CREATE VIEW accounts.actors AS "
        "SELECT user_id, tier, tokens_revoked_before FROM accounts.users"
    )


def downgrade() -> None:
    op.execute(f"DROP VIEW {SCHEMA}.actors")
    drop_task_tables_v1(SCHEMA)
    for table in ("api_keys", "users", "tiers"):
        op.drop_table(table, schema=SCHEMA)
    op.execute(f"DROP SCHEMA {SCHEMA}")


def _create_tiers() -> None:
    tiers = op.create_table(
        "tiers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("upload_limit", sa.Integer),
        sa.Column("max_file_bytes", sa.BigInteger, nullable=False),
        sa.Column("max_side", sa.Integer, nullable=False),
        sa.Column("max_frame_pixels", sa.BigInteger, nullable=False),
        sa.Column("max_frames", sa.Integer, nullable=False),
        sa.Column("max_total_pixels", sa.BigInteger, nullable=False),
        sa.Column("reads_per_minute", sa.Integer, nullable=False),
        sa.Column("uploads_per_minute", sa.Integer, nullable=False),
        sa.Column("anonymous_reads_per_minute", sa.Integer),
        sa.UniqueConstraint("rank", name="tiers_rank_uq"),
        sa.CheckConstraint("name ~ '^[a-z][a-z0-9_-]{0,31}$'", name="tiers_name_ck"),
        sa.CheckConstraint("upload_limit >= 0", name="tiers_upload_limit_ck"),
        sa.CheckConstraint(
            "least(max_file_bytes, max_side, max_frame_pixels, max_frames, max_total_pixels, "
            "reads_per_minute, uploads_per_minute, anonymous_reads_per_minute) > 0",
            name="tiers_positive_ck",
        ),
        schema=SCHEMA,
    )
    op.bulk_insert(
        tiers,
        [
            {
                "name": name,
                "rank": rank,
                "upload_limit": uploads,
                "max_file_bytes": file_bytes,
                "max_side": 4_096,
                "max_frame_pixels": 16_800_000,
                "max_frames": 1_000,
                "max_total_pixels": 50_000_000,
                "reads_per_minute": reads_rate,
                "uploads_per_minute": uploads_rate,
                "anonymous_reads_per_minute": anonymous_rate,
            }
            for name, rank, uploads, file_bytes, reads_rate, uploads_rate, anonymous_rate in SEEDS
        ],
    )


def _create_users() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "users",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("tier", sa.Text),
        sa.Column("tokens_revoked_before", moment),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("erased_at", moment),
        sa.ForeignKeyConstraint(["tier"], [f"{SCHEMA}.tiers.name"], name="users_tier_fk"),
        sa.CheckConstraint("length(user_id) BETWEEN 1 AND 128", name="users_user_id_ck"),
        schema=SCHEMA,
    )


def _create_api_keys() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("preview", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("last_used_at", moment),
        sa.Column("revoked_at", moment),
        sa.ForeignKeyConstraint(
            ["user_id"], [f"{SCHEMA}.users.user_id"], name="api_keys_user_id_fk"
        ),
        sa.UniqueConstraint("digest", name="api_keys_digest_uq"),
        sa.CheckConstraint("length(digest) = 32", name="api_keys_digest_ck"),
        schema=SCHEMA,
    )
    op.create_index("api_keys_user_id_idx", "api_keys", ["user_id"], schema=SCHEMA)
