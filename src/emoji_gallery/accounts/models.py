"""The tables of accounts."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from emoji_gallery.kit.outbox.tables import declare_tasks

metadata: Final = MetaData(schema="accounts")

ERASE_USER: Final = "accounts.erase_user"

task_tables: Final = declare_tasks(metadata, [ERASE_USER])

tiers: Final = Table(
    "tiers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("rank", Integer, nullable=False),
    Column("upload_limit", Integer),  # uploads that a user keeps; null is unlimited
    Column("max_file_bytes", BigInteger, nullable=False),
    Column("max_side", Integer, nullable=False),
    Column("max_frame_pixels", BigInteger, nullable=False),
    Column("max_frames", Integer, nullable=False),
    Column("max_total_pixels", BigInteger, nullable=False),
    Column("reads_per_minute", Integer, nullable=False),
    Column("uploads_per_minute", Integer, nullable=False),
    # What a visitor without a token gets, who is on the default tier; null on the others.
    Column("anonymous_reads_per_minute", Integer),
    UniqueConstraint("rank", name="tiers_rank_uq"),
    CheckConstraint("name ~ '^[a-z][a-z0-9_-]{0,31}$'", name="tiers_name_ck"),
    CheckConstraint("upload_limit >= 0", name="tiers_upload_limit_ck"),
    CheckConstraint(
        "least(max_file_bytes, max_side, max_frame_pixels, max_frames, max_total_pixels, "
        "reads_per_minute, uploads_per_minute, anonymous_reads_per_minute) > 0",
        name="tiers_positive_ck",
    ),
)

users: Final = Table(
    "users",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("tier", Text),  # null: the claim of the user's token decides
    Column("tokens_revoked_before", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    # Set where only a revocation outlives the user: without it a revoked token would hold again.
    Column("erased_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["tier"], ["accounts.tiers.name"], name="users_tier_fk"),
    CheckConstraint("length(user_id) BETWEEN 1 AND 128", name="users_user_id_ck"),
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("preview", Text, nullable=False),  # the first letters, to tell keys apart
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the key
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_used_at", DateTime(timezone=True)),  # true to the hour
    Column("revoked_at", DateTime(timezone=True)),
    ForeignKeyConstraint(["user_id"], ["accounts.users.user_id"], name="api_keys_user_id_fk"),
    UniqueConstraint("digest", name="api_keys_digest_uq"),
    CheckConstraint("length(digest) = 32", name="api_keys_digest_ck"),
    Index("api_keys_user_id_idx", "user_id"),
)
