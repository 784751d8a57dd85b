"""Tables of the schema `user_emojis`, and the row that the rest of the feature handles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from emoji_gallery.contracts.ids import Digest, UserEmojiId, UserId
from emoji_gallery.kit.idempotency_tables import declare_idempotency
from emoji_gallery.kit.outbox.tables import declare_tasks
from emoji_gallery.media.types import Probe

SCHEMA: Final = "user_emojis"
PROCESS_TASK: Final = f"{SCHEMA}.process"
DROP_FILES_TASK: Final = f"{SCHEMA}.drop_files"

metadata = MetaData(schema=SCHEMA)


class Status(StrEnum):
    """How far an emoji is."""

    PROCESSING = "processing"
    READY = "ready"
    REJECTED = "rejected"


emojis = Table(
    "emojis",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("digest", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("original_name", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("duration_ms", Integer),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("rejected_at", DateTime(timezone=True)),
    Column("deleted_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('processing', 'ready', 'rejected')", name="emojis_status_known"),
    CheckConstraint(
        "(status = 'rejected') = (reason IS NOT NULL)", name="emojis_rejected_for_a_reason"
    ),
    CheckConstraint(
        "(status = 'rejected') = (rejected_at IS NOT NULL)", name="emojis_rejected_at_a_time"
    ),
    # What was rejected has no bytes left, so there is nothing to restore.
    CheckConstraint(
        "status <> 'rejected' OR deleted_at IS NULL", name="emojis_rejected_not_restorable"
    ),
    # One picture of one owner is one emoji, be it living or restorable.
    Index(
        "emojis_owner_digest",
        "owner_id",
        "digest",
        unique=True,
        postgresql_where=text("status <> 'rejected'"),
    ),
    Index("emojis_listed", "owner_id", "id", postgresql_where=text("deleted_at IS NULL")),
    Index(
        "emojis_restorable",
        "owner_id",
        "deleted_at",
        postgresql_where=text("deleted_at IS NOT NULL"),
    ),
    Index("emojis_deleted", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    Index("emojis_waiting", "updated_at", postgresql_where=text("status = 'processing'")),
    Index("emojis_rejected", "rejected_at", postgresql_where=text("rejected_at IS NOT NULL")),
    Index("emojis_digest", "digest"),
)

quotas = Table(
    "quotas",
    metadata,
    Column("owner_id", Text, primary_key=True),
    Column("used", Integer, nullable=False),
    Column("listed", Integer, nullable=False),
    CheckConstraint("used >= 0", name="quotas_used_not_negative"),
    CheckConstraint("listed >= used", name="quotas_used_are_listed"),
)

# Requests that began before their user was erased and are not over yet: they keep nothing.
erasures = Table(
    "erasures",
    metadata,
    Column("owner_id", Text, primary_key=True),
    Column("before", DateTime(timezone=True), nullable=False),
)

task_tables = declare_tasks(metadata, [PROCESS_TASK, DROP_FILES_TASK])
idempotency = declare_idempotency(metadata)


@dataclass(frozen=True, slots=True)
class UserEmoji:
    """One emoji of a user, as it is kept."""

    id: UserEmojiId
    owner_id: UserId
    name: str
    tags: tuple[str, ...]
    status: Status
    reason: str | None
    digest: Digest
    bytes: int
    original_name: str
    probe: Probe
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
